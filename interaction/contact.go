package interaction

// Contact with the customer: dialing, connecting, hanging up, ending.

func dial(s *step) error {
	body := s.cmd.Body.(Dial)
	if body.Destination != "" {
		s.Destination = body.Destination
	}
	return s.dialFor(s.acting(body.Agent))
}

// dialFor dials the customer for an agent or, predictively, without one.
func (s *step) dialFor(agent *Agent) error {
	if agent != nil && s.Owner != "" && s.Owner != agent.ID {
		return notThisAgent(s.Owner + " has the interaction")
	}
	if agent != nil {
		s.rememberAgent(*agent)
		if s.first(ofAgent(agent.ID), present) == nil {
			if _, err := s.assign(*agent); err != nil {
				return err
			}
		}
		s.own(agent.ID)
	}
	s.enter(s.channelLeg(), SegmentDialing)
	s.State = StateDialing
	return nil
}

func connect(s *step) error {
	owner := s.ownerLeg()
	switch {
	case owner != nil:
		s.beginHandling(owner)
	case s.Channel.agentless():
		s.enter(s.channelLeg(), SegmentHandling)
		s.State = StateHandling
		s.noteFirstContact()
	default:
		// Predictive: the customer is connected, and an agent is needed.
		s.enter(s.channelLeg(), SegmentHandling)
		s.State = StateStarted
	}
	s.fire(s.moments().connect)
	return nil
}

// hungUpIn is the outcome, by state, if the customer leaves while no agent is there.
var hungUpIn = map[State]Outcome{
	StateHandling: OutcomeHandled, StateConsulting: OutcomeHandled, StateConference: OutcomeHandled,
	StateDialing: OutcomeNotReached, StateEngaging: OutcomeNotEngaged,
}

func disconnect(s *step) error {
	switch s.State {
	case StateWrapUp:
		return nil // already gone
	case StateHandling, StateConsulting, StateConference, StateComposing:
		if s.ownerLeg() != nil {
			s.disconnectAgents()
			return nil
		}
	}
	if outcome, special := hungUpIn[s.State]; special {
		return s.finish(outcome)
	}
	return s.finish(OutcomeAbandoned)
}

// disconnectAgents makes the owner and all who were in contact with the customer wrap up;
// the legs of the others end.
func (s *step) disconnectAgents() {
	worked := func(l *leg) bool { return working(l) || l.Agent == s.Owner }
	for _, l := range s.agentLegs(present, worked) {
		s.wrapUp(l)
	}
	s.endLegs(s.agentLegs(present))
	s.intoWrapUp()
}

// intoWrapUp leaves the interaction to the agents who wrap up. On an asynchronous channel
// nobody hangs up: the interaction may be resumed.
func (s *step) intoWrapUp() {
	if !s.Channel.Async() {
		s.hangUp(SegmentHandled)
	}
	s.State, s.Parties = StateWrapUp, nil
}

func abandon(s *step) error { return s.finish(OutcomeAbandoned) }

func complete(s *step) error {
	body := s.cmd.Body.(Complete)
	if err := s.mayEnd(body.Agent); err != nil {
		return err
	}
	return s.finishWith(s.handledOrSent(), body.Disposition, body.Agent)
}

func cancel(s *step) error {
	if body, ok := s.cmd.Body.(Cancel); ok { // not the workflow's cancellation
		if err := s.mayEnd(body.Agent); err != nil {
			return err
		}
	}
	return s.finish(OutcomeCanceled)
}

// mayEnd refuses an end that names an agent who does not have the interaction: of a group
// to whom it was offered, those who did not get it report an end, too. An interaction that
// no agent has begun with, or that is in a workbin, may be ended by any agent.
func (s *step) mayEnd(named *Agent) error {
	isUnowned := s.Owner == "" && (s.State == StateStarted || s.State == StateInWorkbin)
	switch {
	case named == nil || named.ID == s.Owner || isUnowned:
		return nil
	case s.first(ofAgent(named.ID), wrapping) != nil:
		return notThisAgent(named.ID + " does not own the interaction; send leave to end that agent's wrap-up")
	}
	return notThisAgent(named.ID + " does not own the interaction; leave out agent to end it for everybody")
}

func expire(s *step) error { return s.finish(OutcomeExpired) }

func wrapUpTimeout(s *step) error {
	timer := s.cmd.Body.(Timer)
	l := s.first(ofAgent(timer.Agent), wrapping)
	if l == nil {
		return notThisAgent(timer.Agent + " is not wrapping up")
	}
	return s.endPart(l)
}

func lateEventsTimeout(s *step) error {
	s.Closing = true
	return nil
}
