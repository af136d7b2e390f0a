package delivery

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"segue/contract"
)

// countedConn is a connection that counts the bytes written to it: they decide whether the
// receiver may have a request that failed.
type countedConn struct {
	net.Conn
	written atomic.Int64
}

// Write counts before it writes, so that nothing leaves uncounted.
func (c *countedConn) Write(p []byte) (int, error) {
	c.written.Add(int64(len(p)))
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n - len(p)))
	return n, err
}

// counted returns the countedConn below a connection of HTTP/1, or nil for one of HTTP/2,
// which many requests share.
func counted(c net.Conn) *countedConn {
	if secured, ok := c.(*tls.Conn); ok {
		if secured.ConnectionState().NegotiatedProtocol == "h2" {
			return nil
		}
		c = secured.NetConn()
	}
	below, _ := c.(*countedConn)
	return below
}

// deadlineKey is the key of an attempt's deadline among the values of its context.
type deadlineKey struct{}

// withDeadline is context.WithTimeout, with the deadline also among the values. net/http
// dials with the values of the request's context, but not with its deadline.
func withDeadline(timeout time.Duration) (context.Context, context.CancelFunc) {
	deadline := time.Now().Add(timeout)
	ctx := context.WithValue(context.Background(), deadlineKey{}, deadline)
	return context.WithDeadline(ctx, deadline)
}

// dialGrace is how long after its attempt a dial ends, so that the outcome names the
// attempt's own deadline.
const dialGrace = 50 * time.Millisecond

// withAttemptDeadline bounds a dial, with the handshakes that belong to it, by the deadline
// of the attempt for which it is made.
func withAttemptDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Value(deadlineKey{}).(time.Time); ok {
		return context.WithDeadline(ctx, deadline.Add(dialGrace))
	}
	return context.WithTimeout(ctx, contract.UsualTimeout)
}
