package bayeux_test

import (
	"context"
	"net"
	"sync"
)

// network is a listener in memory. A test that uses it can run in a bubble of synctest, where the clock is fake.
type network struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newNetwork() *network {
	return &network{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.conns:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

func (n *network) Addr() net.Addr { return address("memory") }

// dial connects to the server.
func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.conns <- server:
		return client, nil
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// cut returns a dial function for connections that break after so many bytes of what the server sends. As over TCP, the
// server does not notice which of the bytes that it wrote arrived.
func (n *network) cut(running *sync.WaitGroup, after func() int) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, kind, address string) (net.Conn, error) {
		server, err := n.dial(ctx, kind, address)
		if err != nil {
			return nil, err
		}
		client, inner := net.Pipe()
		limit := after()
		running.Go(func() { passAtMost(inner, server, limit) })
		running.Go(func() { passAtMost(server, inner, -1) })
		return client, nil
	}
}

// passAtMost passes on what comes until it ends or the limit is reached, then it breaks both connections. A negative limit
// is none.
func passAtMost(to, from net.Conn, limit int) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 256<<10)
	for {
		n, err := from.Read(buffer)
		if limit >= 0 {
			n = min(n, limit)
			limit -= n
		}
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil || limit == 0 {
			return
		}
	}
}

type address string

func (a address) Network() string { return string(a) }
func (a address) String() string  { return string(a) }
