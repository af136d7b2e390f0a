package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"segue/bus"
	"segue/gateway"
	"segue/worker/local"
)

// Gateway is a running gateway.
type Gateway struct {
	URL string
	// Address is where it listens.
	Address string
	// Stop ends the gateway; again, it returns the same. The end of the stack calls it, too.
	Stop func() error
}

// Serve writes the configuration's file, and starts a worker and a gateway with it.
func (s *Stack) Serve(yaml string) (*Gateway, error) {
	store, err := s.Configure(yaml)
	if err != nil {
		return nil, err
	}
	if _, err := s.StartWorker(local.WorkerOptions{Config: store, Bus: s.Bus.Conn}); err != nil {
		return nil, err
	}
	return s.StartGateway(gateway.Options{Config: store})
}

// StartGateway starts a gateway with a connection of its own to the bus, and waits until it is ready. The options need a
// configuration alone: the client is that of the stack, the log is discarded, and the listener is on a free port if
// nothing else is set.
func (s *Stack) StartGateway(o gateway.Options) (*Gateway, error) {
	conn, err := bus.Connect(bus.Options{Server: s.Bus.Server, Creates: true, MaxBytes: s.options.BusBytes, Log: quiet})
	if err != nil {
		return nil, err
	}
	if o.Listener == nil {
		if o.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			conn.Close()
			return nil, err
		}
	}
	if o.Log == nil {
		o.Log = quiet
	}
	o.Client, o.Namespace, o.Bus = s.Client, s.Settings.Namespace, conn
	g, err := gateway.New(o)
	if err != nil {
		conn.Close()
		return nil, errors.Join(err, o.Listener.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	started := &Gateway{URL: gateway.URL(o.Config.Current().Gateway, o.Listener), Address: o.Listener.Addr().String()}
	started.Stop = sync.OnceValue(func() error {
		cancel()
		defer conn.Close()
		return <-ended
	})
	s.AtEnd(started.Stop)
	return started, started.awaitReady(g)
}

// awaitReady waits until the gateway takes requests and lacks nothing.
func (started *Gateway) awaitReady(g *gateway.Gateway) error {
	for begun := time.Now(); ; time.Sleep(pollEvery) {
		health := g.Health()
		switch {
		case health.Ready && len(health.Degraded) == 0:
			return nil
		case time.Since(begun) > patience:
			return fmt.Errorf("the gateway is not ready: %+v: %w", health, started.Stop())
		}
	}
}
