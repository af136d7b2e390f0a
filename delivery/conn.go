package delivery

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"segue/contract"
)

// countedConn is a connection that counts the bytes written to it: what a request that
// failed has left there decides whether the receiver may have it.
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

// counted is the connection below one of HTTP/1; nil below one of HTTP/2, which many
// requests share.
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

// withDeadline is context.WithTimeout. net/http separates dials from the deadline of
// the request that they are made for, but not from its values: there the dialer finds it.
func withDeadline(timeout time.Duration) (context.Context, context.CancelFunc) {
	until := time.Now().Add(timeout)
	ctx := context.WithValue(context.Background(), deadlineKey{}, until)
	return context.WithDeadline(ctx, until)
}

// dialGrace is how long after its attempt a dial ends: the attempt's own deadline
// is what its outcome names.
const dialGrace = 50 * time.Millisecond

// withAttemptDeadline bounds a dial, with all that belongs to it, by the time of the
// attempt that it is made for.
func withAttemptDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if until, ok := ctx.Value(deadlineKey{}).(time.Time); ok {
		return context.WithDeadline(ctx, until.Add(dialGrace))
	}
	return context.WithTimeout(ctx, contract.UsualTimeout)
}
