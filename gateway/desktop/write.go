package desktop

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"

	"segue/gateway/stopping"
)

// write writes until the WebSocket ends.
func (c *socket) write(ctx context.Context) {
	ping := time.NewTicker(c.server.options.Ping)
	defer ping.Stop()
	unused := time.NewTicker(c.server.options.Prepare / 4)
	defer unused.Stop()
	var pings sync.WaitGroup
	defer pings.Wait()
	stop := stopping.Done(c.request.Context())
	for {
		select {
		case <-c.changed:
			written, err := c.flush()
			if err != nil {
				c.giveUp()
				return
			}
			if c.unconfirmed(written) != nil && !c.isConfirming.Swap(true) {
				pings.Go(func() { c.confirm(ctx, written) })
			}
		case <-c.credential():
			if !c.hasExpired() {
				continue // a logout has ended the session
			}
			c.stop(websocket.StatusPolicyViolation, endedCredential)
			return
		case <-ping.C:
			pings.Go(c.ping)
		case <-unused.C:
			if c.isUnused() {
				c.stop(websocket.StatusPolicyViolation, "no session")
				return
			}
		case <-stop:
			c.stop(websocket.StatusGoingAway, "the server stops")
			return
		case <-c.server.closing:
			c.stop(websocket.StatusGoingAway, "the server stops")
			return
		case <-ctx.Done():
			return
		}
	}
}

// endedCredential is why a WebSocket is closed.
const endedCredential = "the credential has ended"

var errOver = errors.New("the WebSocket is closed")

// flush writes all that waits, and returns how many answers the client was sent so far. It returns an error if the
// WebSocket is over.
func (c *socket) flush() (answers int, err error) {
	for {
		c.mu.Lock()
		frames, over := c.queue, c.over
		answers = c.answers
		c.queue = nil
		if len(frames)+len(c.held) == 0 {
			c.extra, c.extraBytes = 0, 0
		}
		for _, frame := range frames {
			c.bytes -= len(frame)
		}
		c.mu.Unlock()
		for _, frame := range frames {
			if c.hasExpired() { // the client may read slowly
				c.stop(websocket.StatusPolicyViolation, endedCredential)
				return answers, errOver
			}
			if err := c.send(frame); err != nil {
				return answers, err
			}
		}
		switch {
		case over != nil:
			c.stop(over.code, over.reason)
			return answers, errOver
		case len(frames) == 0:
			return answers, nil
		}
	}
}

// send writes a frame, within a bound.
func (c *socket) send(frame []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.request.Context()), c.server.options.Write)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, frame)
}

// ping ends the WebSocket if the client does not answer.
func (c *socket) ping() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.request.Context()), pongWithin)
	defer cancel()
	c.owed.Add(1)
	if c.conn.Ping(ctx) != nil {
		c.giveUp()
	}
}

// confirmEvery is how often a client is pinged to find out which answers it has.
const confirmEvery = 250 * time.Millisecond

// confirm finds out by a ping whether the answers that were written have reached the client: its pong comes after
// them. One that does not read has time.
func (c *socket) confirm(ctx context.Context, written int) {
	c.owed.Add(1)
	if c.conn.Ping(ctx) == nil {
		if r := c.unconfirmed(written); r != nil {
			r.reached(written)
		}
		_ = pause(ctx, confirmEvery) // the context has ended, or not
	}
	c.isConfirming.Store(false)
	c.signal() // answers may have been written meanwhile
}

// unconfirmed returns the repeats of the session if the client may not know an answer up to a number; nil else.
func (c *socket) unconfirmed(answer int) *repeats {
	c.mu.Lock()
	r := c.repeats
	c.mu.Unlock()
	if r == nil || !r.isOpen(answer) {
		return nil
	}
	return r
}

// stop ends the WebSocket with a code. The client has a bounded time to agree.
func (c *socket) stop(code websocket.StatusCode, reason string) {
	timer := time.AfterFunc(closeWithin, c.giveUp)
	defer timer.Stop()
	_ = c.conn.Close(code, reason) // whether the client agrees does not matter
	c.giveUp()
}

// credential is closed when the credential of the session has ended; nil without a session.
func (c *socket) credential() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watched == nil {
		return nil
	}
	return c.watched.Done()
}

func (c *socket) hasExpired() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.watched != nil && c.watched.Err() != nil
}

func (c *socket) isUnused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.watched == nil && time.Since(c.sessionless) >= c.server.options.Prepare
}
