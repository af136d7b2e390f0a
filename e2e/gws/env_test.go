package gws_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/config"
	"segue/embedded"
	"segue/gateway"
	"segue/worker/local"
)

const (
	patience  = 30 * time.Second
	pollEvery = 20 * time.Millisecond
)

// The Segue and the gateway of all tests. Interactions of different tests have different ids.
var (
	segue   *local.Segue
	carrier *gateway.Bus
	base    string
	logged  = &lines{}
	changes = newLedger()
	client  = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
)

// lines are the logged lines.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const timeouts = "timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 1h}}\n"

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	if carrier, err = gateway.OpenBus(config.Bus{MaxBytes: 64 << 20}, true, quiet); err != nil {
		return 1, err
	}
	defer carrier.Close()
	publisher := bus.NewPublisher(carrier.Conn)
	segue, err = local.Start(ctx, local.Options{Server: embedded.Options{UIPort: embedded.NoUI, Progress: func(string) {}}, Log: quiet, Notices: publisher})
	if err != nil {
		return 1, err
	}
	defer func() {
		err = cmp.Or(err, segue.Stop())
		closing, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err = cmp.Or(err, publisher.Close(closing))
	}()
	set, err := config.Parse("worker.yaml", []byte(timeouts))
	if err != nil {
		return 1, err
	}
	if _, err := segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set)}); err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "gws")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	stop, err := serve(filepath.Join(dir, "segue.yaml"))
	if err != nil {
		return 1, err
	}
	following, err := changes.follow(ctx)
	if err != nil {
		return 1, errors.Join(err, stop())
	}
	code = m.Run()
	client.CloseIdleConnections()
	err = stop()
	cancel()
	return code, errors.Join(err, <-following)
}

// serve starts the gateway of all tests on a free port, and waits until it is ready.
func serve(file string) (stop func() error, err error) {
	if err := os.Setenv("SEGUE_TESTS_PASSWORD", password); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, []byte(timeouts+credentials()), 0o600); err != nil {
		return nil, err
	}
	store, err := config.Open(file)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g, err := gateway.New(gateway.Options{
		Config: store, Log: slog.New(slog.NewJSONHandler(logged, nil)), Listener: listener,
		Client: segue.Client, Namespace: segue.Settings.Namespace, Bus: carrier.Conn,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	stop = func() error {
		cancel()
		return <-ended
	}
	for begun := time.Now(); !g.Health().Ready || len(g.Health().Degraded) > 0; time.Sleep(pollEvery) {
		if time.Since(begun) > patience {
			return nil, fmt.Errorf("the gateway is not ready: %+v: %w", g.Health(), stop())
		}
	}
	base = gateway.URL(store.Current().Gateway, listener)
	return stop, nil
}

// watched is what grows, and can be waited for.
type watched struct {
	mu      sync.Mutex
	changed chan struct{}
}

// update changes what is watched.
func (w *watched) update(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// read reads what is watched.
func (w *watched) read(look func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	look()
}

// until waits until the condition holds. It reports whether it did in time.
func (w *watched) until(holds func() bool) bool {
	patient := time.NewTimer(patience)
	defer patient.Stop()
	for {
		w.mu.Lock()
		held := holds()
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.mu.Unlock()
		if held {
			return true
		}
		select {
		case <-changed:
		case <-patient.C:
			return false
		}
	}
}

// requireNoDefect requires that the gateway has logged no defect.
func requireNoDefect(t *testing.T) {
	t.Helper()
	for _, defect := range []string{"a request panicked", "a request failed", `"status":500`} {
		require.NotContains(t, logged.String(), defect)
	}
}

func closed(body io.Closer) { _ = body.Close() } // it is read, or given up
