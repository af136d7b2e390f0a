package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"segue/gateway/stopping"
)

// Limits of connections. Bounds of bodies and answers are per request.
const (
	headersWithin  = 10 * time.Second
	maxHeaders     = 64 << 10
	bodyWithin     = 30 * time.Second
	idleWithin     = 2 * time.Minute
	maxConcurrent  = 250 // requests of one HTTP/2 connection
	stopWithin     = 20 * time.Second
	headersAllowed = maxHeaders - 4096 // net/http reads 4 KiB more than its limit
)

// newServer returns the server of a handler. It answers HTTP/1, and HTTP/2 with TLS only: in plain
// text a proxy in front could be led to pass on an upgrade.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headersWithin, IdleTimeout: idleWithin, MaxHeaderBytes: headersAllowed, Protocols: protocols,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxConcurrent, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second,
			WriteByteTimeout: writeWithin},
		// What net/http logs names addresses of clients.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// serve serves until the context ends. Then it accepts nothing more, lets streams end and requests
// in flight finish within a bound, and disconnects the others.
func serve(ctx context.Context, server *http.Server, listener net.Listener, secure *tls.Config) error {
	requests, end := context.WithCancel(stopping.With(context.WithoutCancel(ctx), ctx.Done()))
	defer end()
	server.BaseContext = func(net.Listener) context.Context { return requests }
	served := make(chan error, 1)
	go func() {
		if secure == nil {
			served <- server.Serve(listener)
			return
		}
		server.TLSConfig = secure
		served <- server.ServeTLS(listener, "", "")
	}()
	select {
	case err := <-served:
		return errors.Join(errors.New("gateway: requests are no longer served"), err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err := server.Shutdown(bounded)
	end()
	if err != nil {
		err = server.Close()
	}
	<-served
	return err
}
