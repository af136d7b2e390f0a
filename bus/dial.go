package bus

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

const minBackoff, maxBackoff = 100 * time.Millisecond, 5 * time.Second

// backoff returns how long to wait after this many attempts in a row, with jitter.
func backoff(attempts int) time.Duration {
	wait := maxBackoff
	if attempts < 7 {
		wait = min(maxBackoff, minBackoff<<max(attempts-1, 0))
	}
	return wait/2 + rand.N(wait/2+1)
}

// dialer dials for the client and remembers its sockets, so that Close can end a handshake that the
// client waits for under its lock.
type dialer struct {
	ctx   context.Context
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func newDialer(ctx context.Context) *dialer {
	return &dialer{ctx: ctx, conns: map[net.Conn]struct{}{}}
}

// Dial connects; it ends with the connection that it belongs to.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.ctx, connectTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ctx.Err(); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("dial the bus: %w", err)
	}
	tracked := &trackedConn{Conn: conn, dialer: d}
	d.conns[tracked] = struct{}{}
	return tracked, nil
}

func (d *dialer) closeAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for conn := range d.conns {
		_ = conn.(*trackedConn).Conn.Close()
	}
	clear(d.conns)
}

type trackedConn struct {
	net.Conn
	dialer *dialer
}

func (c *trackedConn) Close() error {
	c.dialer.mu.Lock()
	delete(c.dialer.conns, c)
	c.dialer.mu.Unlock()
	return c.Conn.Close()
}
