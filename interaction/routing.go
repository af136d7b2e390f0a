package interaction

import (
	"slices"
	"time"
)

// How an interaction finds its agent: queues, offers and workbins.

func placeInQueue(s *step) error {
	s.requeue(s.cmd.Body.(PlaceInQueue).Queue)
	return nil
}

// waitsIn reports whether the interaction waits for an agent in the queue already:
// to place it there again changes nothing, so that it keeps its place.
func (r *record) waitsIn(queue string) bool {
	b := r.processLeg()
	return r.State == StateQueued && b != nil && b.Queue == queue && b.Segment == SegmentAgentSelecting
}

// requeue is a person's or the platform's placing it in a queue; a person's is an
// internal transfer (ECS: "from an agent or supervisor").
func (s *step) requeue(queue string) {
	if s.waitsIn(queue) {
		return
	}
	if by := s.cmd.By; by != nil && (by.Role == RoleAgent || by.Role == RoleSupervisor) {
		s.passOn(Target{Queue: queue})
	}
	s.queue(queue, dequeuedRequeued, nil)
}

// queue puts the interaction into a queue; only the leg that is kept stays open.
func (s *step) queue(queue, reason string, kept *leg) {
	s.leaveAll(s.agentLegs(but(kept)))
	s.disown()
	s.dequeue(reason, nil)
	s.joinQueue(queue)
	s.Parties, s.Workbin = nil, nil
	s.Excluded, s.Attempt, s.Misses, s.QueuedAt = nil, 0, 0, s.now
	s.EnqueuedAt = s.Clock
	s.awaitAgent()
}

// joinQueue gives the interaction the business process leg of a queue: the first
// queue joins the leg that start opened, another one ends it.
func (s *step) joinQueue(queue string) {
	b := s.processLeg()
	if b != nil && b.Queue != "" && b.Queue != queue {
		s.enter(b, SegmentInteractionEnds)
		b = nil
	}
	s.Queue = queue
	if b == nil {
		s.enter(s.open(LegBusinessProcess, "", queue), SegmentInteractionStarts)
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
	return s.offer(body, segment)
}

// offer rings at agents. Earlier offers are withdrawn, and whoever had it leaves.
func (s *step) offer(body Offer, segment Segment) error {
	s.leaveAll(s.agentLegs(present))
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

// sole is the one agent of a list; nil when it has several.
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
	if s.State == StateOffered && s.first(of(agent.ID), s.offered) == nil {
		return refusal("it was not offered to " + agent.ID)
	}
	return s.take(*agent)
}

// take gives the interaction to an agent, who begins to work; after a preview
// the customer is dialed first.
func (s *step) take(agent Agent) error {
	l, err := s.claim(agent)
	if err != nil {
		return err
	}
	if l.Segment == SegmentPreview {
		s.enter(s.channelLeg(), SegmentDialing)
		s.State = StateDialing
		return nil
	}
	s.handle(l)
	return nil
}

// claim makes an agent the owner, out of an offer or by a pull; everybody else leaves.
func (s *step) claim(agent Agent) (*leg, error) {
	l := s.first(of(agent.ID), present)
	s.leaveAll(s.agentLegs(present, but(l)))
	s.dequeue(dequeuedAccepted, &agent)
	l, err := s.joining(agent)
	if err != nil {
		return nil, err
	}
	s.own(agent.ID)
	s.Workbin, s.Parties = nil, nil
	s.Excluded, s.Attempt, s.Misses, s.QueuedAt = nil, 0, 0, time.Time{}
	return l, nil
}

// handle lets the owner begin to work.
func (s *step) handle(l *leg) {
	s.enter(l, SegmentHandling)
	s.enter(s.processLeg(), SegmentHandling)
	s.enter(s.channelLeg(), SegmentHandling)
	s.connect(l)
	s.resume()
}

// resume is the state in which one agent, or nobody, handles the interaction.
func (s *step) resume() {
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
	l := s.first(of(agent.ID), s.offered)
	if l == nil {
		return refusal("it was not offered to " + agent.ID)
	}
	s.refuse(l, SegmentRejected)
	if body.Final {
		return s.finish(OutcomeRejected)
	}
	s.backFromOffer()
	return nil
}

// refuse ends an offer that the agent did not take.
func (s *step) refuse(l *leg, segment Segment) {
	s.enter(l, segment)
	s.exclude(l.Agent)
	s.leave(l)
}

func (s *step) exclude(agent string) {
	if slices.Contains(s.Excluded, agent) {
		return
	}
	excluded := append(slices.Clone(s.Excluded), agent)
	s.Excluded = excluded[max(0, len(excluded)-maxExcluded):]
}

// backFromOffer goes where an offer that nobody took came from, once no other is open.
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
	return s.miss(s.agentLegs(s.offered), timer)
}

// miss ends offers that nobody answered; a queue overflows when that happens too often.
func (s *step) miss(legs []*leg, timer Timer) error {
	for _, l := range legs {
		s.refuse(l, SegmentMissed)
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

// overflow passes to another queue, or gives up. What never had a queue cannot
// overflow: it was missed.
func (s *step) overflow(queue string) error {
	had := s.processLeg() != nil
	s.enter(s.processLeg(), SegmentOverflow)
	switch {
	case queue != "":
		s.queue(queue, dequeuedOverflow, nil)
		return nil
	case had:
		return s.finish(OutcomeOverflowed)
	}
	return s.finish(OutcomeMissed)
}

func placeInWorkbin(s *step) error {
	body := s.cmd.Body.(PlaceInWorkbin)
	s.leaveAll(s.agentLegs())
	s.disown()
	s.Parties = nil
	s.State, s.Workbin = StateInWorkbin, body.Workbin
	return nil
}
