package desktop

import (
	"context"
	"time"

	"segue/bus"
)

// isElsewhere reports whether another replica has a session of an agent; with override, it ends that one, and waits for
// the request that it may be in the middle of. While the bus is away, nobody knows.
func (s *Server) isElsewhere(ctx context.Context, of agent, override bool) bool {
	if s.options.Sessions == nil {
		return false
	}
	note := bus.SessionNote{Replica: s.replica, Override: override}
	if s.sessionOf(of) != nil { // it hears its own notes, too
		s.unheard(s.options.Sessions.Tell(of.contactCenter, of.id, note))
		return false
	}
	reply, err := s.options.Sessions.Ask(ctx, of.contactCenter, of.id, note)
	for has := reply.Has; ; {
		s.unheard(err)
		// As in evict, what that replica is doing is to be in the replay.
		if err != nil || !override || !reply.Busy || pause(ctx, busyEvery) != nil {
			return has
		}
		reply, err = s.options.Sessions.Ask(ctx, of.contactCenter, of.id, bus.SessionNote{Replica: s.replica})
	}
}

// busyEvery is how often a replica is asked whether it still answers a request of the session that it had.
const busyEvery = 50 * time.Millisecond

func (s *Server) unheard(err error) {
	if err != nil {
		s.log.Debug("Other replicas are not notified of a session of a desktop", "error", err)
	}
}

// announce notifies other replicas of a session. If one has opened a session at the same time, the later one stays.
func (s *Server) announce(ctx context.Context, n *session) {
	if s.options.Sessions == nil {
		return
	}
	of := n.seat.agent
	// The request may have waited for one before it until its own time was over.
	forget, err := s.options.Sessions.Open(context.WithoutCancel(ctx), of.contactCenter, of.id)
	if err != nil {
		s.unheard(err) // announceAll tries again
		return
	}
	s.mu.Lock()
	isOpen := n.seat.session == n && n.forget == nil
	if isOpen {
		n.forget = forget
	}
	s.mu.Unlock()
	if !isOpen {
		forget()
		return
	}
	s.tell(n)
}

// tell notifies other replicas of a session that they can ask for.
func (s *Server) tell(n *session) {
	of, now := n.seat.agent, time.Now()
	if err := s.options.Sessions.Tell(of.contactCenter, of.id, bus.SessionNote{Replica: s.replica, Opened: n.opened}); err != nil {
		s.unheard(err) // announceAll tries again
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n.announced = now
}

// announceAll announces the sessions that were opened while the bus was away, and again those that were open then:
// another replica may have opened one meanwhile.
func (s *Server) announceAll(ctx context.Context) {
	if s.options.Sessions == nil {
		return
	}
	since := s.options.Sessions.Since()
	var unheard, outdated []*session
	s.mu.Lock()
	for _, one := range s.seats {
		switch n := one.session; {
		case n == nil:
		case n.forget == nil:
			unheard = append(unheard, n)
		case since.After(n.announced):
			outdated = append(outdated, n)
		}
	}
	s.mu.Unlock()
	for _, n := range unheard {
		s.announce(ctx, n)
	}
	for _, n := range outdated {
		s.tell(n)
	}
}

// hear answers the note of another replica about an agent with what this one had.
func (s *Server) hear(contactCenter, id string, note bus.SessionNote) bus.SessionReply {
	s.mu.Lock()
	one := s.seats[agent{contactCenter, id}]
	if one == nil || one.session == nil {
		isBusy := one != nil && one.inFlight > 0
		s.mu.Unlock()
		return bus.SessionReply{Busy: isBusy}
	}
	n, isBusy := one.session, one.inFlight > 0
	isEarlier := note.Opened.After(n.opened) || note.Opened.Equal(n.opened) && note.Replica > s.replica
	ends := note.Override || !note.Opened.IsZero() && isEarlier
	if ends {
		one.replace(n)
		one.idleSince = time.Now()
	}
	s.mu.Unlock()
	if !ends && !note.Opened.IsZero() { // that one is to end: it may not have heard of this one
		s.unheard(s.options.Sessions.Tell(contactCenter, id, bus.SessionNote{Replica: s.replica, Opened: n.opened}))
	}
	return bus.SessionReply{Has: true, Busy: isBusy}
}

// followSessions hears notes of other replicas until the context ends.
func (s *Server) followSessions(ctx context.Context) error {
	if s.options.Sessions == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.options.Sessions.Run(ctx, s.replica, s.hear)
}
