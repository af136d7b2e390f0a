package gws_test

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/e2e/stack"
	"segue/gateway"
	"segue/worker/local"
)

const (
	patience  = time.Minute
	pollEvery = 20 * time.Millisecond
)

// The gateway of all tests. Interactions of different tests have different ids.
var (
	base    string
	logged  = &stack.Log{}
	changes = newLedger()
	client  = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
)

const timeouts = "timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 1h}}\n"

func TestMain(m *testing.M) { stack.Main(m, stack.Options{}, prepare) }

func prepare(s *stack.Stack) error {
	if err := os.Setenv("SEGUE_TESTS_PASSWORD", password); err != nil {
		return err
	}
	store, err := s.Configure(timeouts + credentials())
	if err != nil {
		return err
	}
	if _, err := s.StartWorker(local.WorkerOptions{Config: store}); err != nil {
		return err
	}
	if err := changes.follow(s); err != nil {
		return err
	}
	g, err := s.StartGateway(gateway.Options{Config: store, Log: slog.New(slog.NewJSONHandler(logged, nil))})
	if err != nil {
		return err
	}
	base = g.URL
	s.AtEnd(func() error {
		client.CloseIdleConnections()
		return nil
	})
	return nil
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
