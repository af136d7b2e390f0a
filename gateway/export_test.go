package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"segue/config"
	"segue/gateway/index"
	"segue/metrics"
)

// Started is a server of a test's handler, as a gateway serves its faces.
type Started struct {
	Listener net.Listener
	served   chan error
	cancel   context.CancelFunc
	Open     func() int64
}

// Bounds are the bounds of a server; zero is the usual.
type Bounds struct {
	Headers, Body, Idle, Stop time.Duration
	Connections               int
}

// Start serves a handler until Stop. With a certificate it serves TLS.
func Start(handler http.Handler, given Bounds, tls config.GatewayTLS, follow time.Duration, log *slog.Logger, instruments *metrics.Instruments) (*Started, error) {
	b := usual
	for value, to := range map[time.Duration]*time.Duration{given.Headers: &b.headers, given.Body: &b.body, given.Idle: &b.idle, given.Stop: &b.stop} {
		if value > 0 {
			*to = value
		}
	}
	if given.Connections > 0 {
		b.connections = given.Connections
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	bound := newBounded(listener, b.connections, log, instruments.GatewayConnectionRefused)
	s := &Started{Listener: listener, served: make(chan error, 1), cancel: cancel, Open: bound.open.Load}
	server := newServer(around(handler, b, log, instruments), b, log)
	if tls.Certificate == "" {
		go func() { s.served <- serve(ctx, server, bound, nil, b.stop) }()
		return s, nil
	}
	own, err := loadCertificate(tls)
	if err != nil {
		cancel()
		return nil, errors.Join(err, listener.Close())
	}
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		own.follow(ctx, follow, log)
	}()
	go func() {
		err := serve(ctx, server, bound, own.config(), b.stop)
		<-followed
		s.served <- err
	}()
	return s, nil
}

// Stop stops the server, and returns when it has ended.
func (s *Started) Stop() error {
	s.cancel()
	return <-s.served
}

// Prober is the health of a gateway.
type Prober = health

// NewProber returns the health of a gateway whose Temporal answers with missing.
func NewProber(store *config.Store, update func(*config.Set) error, log *slog.Logger, missing func(context.Context) ([]string, error), indexed func() index.Health) *Prober {
	r := newReloader(Options{Config: store, Log: log}, update)
	return &health{missing: missing, index: indexed, connected: func() bool { return true }, issuers: func() []string { return nil },
		configured: func() bool { return false }, reloads: r, temporal: TemporalHealth{Namespace: "default"}}
}

func (h *health) Probe(ctx context.Context) time.Duration { return h.probe(ctx) }
func (h *health) Stop()                                   { h.stop() }
func (h *health) Status() Health                          { return h.status() }
func (h *health) Reload()                                 { h.reloads.Reload() }
func (h *health) Adopt()                                  { h.reloads.Adopt() }

// Public is /readyz as anybody sees it.
func (h *health) Public() http.Handler { return reading(ready(h.status, false)) }

// Interrupt begins to stop it.
func (s *Started) Interrupt() { s.cancel() }

// CursorKeysAfter returns the keys of cursors before and after a configuration is applied.
func CursorKeysAfter(o Options, next *config.Set) (before, after [][]byte, err error) {
	f, err := newFaces(o, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	defer f.close()
	before = f.currentKeys()
	err = f.update(next)
	return before, f.currentKeys(), err
}
