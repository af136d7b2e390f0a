package desktop

import (
	"context"
	"slices"
	"time"

	"segue/bus"
	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/desktop/view"
	"segue/gateway/index"
)

const (
	// keptFor is how long the channels of a session are kept that its client did not end.
	keptFor = 15 * time.Minute
	// maxSeats bounds the agents who have a session or had one lately.
	maxSeats = 40_000
	// maxPast bounds the interactions of an agent that are over.
	maxPast = 1000
)

// agent is an agent of a contact center.
type agent struct{ contactCenter, id string }

// seat is what this replica knows of an agent's desktop. It outlives a session that breaks.
type seat struct {
	agent   agent
	desktop *view.Desktop
	// session is nil while there is none, since idleSince.
	session   *session
	idleSince time.Time
	// from is the position of the stream at which the desktop began: earlier changes are in it.
	from bus.Position
	// repeats are those of the last session.
	repeats *repeats
	// replaced are the WebSockets of earlier sessions that are being closed.
	replaced []*socket
	// past are interactions that are over for the agent.
	past map[string]past
	// inFlight counts the requests that are being answered, and idle is closed when there are none; nil while nobody waits.
	inFlight int
	idle     chan struct{}
}

// past is the last change of an interaction that is over for an agent.
type past struct {
	run      string
	revision int64
	at       time.Time
}

// session is one agent's session on one WebSocket.
type session struct {
	id     string
	seat   *seat
	socket *socket
	caller *auth.Caller
	// watched ends when the credential no longer counts.
	watched context.Context
	release func()
	repeats *repeats
	// opened is when the session was opened. forget ends that other replicas can ask for it; nil while they cannot.
	opened time.Time
	forget func()
	// announced is when other replicas were last notified of the session.
	announced time.Time
	// uncount takes the session out of those that are counted; release does that, too.
	uncount func()
}

// send sends events to the session of a seat, if there is one.
func (a *seat) send(events []view.Event) {
	if a.session == nil {
		return
	}
	for n := range events {
		a.session.socket.put(encodeEvent(a.session.id, &events[n]))
	}
}

// sessionOf returns the session that an agent has now; nil for none.
func (s *Server) sessionOf(of agent) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.seats[of]; one != nil {
		return one.session
	}
	return nil
}

// attach makes a session the agent's, and sends it all that the agent has. It reports false, and does
// nothing, if the agent has a session and override is not set.
func (s *Server) attach(n *session, of agent, override bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.seats[of]
	if one == nil {
		s.makeRoom()
		one = &seat{agent: of, desktop: view.New(of.id, s.offerOf(of.contactCenter).Dispositions), past: map[string]past{}}
		s.seats[of] = one
	}
	if former := one.session; former != nil {
		if !override {
			return false
		}
		one.replace(former)
	}
	one.from = s.options.Index.End()
	s.settle(one, s.options.Index.OfAgent(of.contactCenter, of.id))
	n.seat, one.session = one, n
	one.repeats = one.repeats.next()
	n.repeats = one.repeats
	events := one.desktop.Replay()
	frames := make([][]byte, len(events))
	for i := range events {
		frames[i] = encodeEvent(n.id, &events[i])
	}
	n.socket.replay(frames)
	return true
}

// maxReplaced bounds the WebSockets of one agent that are being closed. Beyond it the oldest is cut off.
const maxReplaced = 10

// replace ends a session for another one of the agent. It no longer counts: its client may close the WebSocket late.
func (a *seat) replace(former *session) {
	former.socket.end(closeReplaced, "another session has replaced this one")
	former.uncount()
	a.session = nil
	if len(a.replaced) >= maxReplaced {
		a.replaced[0].giveUp()
		a.replaced = a.replaced[1:]
	}
	a.replaced = append(a.replaced, former.socket)
}

// settle makes the interactions of a seat without a session those that the agent has now.
func (s *Server) settle(one *seat, entries []*index.Entry) {
	open := map[string]bool{}
	for _, e := range entries {
		open[e.State.ID] = true
		s.apply(one, unseen(e.State, e.CapabilitiesFor), e.State.RunID, e.State.Revision)
	}
	for _, id := range one.desktop.Interactions() {
		if !open[id] {
			s.finish(one, id)
		}
	}
}

// detach ends a session. forget forgets the channels, too: the client has ended the session itself.
func (s *Server) detach(n *session, forget bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.forget != nil {
		n.forget()
	}
	if n.seat.session != n {
		n.seat.replaced = slices.DeleteFunc(n.seat.replaced, func(c *socket) bool { return c == n.socket })
		return
	}
	n.seat.session, n.seat.idleSince = nil, time.Now()
	if forget {
		s.forget(n.seat)
	}
}

// begin counts a request that is being answered, until end. It reports false if the session is not the agent's.
func (s *Server) begin(n *session) (end func(), isCurrent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.seat.session != n {
		return nil, false
	}
	n.seat.inFlight++
	return func() { s.end(n.seat) }, true
}

func (s *Server) end(one *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.inFlight--
	if one.inFlight == 0 && one.idle != nil {
		close(one.idle)
		one.idle = nil
	}
}

// evict ends the session that an agent has, and waits for the request that it may be in the middle of. What that does
// is in the replay of the next session: a client that was cut off before the answer can rely on it, and does not
// dial twice.
func (s *Server) evict(ctx context.Context, of agent) {
	select {
	case <-s.replaceSession(of):
	case <-ctx.Done(): // the outcome is open
	}
}

// replaceSession ends the session that an agent has. The channel is closed when no request of it is being answered.
func (s *Server) replaceSession(of agent) (idle <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.seats[of]
	if one == nil {
		return closed
	}
	if one.session != nil {
		one.replace(one.session)
		one.idleSince = time.Now()
	}
	if one.inFlight == 0 {
		return closed
	}
	if one.idle == nil {
		one.idle = make(chan struct{})
	}
	return one.idle
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

func (s *Server) forget(one *seat) {
	for _, id := range one.desktop.Interactions() {
		s.unshow(one, client.Name{ContactCenter: one.agent.contactCenter, ID: id})
	}
	if s.seats[one.agent] == one {
		delete(s.seats, one.agent)
	}
}

// makeRoom forgets a seat without a session if there are too many. Those with one are bounded by streams.
func (s *Server) makeRoom() {
	if len(s.seats) < maxSeats {
		return
	}
	for _, one := range s.seats {
		if one.session == nil {
			s.forget(one)
			return
		}
	}
}

// forgetOld forgets the seats whose session broke long ago.
func (s *Server) forgetOld(now time.Time) {
	for _, one := range s.seats {
		if one.session == nil && now.Sub(one.idleSince) > keptFor {
			s.forget(one)
			continue
		}
		for id, p := range one.past {
			if now.Sub(p.at) > keptFor {
				delete(one.past, id)
			}
		}
	}
}
