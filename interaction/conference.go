package interaction

import "slices"

// How several share an interaction: consultation, conference, leaving, holding.

func consult(s *step) error {
	to := s.cmd.Body.(Consult).To
	switch {
	case to.Queue != "":
		return s.invalid("to.queue", to.Queue, "not a consultation; name an agent or a number")
	case to.Agent != nil && to.Agent.ID == s.Owner:
		return refusal(s.Owner + " has it already")
	}
	return s.consult(to.Agent, to.Number)
}

// consult lets the owner ask an agent or a number.
func (s *step) consult(agent *Agent, number string) error {
	s.enter(s.ownerLeg(), SegmentConsulting)
	s.State = StateConsulting
	if agent == nil {
		return s.bring(number, SegmentConsulting)
	}
	l, err := s.joining(*agent)
	if err != nil {
		return err
	}
	s.enter(l, SegmentConsulting)
	return nil
}

// joining is the agent's present leg, opened if need be.
func (s *step) joining(agent Agent) (*leg, error) {
	s.meet(agent)
	if l := s.first(of(agent.ID), present); l != nil {
		return l, nil
	}
	return s.assign(agent)
}

// bring adds an outside party, or lets it take its new part.
func (s *step) bring(number string, segment Segment) error {
	if number == "" {
		return nil
	}
	parties := slices.DeleteFunc(slices.Clone(s.Parties), func(p party) bool { return p.Number == number })
	if len(parties) >= maxParties {
		return s.invalid("party", number, "too many parties take part; let some leave first")
	}
	s.Parties = append(parties, party{Number: number, Segment: segment})
	return nil
}

func conference(s *step) error {
	body := s.cmd.Body.(Conference)
	if body.Agent == nil && body.Party == "" && s.State != StateConsulting {
		return &InvalidError{Command: s.cmd.Name, Field: "agent", Reason: "is missing; say which agent or party joins"}
	}
	return s.confer(body.Agent, body.Party)
}

// confer joins everybody who is present, and those who are new.
func (s *step) confer(agent *Agent, number string) error {
	if agent != nil {
		if _, err := s.joining(*agent); err != nil {
			return err
		}
	}
	if err := s.bring(number, SegmentInConference); err != nil {
		return err
	}
	for _, p := range s.Parties {
		if err := s.bring(p.Number, SegmentInConference); err != nil {
			return err
		}
	}
	legs := s.agentLegs(present)
	for _, l := range legs {
		s.enter(l, SegmentInConference)
	}
	for _, l := range legs {
		s.connect(l)
	}
	s.State = StateConference
	return nil
}

func leave(s *step) error {
	agent, err := s.required(s.cmd.Body.(ByAgent).Agent)
	if err != nil {
		return err
	}
	l := s.first(of(agent.ID), wrapping)
	if s.State == StateConsulting || s.State == StateConference {
		if there := s.first(of(agent.ID), present); there != nil {
			l = there
		}
	}
	if l == nil {
		return refusal(agent.ID + " has no leg to leave")
	}
	return s.depart(l)
}

// depart ends one agent's part, and settles who remains: the owner's part goes to
// whoever is longest there, a sole remaining agent handles alone.
func (s *step) depart(l *leg) error {
	wasWrapping := wrapping(l)
	s.leave(l)
	remaining := s.agentLegs(atCustomer)
	if len(remaining) == 0 {
		remaining = s.agentLegs(wrapping)
	}
	if l.Agent == s.Owner && s.ownerLeg() == nil && len(remaining) > 0 {
		s.own(remaining[0].Agent)
	}
	if wasWrapping {
		return s.wrappedUp()
	}
	return s.settle()
}

// wrappedUp ends an interaction that nobody wraps up any more.
func (s *step) wrappedUp() error {
	if s.State != StateWrapUp || s.first(wrapping) != nil {
		return nil
	}
	return s.finish(OutcomeHandled)
}

// settle is the state that follows from the agents who are still present.
func (s *step) settle() error {
	legs := s.agentLegs(atCustomer)
	switch {
	case len(legs) == 1:
		s.alone(legs[0])
	case len(legs) == 0 && s.first(wrapping) != nil:
		s.intoWrapUp()
	case len(legs) == 0 && s.Draft:
		return s.finish(OutcomeCanceled)
	case len(legs) == 0:
		return s.finish(OutcomeHandled)
	}
	return nil
}

// alone leaves the customer to one agent, who may not have talked to them before.
func (s *step) alone(l *leg) {
	s.enter(l, SegmentHandling)
	s.connect(l)
	s.Parties = slices.DeleteFunc(slices.Clone(s.Parties), func(p party) bool { return p.Segment == SegmentConsulting })
	s.resume()
}

func hold(s *step) error {
	l, err := s.actingLeg(s.cmd.Body.(ByAgent).Agent)
	if err != nil {
		return err
	}
	l.Held = true
	return nil
}

func retrieve(s *step) error {
	l, err := s.actingLeg(s.cmd.Body.(ByAgent).Agent)
	if err != nil {
		return err
	}
	if !l.Held && s.State != StateConsulting {
		return refusal(l.Agent + " has not put it on hold")
	}
	l.Held = false
	if s.State == StateConsulting {
		s.endConsultation()
	}
	return nil
}

// endConsultation sends away whoever was consulted.
func (s *step) endConsultation() {
	owner := s.ownerLeg()
	s.leaveAll(s.agentLegs(present, but(owner)))
	s.alone(owner)
}
