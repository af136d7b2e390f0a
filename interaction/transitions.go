package interaction

import "time"

// Transitions that several commands share.

// endContact ends an agent's contact with the customer, once: it fires agent_term.
func (s *step) endContact(l *leg) {
	if !l.Connected || l.Termed {
		return
	}
	l.Termed = true
	s.endSession(l.Agent)
	s.fireFor(s.moments().agentTerm, s.agent(l.Agent))
	if l.Transferred {
		s.fireFor(s.moments().transferTerm, s.agent(l.Agent))
	}
}

// endLeg ends an agent's leg.
func (s *step) endLeg(l *leg) {
	s.endContact(l)
	l.Held = false
	s.enter(l, SegmentInteractionEnds)
}

func (s *step) endLegs(legs []*leg) {
	for _, l := range legs {
		s.endLeg(l)
	}
}

// wrapUp ends an agent's contact with the customer, not the leg: the agent wraps up.
func (s *step) wrapUp(l *leg) {
	s.endContact(l)
	l.Held = false
	s.enter(l, SegmentWrapUp)
}

// connectAgent notes an agent's first contact with the customer. A draft has no
// customer to be in contact with, but its agent takes part, too.
func (s *step) connectAgent(l *leg) {
	s.tookPart(l.Agent)
	if l.Connected || s.Draft {
		return
	}
	l.Connected = true
	s.noteFirstContact()
	s.beginSession(l.Agent)
	s.fireFor(s.moments().agentConnect, s.agent(l.Agent))
}

// noteFirstContact notes the customer's first contact with anybody.
func (s *step) noteFirstContact() {
	if s.ConnectedAt.IsZero() {
		s.ConnectedAt = s.Clock
	}
}

// beginSession begins an agent's time with the customer; endSession ends it.
func (s *step) beginSession(agent string) {
	s.updateAgent(agent, func(k *known) { k.Session = &Session{ConnectedAt: s.Clock} })
}

func (s *step) endSession(agent string) {
	s.updateAgent(agent, func(k *known) {
		if k.Session != nil {
			k.Session = &Session{k.Session.ConnectedAt, s.Clock}
		}
	})
}

// hangUp notes that the customer leaves, once. segment is handled, abandoned or none.
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
	if s.TransferredOut {
		s.fire(s.moments().transferTerm)
	}
	s.fire(s.moments().end)
}

// The reasons of a dequeue, besides the outcomes.
const (
	dequeuedOffered  = "offered"
	dequeuedAccepted = "accepted"
	dequeuedOverflow = "overflowed"
	dequeuedRequeued = "requeued"
)

// dequeue ends the wait of the business process for an agent. to is the agent it got; nil
// for none or for several. The event has the times of this queue: another queue may follow
// in the same turn.
func (s *step) dequeue(reason string, to *Agent) {
	if !s.Waiting {
		return
	}
	s.Waiting, s.DequeuedAt = false, s.Clock
	if to != nil {
		s.rememberAgent(*to)
		to = s.agent(to.ID)
	}
	m := s.moments()
	toAgent := reason == dequeuedOffered || reason == dequeuedAccepted
	if m.dequeue != "" && (toAgent || !m.toAgentOnly) {
		s.addEvent(Event{Moment: m.dequeue, Reason: reason, Agent: to, Fields: s.fieldsWith(map[string]any{
			"reason": reason, "enqueued_at": stamp(s.EnqueuedAt), "dequeued_at": stamp(s.DequeuedAt),
		})})
	}
}

// stamp formats a time for a field: RFC 3339 in UTC.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// awaitAgent makes the business process wait for an agent.
func (s *step) awaitAgent() {
	s.State = StateQueued
	s.enter(s.processLeg(), SegmentAgentSelecting)
	if !s.Waiting {
		s.DequeuedAt = time.Time{}
	}
	s.Waiting = true
	if moment := s.moments().queued; moment != "" && !s.Announced {
		s.Announced = true
		s.fire(moment)
	}
	s.needAgent()
}

// needAgent asks the platform for an agent who has not refused the interaction.
func (s *step) needAgent() {
	s.Attempt++
	excluded := make([]any, len(s.Excluded))
	for n, id := range s.Excluded {
		excluded[n] = id
	}
	s.addEvent(Event{Moment: MomentAgentNeeded, Fields: s.fieldsWith(map[string]any{
		"queue": s.Queue, "excluded": excluded, "attempt": float64(s.Attempt),
	})})
}

// ending is the last segment of an interaction, by outcome; none for other outcomes.
var ending = map[Outcome]Segment{OutcomeHandled: SegmentHandled, OutcomeAbandoned: SegmentAbandoned}

// finish ends every leg and fires the end triggers. The owner stays recorded: receivers of
// the end triggers want to know who had the interaction.
func (s *step) finish(outcome Outcome) error {
	return s.finishWith(outcome, nil, nil)
}

func (s *step) finishWith(outcome Outcome, given *Disposition, by *Agent) error {
	s.dequeue(string(outcome), nil)
	s.endLegs(s.agentLegs())
	s.hangUp(ending[outcome])
	if given != nil {
		if err := s.recordDisposition(*given, by); err != nil {
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

// handledOrSent returns the outcome of an interaction that is completed.
func (r *record) handledOrSent() Outcome {
	if r.Draft {
		return OutcomeSent
	}
	return OutcomeHandled
}
