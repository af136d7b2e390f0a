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
			if c.flush() != nil {
				c.giveUp()
				return
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

// flush writes all that waits, and returns an error if the WebSocket is over.
func (c *socket) flush() error {
	for {
		c.mu.Lock()
		frames, over := c.queue, c.over
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
				return errOver
			}
			if err := c.send(frame); err != nil {
				return err
			}
		}
		switch {
		case over != nil:
			c.stop(over.code, over.reason)
			return errOver
		case len(frames) == 0:
			return nil
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
	if c.conn.Ping(ctx) != nil {
		c.giveUp()
	}
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
