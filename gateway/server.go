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

// bounds are those of connections and requests.
type bounds struct {
	// headers, body and idle are how long a client may take to send the headers and the body of a
	// request, and may stay without one.
	headers, body, idle time.Duration
	// stop is how long requests in flight may take when the process stops.
	stop time.Duration
	// connections is how many may be open.
	connections int
}

var usual = bounds{headers: 10 * time.Second, body: 30 * time.Second, idle: 2 * time.Minute, stop: 20 * time.Second, connections: MaxConnections}

const (
	maxHeaders    = 64 << 10
	headerSlack   = 4 << 10 // net/http reads so much more than its limit
	maxConcurrent = 250     // requests of one HTTP/2 connection
)

// newServer returns the server of a handler. It answers HTTP/1, and HTTP/2 with TLS only: in plain
// text a proxy in front could be led to pass on an upgrade.
func newServer(handler http.Handler, b bounds, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: b.headers, IdleTimeout: b.idle, MaxHeaderBytes: maxHeaders - headerSlack, Protocols: protocols,
		DisableGeneralOptionsHandler: true, // OPTIONS * is answered like any other request
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxConcurrent, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second,
			WriteByteTimeout: writeWithin},
		// What net/http logs names addresses of clients.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// serve serves until the context ends. Then it accepts nothing more, lets streams end and requests
// in flight finish within a bound, and disconnects the others.
func serve(ctx context.Context, server *http.Server, listener net.Listener, secure *tls.Config, stopWithin time.Duration) error {
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
