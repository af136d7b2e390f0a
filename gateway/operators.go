package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"segue/config"
	"segue/metrics"
)

// ErrInUse reports that another process listens on an address.
var ErrInUse = errors.New("already in use")

// Listen opens the socket of a gateway at gateway.address.
func Listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("gateway.address: %s is %w; set another, such as 127.0.0.1:0 for a free port", address, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("gateway.address: %w", err)
	}
	return listener, nil
}

// URL returns the URL at which a gateway with this configuration and listener is reached from its machine.
func URL(set config.Gateway, listener net.Listener) string {
	scheme := "http"
	if set.TLS.Certificate != "" {
		scheme = "https"
	}
	return scheme + "://" + listener.Addr().String()
}

// secure returns the configuration of TLS; nil without.
func (g *Gateway) secure() *tls.Config {
	if g.certificate == nil {
		return nil
	}
	return g.certificate.config()
}

// observe lets the gauges read the state of the gateway, until stop is called. A gateway with an
// address for operators is a process of its own, and has the gauges of a process, too.
func (g *Gateway) observe() (stop func() error, err error) {
	instruments := g.options.instruments()
	if instruments != nil && g.options.Observed != nil {
		instruments.Begin(nil)
		if err := instruments.Observe(g.process()); err != nil {
			return nil, err
		}
	}
	return instruments.ObserveGateway(metrics.GatewaySources{
		Connections: func() int { return int(g.connections.open.Load()) }, Streams: g.faces.streams,
		Sessions: g.faces.notifications.server.Sessions, Waiting: func() int { return int(g.faces.notifications.waiting.Load()) },
		Delivered: g.faces.notifications.server.Delivered,
		Indexed:   func() int { return g.index.Health().Open },
		Complete:  func() bool { return g.index.Health().Complete }, BusConnected: g.options.Bus.Connected,
		Pages: g.faces.visits.visitors.Pages, Invitations: g.faces.visits.visitors.Invitations,
	})
}

// process returns the sources of the gauges of a process without a worker.
func (g *Gateway) process() metrics.Sources {
	return metrics.Sources{
		Calls: func() []string { return nil }, Receivers: func() []metrics.Receiver { return nil }, Survey: func() *metrics.Survey { return nil },
		Configuration: func() metrics.Configuration {
			c := g.reloads.Status()
			return metrics.Configuration{Version: c.Version, LoadedAt: c.LoadedAt, OK: c.IsGood(), MissingSecrets: len(c.MissingSecrets), RestartsNeeded: len(c.NeedsRestart)}
		},
		Ready: func() bool { return g.Health().Ready },
	}
}

// serveOperators serves metrics and health, with their detail, until the context ends.
func serveOperators(ctx context.Context, listener net.Listener, scrape http.Handler, status func() Health, log *slog.Logger) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", scrape)
	mux.HandleFunc("GET /livez", live)
	mux.HandleFunc("GET /readyz", ready(status, true))
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = server.Close() // what is read here can be read again
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Error("metrics and health are no longer served", "error", err)
	}
	if !stop() {
		<-ended
	}
}
