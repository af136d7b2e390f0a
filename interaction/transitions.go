package interaction

import "time"

// The macros of lifecycle.md: what several commands have in common, in its order.

// term is TERM: an agent who was connected is not any more; once.
func (s *step) term(l *leg) {
	if !l.Connected || l.Termed {
		return
	}
	l.Termed = true
	s.termed(l.Agent)
	s.about(s.moments().agentTerm, s.agent(l.Agent))
	if l.Transferred {
		s.about(s.moments().transferTerm, s.agent(l.Agent))
	}
}

// leave is LEAVE: the agent's leg ends.
func (s *step) leave(l *leg) {
	s.term(l)
	l.Held = false
	s.enter(l, SegmentInteractionEnds)
}

func (s *step) leaveAll(legs []*leg) {
	for _, l := range legs {
		s.leave(l)
	}
}

// wrapUp ends the agent's contact, not the agent's leg.
func (s *step) wrapUp(l *leg) {
	s.term(l)
	l.Held = false
	s.enter(l, SegmentWrapUp)
}

// connect is an agent's first contact with the customer. A draft has nobody to
// be in contact with, but its agent takes part all the same.
func (s *step) connect(l *leg) {
	s.tookPart(l.Agent)
	if l.Connected || s.Draft {
		return
	}
	l.Connected = true
	s.reached()
	s.connected(l.Agent)
	s.about(s.moments().agentConnect, s.agent(l.Agent))
}

// reached notes the customer's first contact with somebody.
func (s *step) reached() {
	if s.ConnectedAt.IsZero() {
		s.ConnectedAt = s.Clock
	}
}

// connected begins an agent's time with the customer, termed ends it.
func (s *step) connected(agent string) {
	s.remember(agent, func(k *known) { k.Session = &Session{ConnectedAt: s.Clock} })
}

func (s *step) termed(agent string) {
	s.remember(agent, func(k *known) {
		if k.Session != nil {
			k.Session = &Session{k.Session.ConnectedAt, s.Clock}
		}
	})
}

// hangUp is HANGUP: the customer leaves; once. segment is handled, abandoned or none.
func (s *step) hangUp(segment Segment) {
	if s.HungUp {
		return
	}
	s.HungUp, s.DisconnectedAt = true, s.Clock
	if segment != "" {
		l := s.processLeg()
		if l == nil {
			l = s.channelLeg()
		}
		s.enter(l, segment)
	}
	s.enter(s.channelLeg(), SegmentInteractionEnds)
	if s.SentAway {
		s.fire(s.moments().transferTerm)
	}
	s.fire(s.moments().end)
}

// Why an interaction was dequeued, beside the outcomes.
const (
	dequeuedOffered  = "offered"
	dequeuedAccepted = "accepted"
	dequeuedOverflow = "overflowed"
	dequeuedRequeued = "requeued"
)

// dequeue is DEQ: the business process stops waiting for an agent; to says which
// one it got, nil for none or for several. The event has the times of its own
// queue: another one may follow in the same turn.
func (s *step) dequeue(reason string, to *Agent) {
	if !s.Waiting {
		return
	}
	s.Waiting, s.DequeuedAt = false, s.Clock
	if to != nil {
		s.meet(*to)
		to = s.agent(to.ID)
	}
	m := s.moments()
	toAgent := reason == dequeuedOffered || reason == dequeuedAccepted
	if m.dequeue != "" && (toAgent || !m.toAgentOnly) {
		s.add(Event{Moment: m.dequeue, Reason: reason, Agent: to, Fields: s.fieldsWith(map[string]any{
			"reason": reason, "enqueued_at": stamp(s.EnqueuedAt), "dequeued_at": stamp(s.DequeuedAt),
		})})
	}
}

// stamp is a time as a field has it: RFC 3339 in UTC.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// awaitAgent is Q: the business process waits for an agent.
func (s *step) awaitAgent() {
	s.State = StateQueued
	s.enter(s.processLeg(), SegmentAgentSelecting)
	if !s.Waiting {
		s.DequeuedAt = time.Time{}
	}
	s.Waiting = true
	if when := s.moments().queued; when != "" && !s.Announced {
		s.Announced = true
		s.fire(when)
	}
	s.needAgent()
}

// needAgent asks the platform for an agent who has not refused yet.
func (s *step) needAgent() {
	s.Attempt++
	excluded := make([]any, len(s.Excluded))
	for n, id := range s.Excluded {
		excluded[n] = id
	}
	s.add(Event{Moment: MomentAgentNeeded, Fields: s.fieldsWith(map[string]any{
		"queue": s.Queue, "excluded": excluded, "attempt": float64(s.Attempt),
	})})
}

// ending is the segment that an outcome leaves behind, if any.
var ending = map[Outcome]Segment{OutcomeHandled: SegmentHandled, OutcomeAbandoned: SegmentAbandoned}

// finish is FINISH: every leg ends and the end triggers fire. The owner stays on
// record: whoever is called at the end wants to know who had it.
func (s *step) finish(outcome Outcome) error {
	return s.finishWith(outcome, nil, nil)
}

func (s *step) finishWith(outcome Outcome, given *Disposition, by *Agent) error {
	s.dequeue(string(outcome), nil)
	s.leaveAll(s.agentLegs())
	s.hangUp(ending[outcome])
	if given != nil {
		if err := s.dispose(*given, by); err != nil {
			return err
		}
	}
	s.enter(s.processLeg(), SegmentInteractionEnds)
	s.Parties = nil
	s.State, s.Outcome = StateCompleted, outcome
	ended := s.Clock
	s.EndedAt, s.EndedBy = &ended, s.cmd.inWords()
	s.fire(MomentInteractionEnds)
	return nil
}

// handledOrSent is how an interaction ends that was completed.
func (r *record) handledOrSent() Outcome {
	if r.Draft {
		return OutcomeSent
	}
	return OutcomeHandled
}
