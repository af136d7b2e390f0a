package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"segue/bus"
	"segue/config"
	"segue/connect"
	"segue/embedded"
	"segue/gateway"
	"segue/worker/local"
	"segue/workflows/notices"
)

const (
	// startWithin bounds the start of Temporal, which may have to be built first.
	startWithin = 5 * time.Minute
	patience    = time.Minute
	pollEvery   = 20 * time.Millisecond
	// busBytes is less than gateways keep by default: tests have little to tell.
	busBytes = 64 << 20
)

var quiet = slog.New(slog.DiscardHandler)

// Options configure a stack. The zero value suits most tests.
type Options struct {
	// Settings say how Temporal is reached; without an address, an embedded one is started.
	Settings connect.Settings
	// WithoutBus leaves out the bus, so that workers tell nobody of changes, and no gateway can be started.
	WithoutBus bool
	// BusBytes bounds the bus; 0 is 64 MiB.
	BusBytes int64
	// Notices returns what workers tell changes to, which passes them on to the bus; nil for the bus itself.
	Notices func(to *bus.Publisher) notices.Sink
}

// Stack is a running Temporal with its client, and what has been started on it. StartWorker is that of local.Segue.
type Stack struct {
	*local.Segue
	// Bus is what gateways share; nil if there is none.
	Bus *gateway.Bus
	// File is the configuration's file, once Configure has written it.
	File string

	options Options
	mu      sync.Mutex
	ends    []func() error
}

// Main runs the tests of a package on a stack, and ends the process. It is for TestMain: prepare starts what the tests
// share.
func Main(m *testing.M, o Options, prepare func(*Stack) error) {
	code, err := run(m, o, prepare)
	if err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M, o Options, prepare func(*Stack) error) (code int, err error) {
	s, err := Start(o)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	if err := prepare(s); err != nil {
		return 1, err
	}
	code = m.Run()
	http.DefaultClient.CloseIdleConnections() // a gateway that stops waits for them
	return code, nil
}

// Start starts a stack, for a test that needs one of its own. If it fails, it stops what it has started.
func Start(o Options) (*Stack, error) {
	s := &Stack{options: o}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Stack) start() (err error) {
	directory, err := os.MkdirTemp("", "segue-stack-")
	if err != nil {
		return err
	}
	s.AtEnd(func() error { return os.RemoveAll(directory) })
	s.File = filepath.Join(directory, "segue.yaml")
	var told notices.Sink
	if !s.options.WithoutBus {
		if told, err = s.startBus(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	s.Segue, err = local.Start(ctx, local.Options{
		Settings: s.options.Settings, Server: embedded.Options{UIPort: embedded.NoUI}, Log: quiet, Notices: told,
	})
	if err != nil {
		return err
	}
	s.AtEnd(s.Segue.Stop)
	return nil
}

// startBus returns what workers tell changes to.
func (s *Stack) startBus() (notices.Sink, error) {
	if s.options.BusBytes == 0 {
		s.options.BusBytes = busBytes
	}
	var err error
	if s.Bus, err = gateway.OpenBus(config.Bus{MaxBytes: s.options.BusBytes}, true, quiet); err != nil {
		return nil, err
	}
	s.AtEnd(func() error {
		s.Bus.Close()
		return nil
	})
	publisher := bus.NewPublisher(s.Bus.Conn)
	s.AtEnd(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return publisher.Close(ctx)
	})
	if s.options.Notices != nil {
		return s.options.Notices(publisher), nil
	}
	return publisher, nil
}

// AtEnd has something ended by Stop, before what was started earlier.
func (s *Stack) AtEnd(end func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = append(s.ends, end)
}

// StartReceiver starts an HTTP server, to which workers send or whose pages browsers read, and returns its URL.
func (s *Stack) StartReceiver(handler http.Handler) (url string) {
	server := httptest.NewServer(handler)
	s.AtEnd(func() error {
		server.Close()
		return nil
	})
	return server.URL
}

// Stop ends all that was started, the latest first, and returns the errors of all.
func (s *Stack) Stop() error {
	s.mu.Lock()
	ends := s.ends
	s.ends = nil
	s.mu.Unlock()
	var errs []error
	for _, end := range slices.Backward(ends) {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}
