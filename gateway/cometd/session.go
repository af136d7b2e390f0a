package cometd

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// Session is one client. It is safe for concurrent use.
type Session struct {
	server  *Server
	id      string
	peer    *Peer
	browser string
	// acks is set if the client acknowledges messages. They are sent with replies to connects alone.
	acks bool
	// forgetPeer ends the watch of the peer's context.
	forgetPeer func() bool

	mutex         sync.Mutex
	subscriptions subscriptions
	queue         queue
	// held is the connect that waits for its reply; nil if none does.
	held *held
	// paused counts requests that are being answered: what they cause goes with or after their replies.
	paused int
	// writing is how many replies with messages are being written to a client that acknowledges.
	writing int
	// repeated is how many bytes were sent again since the client acknowledged something.
	repeated int
	// sockets are the WebSockets that use the session, the oldest first.
	sockets []*socket
	// interval is how much later than usual the client sends its next connect.
	interval time.Duration
	expiry   *time.Timer
	expires  time.Time
	isEnded  bool
	why      End
	// unsure is when the first message was delivered that was written since the client's last connect,
	// without acknowledgment; zero if none was. lacked is what LacksSince returns once the session has ended.
	unsure, lacked time.Time
}

// ID is the clientId, a secret between the client and the server.
func (s *Session) ID() string { return s.id }

// Peer is whom the session belongs to.
func (s *Session) Peer() *Peer { return s.peer }

// Handshake is the handshake that opened the session: its Browser alone, which the server made if the
// request had none. What else it had may be secret, and the peer's Value has what the application
// wants of it.
func (s *Session) Handshake() *Handshake { return &Handshake{Browser: s.browser} }

// Wants reports whether any subscription of the session matches a channel.
func (s *Session) Wants(channel string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, wants := s.subscriptions.match(strings.TrimSuffix(channel, "/"))
	return wants && !s.isEnded
}

// Deliver queues a message, if any subscription matches its channel; once, however many do. Messages
// arrive in the order of the calls. data is JSON and is not copied: it must not change. Deliver waits
// for no client, and calls nothing of Options.
func (s *Session) Deliver(channel string, data json.RawMessage) {
	s.deliver(channel, data, false)
}

// DeliverMissed is Deliver for what a session gets at once because an earlier one has missed it. However
// much that is, it does not end the session: the next one would get it again, and end in turn.
func (s *Session) DeliverMissed(channel string, data json.RawMessage) {
	s.deliver(channel, data, true)
}

func (s *Session) deliver(channel string, data json.RawMessage, isMissed bool) {
	s.mutex.Lock()
	name, wants := s.subscriptions.match(strings.TrimSuffix(channel, "/"))
	if !wants || s.isEnded {
		s.mutex.Unlock()
		return
	}
	s.server.delivered.Add(1)
	all := s.server.queued.Add(int64(s.queue.add(message{channel: name, data: data, at: time.Now(), isMissed: isMissed})))
	isOver := s.queue.isOver() && s.endLocked(EndOverrun)
	ready := s.nudgeLocked()
	s.mutex.Unlock()
	ready.ready()
	if isOver {
		s.server.background(s.finish)
	} else if all > maxAllBytes {
		s.server.endLargest()
	}
}

// LacksSince returns when the first message was delivered that the client may not have; the present, or when
// the session ended, if there is none. A client that does not acknowledge messages has those before its last
// connect.
func (s *Session) LacksSince() time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.isEnded {
		return s.lacked
	}
	return s.lacksSinceLocked()
}

func (s *Session) lacksSinceLocked() time.Time {
	switch {
	case !s.unsure.IsZero():
		return s.unsure
	case len(s.queue.messages) > 0:
		return s.queue.messages[0].at
	}
	return time.Now()
}

// wish is a subscription that a client asks for, or no longer wants.
type wish struct {
	subscription string
	form         form
}

// subscribe adds subscriptions, all or none, and returns those that are new.
func (s *Session) subscribe(wishes []wish) (isNew []string, ok bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, w := range wishes {
		if s.subscriptions[w.subscription] == 0 && !slices.Contains(isNew, w.subscription) {
			isNew = append(isNew, w.subscription)
		}
	}
	if s.isEnded || len(s.subscriptions)+len(isNew) > maxSubscriptions {
		return nil, false
	}
	for _, w := range wishes {
		s.subscriptions[w.subscription] |= w.form
	}
	return isNew, true
}

// unsubscribe removes subscriptions, and what waits because of them.
func (s *Session) unsubscribe(wishes []wish) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, w := range wishes {
		rest := s.subscriptions[w.subscription] &^ w.form
		if rest == 0 {
			delete(s.subscriptions, w.subscription)
		} else {
			s.subscriptions[w.subscription] = rest
		}
	}
	s.keepLocked()
}

// keepLocked removes what waits and is no longer subscribed to, but what is being written.
func (s *Session) keepLocked() {
	from := s.queue.sent
	if s.acks {
		from = 0
	}
	s.server.queued.Add(-int64(s.queue.keep(from, func(channel string) bool {
		_, wants := s.subscriptions.match(strings.TrimSuffix(channel, "/"))
		return wants
	})))
}

// take returns what a reply carries to a session without acknowledgment.
func (s *Session) take() []message {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.queue.take()
}

// takeForConnect returns what the reply to a connect carries, and its number if the client
// acknowledges. While too many replies are being written it is nothing, and has no number.
func (s *Session) takeForConnect() (messages []message, batch int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.acks {
		return s.queue.take(), 0
	}
	if s.isBusyLocked() {
		return nil, 0
	}
	s.repeated += s.queue.sentBytes()
	if s.repeated > maxRepeatedBytes && s.endLocked(EndOverrun) {
		s.server.background(s.finish)
		return nil, 0
	}
	if messages = s.queue.takeBatch(); len(messages) > 0 {
		s.writing++
	}
	return messages, s.queue.batch
}

// isBusyLocked reports whether a client that acknowledges is sent so many replies at once that the next
// one waits: each has all that is not acknowledged, and the client may read none of them.
func (s *Session) isBusyLocked() bool { return s.writing >= maxWriting }

// wrote ends the write of messages. Those without acknowledgment are delivered, or wait again.
func (s *Session) wrote(ok bool) {
	s.mutex.Lock()
	if s.acks {
		s.writing--
	} else {
		if ok && s.unsure.IsZero() && s.queue.sent > 0 {
			s.unsure = s.queue.messages[0].at
		}
		s.server.queued.Add(-int64(s.queue.wrote(ok)))
		if !ok {
			s.keepLocked() // the client may have unsubscribed meanwhile
		}
	}
	ready := s.nudgeLocked()
	s.mutex.Unlock()
	ready.ready()
}

// pause makes what is delivered wait until resume: what a request causes comes not before its reply.
func (s *Session) pause() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.paused++
}

func (s *Session) resume() {
	s.mutex.Lock()
	s.paused--
	ready := s.nudgeLocked()
	s.mutex.Unlock()
	ready.ready()
}

// end ends the session, once.
func (s *Session) end(why End) {
	s.mutex.Lock()
	ended := s.endLocked(why)
	s.mutex.Unlock()
	if ended {
		s.finish()
	}
}

// endLocked makes the session as good as gone; finish does the rest, without the lock. It reports
// false if it has ended before.
func (s *Session) endLocked(why End) bool {
	if s.isEnded {
		return false
	}
	s.lacked = s.lacksSinceLocked()
	s.isEnded, s.why = true, why
	s.expiry.Stop()
	s.server.queued.Add(-int64(s.queue.bytes))
	s.queue = queue{batch: s.queue.batch}
	s.subscriptions = nil
	return true
}

// finish answers the held connect of a session that has ended, forgets the session and tells the
// application.
func (s *Session) finish() {
	s.forgetPeer()
	s.server.forget(s)
	s.mutex.Lock()
	h := s.detachLocked()
	s.mutex.Unlock()
	if h != nil {
		h.end(overEnded)
	}
	s.server.options.Closed(s, s.why)
}

// start adds the session to the server and watches its time and the peer's credential. It reports false
// if the server does not take it.
func (s *Session) start() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.server.add(s) {
		return false
	}
	s.expiry = time.AfterFunc(s.server.options.MaxInterval, s.server.unlessClosed(s.expire))
	s.postponeLocked()
	s.forgetPeer = context.AfterFunc(s.peer.Context, s.server.unlessClosed(func() { s.end(EndCredential) }))
	return true
}

// expire ends the session if no connect came in time.
func (s *Session) expire() {
	s.mutex.Lock()
	left := time.Until(s.expires)
	if s.isEnded || s.held != nil || left > 0 {
		if !s.isEnded && s.held == nil {
			s.expiry.Reset(left)
		}
		s.mutex.Unlock()
		return
	}
	s.endLocked(EndExpired)
	s.mutex.Unlock()
	s.finish()
}

// postponeLocked starts the time in which the next connect must come.
func (s *Session) postponeLocked() {
	if !s.isEnded {
		wait := s.server.options.MaxInterval + s.interval
		s.expires = time.Now().Add(wait)
		s.expiry.Reset(wait)
	}
}

// join notes that a WebSocket uses the session. It returns one too many, the oldest, which is to end: a
// client has one, and after a broken network some that nobody has noticed yet.
func (s *Session) join(c *socket) (oldest *socket) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.sockets = append(s.sockets, c); len(s.sockets) > maxSockets {
		oldest = s.sockets[0]
		s.sockets = slices.Delete(s.sockets, 0, 1)
	}
	return oldest
}

func (s *Session) hasEnded() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.isEnded
}
