package interaction

// How the customer comes and goes: dialing, connecting, hanging up, ending.

func dial(s *step) error {
	body := s.cmd.Body.(Dial)
	if body.Destination != "" {
		s.Destination = body.Destination
	}
	return s.dial(s.acting(body.Agent))
}

// dial calls the customer for an agent, or predictively for nobody yet.
func (s *step) dial(agent *Agent) error {
	if agent != nil && s.Owner != "" && s.Owner != agent.ID {
		return refusal(s.Owner + " has it")
	}
	if agent != nil {
		s.meet(*agent)
		if s.first(of(agent.ID), present) == nil {
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
		s.handle(owner)
	case s.Channel.agentless():
		s.enter(s.channelLeg(), SegmentHandling)
		s.State = StateHandling
		s.reached()
	default:
		// Predictive: the customer is there, and an agent is still to be found.
		s.enter(s.channelLeg(), SegmentHandling)
		s.State = StateStarted
	}
	s.fire(s.moments().connect)
	return nil
}

// hungUpIn is how an interaction ends whose customer leaves while no agent is there.
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

// disconnectAgents: the owner and who else was at the customer wrap up; who only
// waited to be leaves.
func (s *step) disconnectAgents() {
	worked := func(l *leg) bool { return working(l) || l.Agent == s.Owner }
	for _, l := range s.agentLegs(present, worked) {
		s.wrapUp(l)
	}
	s.leaveAll(s.agentLegs(present))
	s.intoWrapUp()
}

// intoWrapUp leaves the interaction to those who wrap up. On an async channel
// nobody hangs up: it may yet go on.
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

// mayEnd refuses an end that is reported for an agent who does not have the
// interaction: of a group that was offered it, those who lost report their end, too.
// Nobody has what has not begun with an agent, and what is in a workbin.
func (s *step) mayEnd(named *Agent) error {
	nobodys := s.Owner == "" && (s.State == StateStarted || s.State == StateInWorkbin)
	switch {
	case named == nil || named.ID == s.Owner || nobodys:
		return nil
	case s.first(of(named.ID), wrapping) != nil:
		return refusal(named.ID + " does not own it; leave ends that agent's wrap-up")
	}
	return refusal(named.ID + " does not own it; without agent it ends for everybody")
}

func expire(s *step) error { return s.finish(OutcomeExpired) }

func wrapUpTimeout(s *step) error {
	timer := s.cmd.Body.(Timer)
	l := s.first(of(timer.Agent), wrapping)
	if l == nil {
		return refusal(timer.Agent + " does not wrap up")
	}
	return s.depart(l)
}

func lateEventsTimeout(s *step) error {
	s.Closing = true
	return nil
}
