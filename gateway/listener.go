package gateway

import (
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// MaxConnections bounds the connections of one process: streams, and those of other clients.
const MaxConnections = 25_000

// bounded is a listener that closes connections beyond a number at once: one that waited to be
// accepted would keep the clients behind it waiting, too.
type bounded struct {
	net.Listener
	most    int64
	open    *atomic.Int64
	refused func()
}

func newBounded(l net.Listener, most int, log *slog.Logger, count func()) *bounded {
	seldom := rate.Sometimes{First: 1, Interval: time.Minute}
	return &bounded{Listener: l, most: int64(most), open: &atomic.Int64{}, refused: func() {
		count()
		seldom.Do(func() { log.Warn("connections are refused: too many are open", "most", most) })
	}}
}

// Accept returns the next connection within the bound.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if b.open.Add(1) <= b.most {
			return &countedConn{Conn: conn, open: b.open}, nil
		}
		b.open.Add(-1)
		b.refused()
		_ = conn.Close() // nothing was read or written
	}
}

// countedConn counts itself as closed once.
type countedConn struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

// Close closes the connection.
func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
