package delivery

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// errBroken is the error of a request whose connection broke and that is not repeated.
var errBroken = errors.New("connection broken before the response came")

// transmission is one request on its way to its receiver. net/http sends some requests
// again by itself when a kept connection turns out to be closed: without counting them,
// past the call's rate, and once for every connection it keeps. Here each attempt is
// sent once. The one exception is a connection of HTTP/2 that the server ends, which says
// that it has not processed the request: an idempotent one is sent again, once, on another.
type transmission struct {
	idempotent bool
	stop       context.CancelCauseFunc

	mu       sync.Mutex // net/http writes in goroutines of its own
	conn     *countedConn
	from     int64 // what had been written to conn before
	last     any   // the connection
	wrote    bool  // headers were written, of HTTP/2 to the connection
	repeated bool
}

// transmit sends a request and reports whether any of it has left the process.
func transmit(transport http.RoundTripper, req *http.Request, idempotent bool) (_ *http.Response, sent bool, _ error) {
	ctx, stop := context.WithCancelCause(req.Context()) // ends with the attempt's own context
	t := &transmission{idempotent: idempotent, stop: stop}
	trace := &httptrace.ClientTrace{GotConn: t.gotConn, WroteHeaders: t.wroteHeaders}
	resp, err := transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil && errors.Is(context.Cause(ctx), errBroken) {
		err = errBroken
	}
	return resp, t.sent(), err
}

// gotConn is called for each connection that the request is to be written to, before it is.
func (t *transmission) gotConn(info httptrace.GotConnInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	below := counted(info.Conn)
	if t.hasLeft() {
		if t.conn != nil || below != nil || t.repeated || !t.idempotent || t.last == any(info.Conn) {
			t.stop(errBroken)
			if below != nil {
				info.Conn.Close() // net/http may write before it looks at the context
			}
			return
		}
		t.repeated = true
	}
	t.conn, t.last = below, info.Conn
	if below != nil {
		t.from = below.written.Load()
	}
}

func (t *transmission) wroteHeaders() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrote = true
}

// sent reports whether any of the request has left the process.
func (t *transmission) sent() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hasLeft()
}

// hasLeft is sent, under the lock. HTTP/1 buffers a header after it says that it is
// written; what counts there is what the connection was given.
func (t *transmission) hasLeft() bool {
	if t.conn != nil {
		return t.conn.written.Load() > t.from
	}
	return t.wrote
}
