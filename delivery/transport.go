package delivery

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// idlePerHost keeps enough connections to one receiver that a burst reuses them.
	idlePerHost = 128
	// idleFor is below the usual 60 s after which servers and balancers close.
	idleFor = 50 * time.Second
	// pingAfter is how long an HTTP/2 connection may be silent before it is asked whether it
	// lives, pingTakes how long the answer may take: else a dead one would be kept for
	// as many failures as the receiver takes streams.
	pingAfter = 5 * time.Second
	pingTakes = 10 * time.Second
	// maxHeaderBytes bounds a response's header, informational responses included.
	maxHeaderBytes = 64 << 10
)

// newTransport is the one way out of the process. It is used without an
// http.Client, which would follow redirects and take credentials from URLs.
func newTransport(dialer *dialer, trust *tls.Config) *http.Transport {
	trust.MinVersion = tls.VersionTLS12
	trust.CipherSuites = cipherSuites()
	if trust.NextProtos == nil {
		trust.NextProtos = []string{"h2", "http/1.1"}
	}
	return &http.Transport{
		// No proxy of net/http, not even from the environment: it would resolve names
		// itself, where the guard does not see it. The dialer knows the configured one.
		Proxy:       nil,
		DialContext: dialer.dial,
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialer.dialTLS(ctx, network, address, trust)
		},
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTakes},
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleFor,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// cipherSuites are those of TLS 1.2 that crypto/tls finds secure, and after them those
// with an RSA key exchange: old servers of enterprises have no other, and other clients
// speak to them. A server that has a better one gets that.
func cipherSuites() []uint16 {
	suites := []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA}
	for _, suite := range tls.CipherSuites() {
		suites = append(suites, suite.ID)
	}
	return suites
}

// renewable is a transport that can be replaced: requests that start after that use none
// of the earlier connections, which a narrower guard may not allow.
type renewable struct {
	make    func() *http.Transport
	current atomic.Pointer[http.Transport]
}

func newRenewable(make func() *http.Transport) *renewable {
	r := &renewable{make: make}
	r.current.Store(make())
	return r
}

// RoundTrip sends a request by the current transport.
func (r *renewable) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.current.Load().RoundTrip(req)
}

// renew replaces the transport, and returns the one before; its requests go on.
func (r *renewable) renew() *http.Transport {
	before := r.current.Swap(r.make())
	before.CloseIdleConnections()
	return before
}

func (r *renewable) closeIdle() { r.current.Load().CloseIdleConnections() }
