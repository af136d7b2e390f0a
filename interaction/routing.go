package interaction

import (
	"slices"
	"time"
)

// How an interaction gets to an agent: queues, offers and workbins.

func placeInQueue(s *step) error {
	s.requeue(s.cmd.Body.(PlaceInQueue).Queue)
	return nil
}

// waitsIn reports whether the interaction already waits for an agent in the queue. To place
// it there again changes nothing: it keeps its place.
func (r *record) waitsIn(queue string) bool {
	b := r.processLeg()
	return r.State == StateQueued && b != nil && b.Queue == queue && b.Segment == SegmentAgentSelecting
}

// requeue places the interaction in a queue for a person or the platform. For a person it
// is an internal transfer (ECS: "from an agent or supervisor").
func (s *step) requeue(queue string) {
	if s.waitsIn(queue) {
		return
	}
	if by := s.cmd.By; by != nil && (by.Role == RoleAgent || by.Role == RoleSupervisor) {
		s.fireInternalTransfer(Target{Queue: queue})
	}
	s.enqueue(queue, dequeuedRequeued, nil)
}

// enqueue places the interaction in a queue; of the agent legs, only kept stays open.
func (s *step) enqueue(queue, reason string, kept *leg) {
	s.endLegs(s.agentLegs(except(kept)))
	s.disown()
	s.dequeue(reason, nil)
	s.joinQueue(queue)
	s.Parties, s.Workbin = nil, nil
	s.Excluded, s.Attempt, s.Misses, s.QueuedAt = nil, 0, 0, s.now
	s.EnqueuedAt = s.Clock
	s.awaitAgent()
}

// joinQueue gives the interaction the business process leg of a queue. The first queue
// takes the leg that start opened; another queue ends that leg and opens its own.
func (s *step) joinQueue(queue string) {
	b := s.processLeg()
	if b != nil && b.Queue != "" && b.Queue != queue {
		s.enter(b, SegmentInteractionEnds)
		b = nil
	}
	s.Queue = queue
	if b == nil {
		s.enter(s.openLeg(LegBusinessProcess, "", queue), SegmentInteractionStarts)
		return
	}
	b.Queue = queue
}

func offer(s *step) error {
	body := s.cmd.Body.(Offer)
	segment := SegmentOffered
	if body.Preview {
		segment = SegmentPreview
	}
	return s.offerTo(body, segment)
}

// offerTo offers the interaction to agents. Earlier offers are withdrawn, and the legs of other agents end.
func (s *step) offerTo(body Offer, segment Segment) error {
	s.endLegs(s.agentLegs(present))
	s.disown()
	s.dequeue(dequeuedOffered, sole(body.Agents))
	for _, agent := range body.Agents {
		l, err := s.assign(agent)
		if err != nil {
			return err
		}
		s.enter(l, segment)
	}
	s.enter(s.processLeg(), SegmentOffered)
	s.enter(s.channelLeg(), SegmentOffered)
	s.State, s.Parties = StateOffered, nil
	s.OfferTimeout, s.Since = body.Timeout, s.now
	return nil
}

// sole returns the agent of a list of one; nil for other lists.
func sole(agents []Agent) *Agent {
	if len(agents) != 1 {
		return nil
	}
	return &agents[0]
}

func accept(s *step) error {
	agent, err := s.required(s.cmd.Body.(Accept).Agent)
	if err != nil {
		return err
	}
	if s.State == StateOffered && s.first(ofAgent(agent.ID), s.offered) == nil {
		return notThisAgent("the interaction is not offered to " + agent.ID)
	}
	return s.giveTo(*agent)
}

// giveTo gives the interaction to an agent, who begins to work; after a preview
// the customer is dialed first.
func (s *step) giveTo(agent Agent) error {
	l, err := s.claim(agent)
	if err != nil {
		return err
	}
	if l.Segment == SegmentPreview {
		s.enter(s.channelLeg(), SegmentDialing)
		s.State = StateDialing
		return nil
	}
	s.beginHandling(l)
	return nil
}

// claim makes an agent the owner, from an offer or by a pull; the legs of all others end.
func (s *step) claim(agent Agent) (*leg, error) {
	l := s.first(ofAgent(agent.ID), present)
	s.endLegs(s.agentLegs(present, except(l)))
	s.dequeue(dequeuedAccepted, &agent)
	l, err := s.presentLeg(agent)
	if err != nil {
		return nil, err
	}
	s.own(agent.ID)
	s.Workbin, s.Parties = nil, nil
	s.Excluded, s.Attempt, s.Misses, s.QueuedAt = nil, 0, 0, time.Time{}
	return l, nil
}

// beginHandling makes the owner begin to work.
func (s *step) beginHandling(l *leg) {
	s.enter(l, SegmentHandling)
	s.enter(s.processLeg(), SegmentHandling)
	s.enter(s.channelLeg(), SegmentHandling)
	s.connectAgent(l)
	s.enterHandling()
}

// enterHandling sets the state in which one agent, or nobody, handles the interaction.
func (s *step) enterHandling() {
	s.State = StateHandling
	if s.Draft {
		s.State = StateComposing
	}
}

func reject(s *step) error {
	body := s.cmd.Body.(Reject)
	agent, err := s.required(body.Agent)
	if err != nil {
		return err
	}
	l := s.first(ofAgent(agent.ID), s.offered)
	if l == nil {
		return notThisAgent("the interaction is not offered to " + agent.ID)
	}
	s.declineOffer(l, SegmentRejected)
	if body.Final {
		return s.finish(OutcomeRejected)
	}
	s.backFromOffer()
	return nil
}

// declineOffer ends an offer that the agent did not accept.
func (s *step) declineOffer(l *leg, segment Segment) {
	s.enter(l, segment)
	s.exclude(l.Agent)
	s.endLeg(l)
}

func (s *step) exclude(agent string) {
	if slices.Contains(s.Excluded, agent) {
		return
	}
	excluded := append(slices.Clone(s.Excluded), agent)
	s.Excluded = excluded[max(0, len(excluded)-maxExcluded):]
}

// backFromOffer returns the interaction to where it was before the offer, once no offer is open.
func (s *step) backFromOffer() {
	switch {
	case s.State != StateOffered || s.first(s.offered) != nil:
	case s.Queue != "":
		s.joinQueue(s.Queue)
		s.Workbin = nil
		if s.QueuedAt.IsZero() {
			s.QueuedAt, s.EnqueuedAt = s.now, s.Clock
		}
		s.awaitAgent()
	case s.Workbin != nil:
		s.State = StateInWorkbin
		s.needAgent()
	default:
		s.State = StateStarted
		s.needAgent()
	}
}

func offerTimeout(s *step) error {
	timer := s.cmd.Body.(Timer)
	return s.missOffers(s.agentLegs(s.offered), timer)
}

// missOffers ends offers that nobody answered; the queue overflows after too many of them.
func (s *step) missOffers(legs []*leg, timer Timer) error {
	for _, l := range legs {
		s.declineOffer(l, SegmentMissed)
	}
	if s.State != StateOffered || s.first(s.offered) != nil {
		return nil
	}
	s.Misses++
	if timer.MaxMisses > 0 && s.Misses >= timer.MaxMisses {
		return s.overflow(timer.Overflow)
	}
	s.backFromOffer()
	return nil
}

func queueTimeout(s *step) error {
	return s.overflow(s.cmd.Body.(Timer).Overflow)
}

// overflow places the interaction in another queue, or ends it if there is none. An
// interaction that never had a queue cannot overflow: it ends as missed.
func (s *step) overflow(queue string) error {
	had := s.processLeg() != nil
	s.enter(s.processLeg(), SegmentOverflow)
	switch {
	case queue != "":
		s.enqueue(queue, dequeuedOverflow, nil)
		return nil
	case had:
		return s.finish(OutcomeOverflowed)
	}
	return s.finish(OutcomeMissed)
}

func placeInWorkbin(s *step) error {
	body := s.cmd.Body.(PlaceInWorkbin)
	s.endLegs(s.agentLegs())
	s.disown()
	s.Parties = nil
	s.State, s.Workbin = StateInWorkbin, body.Workbin
	return nil
}
