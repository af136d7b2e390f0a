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
	// idlePerHost is how many idle connections to one receiver are kept, enough for a burst.
	idlePerHost = 128
	// idleFor is below the usual 60 s after which servers and load balancers close an idle
	// connection.
	idleFor = 50 * time.Second
	// pingAfter is how long an HTTP/2 connection may be silent before it is pinged, pingTakes
	// how long the response to the ping may take. Without pings, a dead connection would fail
	// as many attempts as the receiver accepts streams.
	pingAfter = 5 * time.Second
	pingTakes = 10 * time.Second
	// maxHeaderBytes bounds a response's header, informational responses included.
	maxHeaderBytes = 64 << 10
)

// newTransport returns a transport. All requests of the process go through such transports.
// They are used without an http.Client, which would follow redirects and take credentials
// from URLs.
func newTransport(dialer *dialer, trust *tls.Config) *http.Transport {
	trust.MinVersion = tls.VersionTLS12
	trust.CipherSuites = cipherSuites()
	if trust.NextProtos == nil {
		trust.NextProtos = []string{"h2", "http/1.1"}
	}
	return &http.Transport{
		// No proxy of net/http, not even from the environment: it would resolve names itself,
		// past the guard. The dialer uses the configured proxy.
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

// cipherSuites returns the suites of TLS 1.2 that crypto/tls considers secure, and those with
// an RSA key exchange: old servers in enterprises support no others, and other clients
// connect to them. A server that supports a better suite gets that one.
func cipherSuites() []uint16 {
	suites := []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA}
	for _, suite := range tls.CipherSuites() {
		suites = append(suites, suite.ID)
	}
	return suites
}

// renewable is a transport that can be replaced. Requests that start afterwards use none of
// the earlier connections, which a narrower guard may not allow.
type renewable struct {
	make    func() *http.Transport
	current atomic.Pointer[http.Transport]
}

func newRenewable(make func() *http.Transport) *renewable {
	r := &renewable{make: make}
	r.current.Store(make())
	return r
}

// RoundTrip sends a request through the current transport.
func (r *renewable) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.current.Load().RoundTrip(req)
}

// renew replaces the transport and returns the previous one, whose requests go on.
func (r *renewable) renew() *http.Transport {
	previous := r.current.Swap(r.make())
	previous.CloseIdleConnections()
	return previous
}

func (r *renewable) closeIdle() { r.current.Load().CloseIdleConnections() }
