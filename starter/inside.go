package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"segue/bus"
	"segue/client"
	"segue/config"
	"segue/connect"
	"segue/embedded"
	"segue/gateway"
	"segue/metrics/export"
)

// inside is the gateway of dev and demo, with the bus of the process.
type inside struct {
	listener  net.Listener
	bus       *gateway.Bus
	publisher *bus.Publisher
	url       string

	cancel context.CancelFunc
	done   chan struct{} // closed when the gateway has ended; err is set by then
	err    error
}

// openInside opens the socket and the bus of a gateway. Nothing is served before begin.
func openInside(set *config.Set, log *slog.Logger) (*inside, error) {
	listener, err := listenFor(set.Gateway.Address)
	if err != nil {
		return nil, err
	}
	g := &inside{listener: listener, url: gateway.URL(set.Gateway, listener)}
	if g.bus, err = gateway.OpenBus(set.Bus, true, log); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	g.publisher = bus.NewPublisher(g.bus.Conn)
	return g, nil
}

// listenFor listens where dev and demo serve the gateway. The error about a port in use names the flag.
func listenFor(address string) (net.Listener, error) {
	listener, err := gateway.Listen(address)
	if err == nil {
		return listener, nil
	}
	host, text, split := net.SplitHostPort(address)
	if port, convert := strconv.Atoi(text); split == nil && convert == nil && host == "127.0.0.1" && errors.Is(err, gateway.ErrInUse) {
		return nil, &embedded.PortInUseError{Port: port, Flag: "--http-port"}
	}
	return nil, err
}

// begin serves until end. reloads is true without a worker, which reloads the configuration otherwise.
func (g *inside) begin(store *config.Store, c *client.Client, settings connect.Settings, exporter *export.Exporter, reloads bool, log *slog.Logger) error {
	served, err := gateway.New(gateway.Options{
		Config: store, Client: c, Namespace: settings.Namespace, Bus: g.bus.Conn, Listener: g.listener, Log: log, Metrics: exporter, Reloads: reloads, Allow: ownMachine,
	})
	if err != nil {
		return err
	}
	// Not the context of the start: end stops the gateway before the client and Temporal.
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel, g.done = cancel, make(chan struct{})
	go func() {
		defer close(g.done)
		g.err = served.Run(ctx)
	}()
	g.await(served)
	return nil
}

// ownMachine is what calls of dev and demo may always reach.
var ownMachine = []string{"127.0.0.0/8", "::1"}

// readyWithin bounds the wait for the gateway to be ready: without a worker, it may not be.
const readyWithin = 5 * time.Second

// await waits until the gateway is ready, so that the addresses that dev prints can be used at once.
func (g *inside) await(served *gateway.Gateway) {
	limit, tick := time.NewTimer(readyWithin), time.NewTicker(10*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for !served.Health().Ready {
		select {
		case <-g.done:
			return
		case <-limit.C:
			return
		case <-tick.C:
		}
	}
}

// end stops the gateway, and returns when its last request has ended.
func (g *inside) end() error {
	if g.cancel == nil {
		return ignoreClosed(g.listener.Close())
	}
	g.cancel()
	<-g.done
	return g.err
}

// publishWithin bounds the wait for the bus to take the last notices.
const publishWithin = 2 * time.Second

// close closes the bus. The workers have ended.
func (g *inside) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, publishWithin)
	defer cancel()
	err := g.publisher.Close(ctx)
	g.bus.Close()
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Wait returns nil when the context ends, and an error when a part of the stack ends by itself.
func (s *stack) Wait(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var gatewayEnded error
	stop := make(chan struct{})
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-s.gateway.done:
			gatewayEnded = errors.Join(errors.New("the gateway ended"), s.gateway.err)
			cancel(gatewayEnded)
		case <-stop:
		}
	}()
	err := s.segue.Wait(ctx)
	close(stop)
	<-watching
	if err == nil {
		err = gatewayEnded
	}
	return err
}

// Stop stops the gateway, the workers and Temporal, in this order, then the bus.
func (s *stack) Stop() error {
	err := s.gateway.end()
	if err != nil {
		err = fmt.Errorf("the gateway: %w", err)
	}
	return errors.Join(err, s.segue.Stop(), s.gateway.close(context.Background()))
}
