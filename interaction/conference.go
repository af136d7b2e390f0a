package interaction

import (
	"fmt"
	"slices"
)

// How agents share an interaction: consultation, conference, leaving, holding.

func consult(s *step) error {
	to := s.cmd.Body.(Consult).To
	switch {
	case to.Queue != "":
		return s.invalid("to.queue", to.Queue, "a queue cannot be consulted; name an agent or a number")
	case to.Agent != nil && to.Agent.ID == s.Owner:
		return unmet(s.Owner + " already has the interaction")
	}
	return s.consultWith(to.Agent, to.Number)
}

// consultWith makes the owner consult an agent or a number.
func (s *step) consultWith(agent *Agent, number string) error {
	s.enter(s.ownerLeg(), SegmentConsulting)
	s.State = StateConsulting
	if agent == nil {
		return s.addParty(number, SegmentConsulting)
	}
	l, err := s.presentLeg(*agent)
	if err != nil {
		return err
	}
	s.enter(l, SegmentConsulting)
	return nil
}

// presentLeg returns the agent's present leg, and opens one if there is none.
func (s *step) presentLeg(agent Agent) (*leg, error) {
	s.rememberAgent(agent)
	if l := s.first(ofAgent(agent.ID), present); l != nil {
		return l, nil
	}
	return s.assign(agent)
}

// addParty adds an outside party, or moves it to a new segment.
func (s *step) addParty(number string, segment Segment) error {
	if number == "" {
		return nil
	}
	parties := slices.DeleteFunc(slices.Clone(s.Parties), func(p party) bool { return p.Number == number })
	if len(parties) >= maxParties {
		return s.tooMany("party", number, fmt.Sprintf("%d parties take part, and that is the most; let some leave first", maxParties))
	}
	s.Parties = append(parties, party{Number: number, Segment: segment})
	return nil
}

func conference(s *step) error {
	body := s.cmd.Body.(Conference)
	if body.Agent == nil && body.Party == "" && s.State != StateConsulting {
		return &InvalidError{Command: s.cmd.Name, Field: "agent", Why: WhyMissing, Reason: "is missing; name the agent or party that joins"}
	}
	return s.confer(body.Agent, body.Party)
}

// confer joins all who are present with a new agent or number.
func (s *step) confer(agent *Agent, number string) error {
	if agent != nil {
		if _, err := s.presentLeg(*agent); err != nil {
			return err
		}
	}
	if err := s.addParty(number, SegmentInConference); err != nil {
		return err
	}
	for _, p := range s.Parties {
		if err := s.addParty(p.Number, SegmentInConference); err != nil {
			return err
		}
	}
	legs := s.agentLegs(present)
	for _, l := range legs {
		s.enter(l, SegmentInConference)
	}
	for _, l := range legs {
		s.connectAgent(l)
	}
	s.State = StateConference
	return nil
}

func leave(s *step) error {
	agent, err := s.required(s.cmd.Body.(ByAgent).Agent)
	if err != nil {
		return err
	}
	l := s.first(ofAgent(agent.ID), wrapping)
	if s.State == StateConsulting || s.State == StateConference {
		if there := s.first(ofAgent(agent.ID), present); there != nil {
			l = there
		}
	}
	if l == nil {
		return notThisAgent(agent.ID + " has no leg to leave")
	}
	return s.endPart(l)
}

// endPart ends one agent's part. The agent who has been there longest becomes the owner if
// the owner left, and a single remaining agent handles the interaction alone.
func (s *step) endPart(l *leg) error {
	wasWrapping := wrapping(l)
	s.endLeg(l)
	remaining := s.agentLegs(atCustomer)
	if len(remaining) == 0 {
		remaining = s.agentLegs(wrapping)
	}
	if l.Agent == s.Owner && s.ownerLeg() == nil && len(remaining) > 0 {
		s.own(remaining[0].Agent)
	}
	if wasWrapping {
		return s.finishIfWrappedUp()
	}
	return s.settleState()
}

// finishIfWrappedUp ends an interaction in wrap_up when the last agent has wrapped up.
func (s *step) finishIfWrappedUp() error {
	if s.State != StateWrapUp || s.first(wrapping) != nil {
		return nil
	}
	return s.finish(OutcomeHandled)
}

// settleState sets the state that follows from the agents who are still present.
func (s *step) settleState() error {
	legs := s.agentLegs(atCustomer)
	switch {
	case len(legs) == 1:
		s.handleAlone(legs[0])
	case len(legs) == 0 && s.first(wrapping) != nil:
		s.intoWrapUp()
	case len(legs) == 0 && s.Draft:
		return s.finish(OutcomeCanceled)
	case len(legs) == 0:
		return s.finish(OutcomeHandled)
	}
	return nil
}

// handleAlone leaves the customer to one agent, for whom it may be the first contact.
func (s *step) handleAlone(l *leg) {
	s.enter(l, SegmentHandling)
	s.connectAgent(l)
	s.Parties = slices.DeleteFunc(slices.Clone(s.Parties), func(p party) bool { return p.Segment == SegmentConsulting })
	s.enterHandling()
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
		return unmet(l.Agent + " has not put the customer on hold")
	}
	l.Held = false
	if s.State == StateConsulting {
		s.endConsultation()
	}
	return nil
}

// endConsultation ends the part of the agent who is consulted.
func (s *step) endConsultation() {
	owner := s.ownerLeg()
	s.endLegs(s.agentLegs(present, except(owner)))
	s.handleAlone(owner)
}
