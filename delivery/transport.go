package delivery

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	// idlePerHost keeps enough connections to one receiver that a burst reuses them.
	idlePerHost = 128
	// idleFor is below the usual 60 s after which servers and balancers close.
	idleFor = 50 * time.Second
	// maxHeaderBytes bounds a response's header, informational responses included.
	maxHeaderBytes = 64 << 10
)

// newTransport is the one way out of the process. It is used without an
// http.Client, which would follow redirects and take credentials from URLs.
func newTransport(dialer *dialer, trust *tls.Config) *http.Transport {
	trust.MinVersion = tls.VersionTLS12
	trust.NextProtos = []string{"h2", "http/1.1"}
	return &http.Transport{
		// No proxy of net/http, not even from the environment: it would resolve names
		// itself, where the guard does not see it. The dialer knows the configured one.
		Proxy:       nil,
		DialContext: dialer.dial,
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialer.dialTLS(ctx, network, address, trust)
		},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleFor,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}
