package desktop

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// put has a frame written after those before it.
func (c *socket) put(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over != nil {
		return
	}
	if c.isAnswering {
		c.held = append(c.held, frame)
	} else {
		c.queue = append(c.queue, frame)
	}
	c.grew(len(frame))
}

// replay has the frames of a replay written, however many they are: an agent has what the agent has.
func (c *socket) replay(frames [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = append(c.held, frames...)
	c.extra += len(frames)
	for _, frame := range frames {
		c.extraBytes += len(frame)
		c.bytes += len(frame)
	}
}

// answer has the answer to a request written, and then the events that came meanwhile.
func (c *socket) answer(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isAnswering = false
	c.answers++
	if c.over != nil {
		return
	}
	c.queue = append(append(c.queue, frame), c.held...)
	c.held = nil
	c.grew(len(frame))
}

// nextAnswer returns the number of the answer to the request that is being answered.
func (c *socket) nextAnswer() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers + 1
}

// grew ends the session of a client that does not read.
func (c *socket) grew(bytes int) {
	c.bytes += bytes
	if len(c.queue)+len(c.held) > maxQueued+c.extra || c.bytes > maxQueuedBytes+c.extraBytes {
		c.over = &closing{closeBehind, "the client reads too slowly; connect again"}
		c.queue, c.held = nil, nil
	}
	c.signal()
}

// end closes the WebSocket once what waits is written.
func (c *socket) end(code websocket.StatusCode, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over == nil {
		c.over = &closing{code, reason}
	}
	c.signal()
}

func (c *socket) signal() {
	select {
	case c.changed <- struct{}{}:
	default: // the writer is about to look
	}
}

// waitForRoom waits while a client sends requests and does not read the answers.
func (c *socket) waitForRoom(ctx context.Context) error {
	for {
		c.mu.Lock()
		isFull := len(c.queue) > maxQueued/2+c.extra && c.over == nil
		c.mu.Unlock()
		if !isFull {
			return ctx.Err()
		}
		if err := pause(ctx, roomEvery); err != nil {
			return err
		}
	}
}

const roomEvery = 10 * time.Millisecond
