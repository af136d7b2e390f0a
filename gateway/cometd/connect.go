package cometd

import (
	"slices"
	"time"
)

// over is why a held connect no longer waits.
type over int

const (
	overNone      over = iota
	overReady          // a message came
	overTimeout        // nothing came in time, or the process stops
	overTaken          // another connect of the session came
	overEnded          // the session has ended
	overAbandoned      // the client has gone
)

// connect is what a client asks for with /meta/connect.
type connect struct {
	// ack is the last batch that the client has; -1 if it does not say.
	ack      int64
	timeout  time.Duration
	interval time.Duration
	// isAdvised is set if the client gave an advice of its own: then the reply repeats ours.
	isAdvised bool
}

// parseConnect reads the fields of a connect within the server's bounds.
func (o *Options) parseConnect(m *incoming) connect {
	c := connect{ack: -1, timeout: o.Timeout}
	if ack, ok := m.object("ext").number("ack"); ok {
		c.ack = max(ack, 0)
	}
	advice := m.object("advice")
	c.isAdvised = advice != nil
	if timeout, ok := advice.number("timeout"); ok && timeout >= 0 {
		c.timeout = min(duration(timeout), o.Timeout)
	}
	if interval, ok := advice.number("interval"); ok && interval > 0 {
		c.interval = min(duration(interval), longestInterval)
	}
	return c
}

// duration returns milliseconds as a duration, and a day for more than that.
func duration(milliseconds int64) time.Duration {
	return time.Duration(min(milliseconds, 24*time.Hour.Milliseconds())) * time.Millisecond
}

// held is a connect that waits for its reply.
type held struct {
	session *Session
	// started is the reply as far as it repeats the message, which may be large and is not kept.
	started *reply
	connect connect
	// socket is where the reply goes; nil for an HTTP request, which waits for over itself.
	socket *socket
	over   chan over
	timer  *time.Timer // of a connect on a socket
	// repeats is set if the reply has messages that were sent before and are not acknowledged.
	repeats bool
}

// end wakes whoever sends the reply. It is called once, by whoever detached h from its session.
func (h *held) end(why over) {
	if h.socket != nil {
		h.socket.settle(h, why)
		return
	}
	h.over <- why
}

// nudgeLocked takes the held connect out of its wait if there are messages for it. Its reply is due once
// the lock of the session is free.
func (s *Session) nudgeLocked() *held {
	if s.held == nil || s.paused > 0 {
		return nil
	}
	if !s.isReadyLocked() && !(s.held.repeats && len(s.queue.messages) > 0 && !s.isBusyLocked()) {
		return nil
	}
	return s.detachLocked()
}

// ready ends the wait of a connect, if there is one, because of messages.
func (h *held) ready() {
	if h != nil {
		h.end(overReady)
	}
}

// isReadyLocked reports whether there are messages that a reply could carry now.
func (s *Session) isReadyLocked() bool {
	if s.acks {
		return s.queue.unsent() > 0 && !s.isBusyLocked()
	}
	return s.queue.unsent() > 0 && s.queue.sent == 0
}

// hold notes a connect, and ends one that is held already. It reports whether the new one is held; if
// not, its reply is due now.
func (s *Session) hold(h *held, mayHold bool) (isHeld, ok bool) {
	s.mutex.Lock()
	if s.isEnded {
		s.mutex.Unlock()
		return false, false
	}
	before := s.detachLocked()
	s.unsure = time.Time{}
	isReady := s.isReadyLocked()
	if s.acks && h.connect.ack >= 0 {
		if size := s.queue.acknowledge(h.connect.ack); size > 0 {
			s.server.queued.Add(-int64(size))
			s.repeated = 0
		}
		h.repeats = len(s.queue.messages) > 0
		isReady = h.repeats && !s.isBusyLocked()
	}
	s.interval = h.connect.interval
	// A request that is being answered sends what it causes first; then this connect has the rest.
	isReady = isReady && s.paused == 0
	isHeld = mayHold && !isReady && h.connect.timeout > 0
	if isHeld {
		s.holdLocked(h)
	} else {
		s.postponeLocked()
	}
	s.mutex.Unlock()
	if before != nil {
		before.end(overTaken)
	}
	return isHeld, true
}

func (s *Session) holdLocked(h *held) {
	s.held = h
	s.expiry.Stop()
	if h.socket == nil {
		h.over = make(chan over, 1)
		return
	}
	h.timer = time.AfterFunc(h.connect.timeout, func() {
		if s.detach(h) {
			h.end(overTimeout)
		}
	})
}

// detach ends the wait of a connect, and reports false if something else has ended it.
func (s *Session) detach(h *held) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.held == h && s.detachLocked() != nil
}

func (s *Session) detachLocked() *held {
	h := s.held
	if h == nil {
		return nil
	}
	s.held = nil
	if h.timer != nil {
		h.timer.Stop()
	}
	s.postponeLocked()
	return h
}

// abandon ends the wait of a connect on a socket that no longer is.
func (s *Session) abandon(on *socket) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.held != nil && s.held.socket == on {
		s.detachLocked()
	}
	s.sockets = slices.DeleteFunc(s.sockets, func(c *socket) bool { return c == on })
}

// reply returns the reply to a connect.
func (h *held) reply(why over) *reply {
	r, s := h.started, h.session
	if why == overEnded {
		if s.why == EndDisconnect {
			return r.succeed().advise(adviceNone, 0)
		}
		return sessionUnknown(r)
	}
	r.succeed().connect = s
	if h.connect.isAdvised {
		r.raw("advice", s.server.options.advice(h.connect.interval))
	}
	return r
}
