package interaction

// Reports of the platform about what ends: offers, parts, contacts, the interaction.

// reportedAgent returns the agent that a report is about: the named or acting agent, the
// owner, or the only agent to whom the interaction is offered.
func (s *step) reportedAgent(report SegmentReport) (*Agent, error) {
	if agent := s.acting(report.Agent); agent != nil {
		return agent, nil
	}
	if s.Owner != "" {
		return s.agent(s.Owner), nil
	}
	if offers := s.agentLegs(s.offered); len(offers) == 1 {
		return s.agent(offers[0].Agent), nil
	}
	return s.required(nil)
}

func reportRejected(s *step, report SegmentReport) error {
	l, err := s.refusing(report)
	if err != nil {
		return err
	}
	s.declineOffer(l, SegmentRejected)
	s.backFromOffer()
	return nil
}

func reportMissed(s *step, report SegmentReport) error {
	if offers := s.agentLegs(s.offered); s.acting(report.Agent) == nil && len(offers) > 0 {
		return s.missOffers(offers, Timer{})
	}
	l, err := s.refusing(report)
	if err != nil {
		return err
	}
	return s.missOffers([]*leg{l}, Timer{})
}

// refusing returns the leg of an agent who did not accept an offer, and opens one if the
// offer was not reported. An agent who works on the interaction cannot have refused it.
func (s *step) refusing(report SegmentReport) (*leg, error) {
	agent, err := s.reportedAgent(report)
	if err != nil {
		return nil, err
	}
	l := s.first(ofAgent(agent.ID), present)
	switch {
	case l == nil:
		return s.assign(*agent)
	case working(l) || atCustomer(l):
		return nil, notThisAgent(agent.ID + " has taken the interaction")
	case l.Agent == s.Owner:
		s.disown()
	}
	return l, nil
}

func reportOverflow(s *step, report SegmentReport) error { return s.overflow(report.Queue) }

func reportAbandoned(s *step, _ SegmentReport) error { return s.finish(OutcomeAbandoned) }

// reportEnded ends the interaction. If a report of interaction_ends names an agent who does
// not have the interaction, only that agent's leg ends, although the report names no leg.
func reportEnded(s *step, report SegmentReport) error {
	agent := s.acting(report.Agent)
	if report.Segment == SegmentInteractionEnds && agent != nil && s.Owner != "" && s.Owner != agent.ID && s.known(agent.ID) != nil {
		return reportLeft(s, report)
	}
	return s.finish(s.handledOrSent())
}

func reportDisconnected(s *step, _ SegmentReport) error { return disconnect(s) }

// reportLeft ends an agent's leg. It does nothing for an agent who has left already.
func reportLeft(s *step, report SegmentReport) error {
	agent, err := s.reportedAgent(report)
	if err != nil {
		return err
	}
	l := s.first(ofAgent(agent.ID), present)
	if l == nil {
		l = s.first(ofAgent(agent.ID), wrapping)
	}
	switch {
	case l == nil && s.known(agent.ID) != nil:
		return nil
	case l == nil:
		if l, err = s.assign(*agent); err == nil {
			s.endLeg(l)
		}
		return err
	case s.offered(l):
		s.endLeg(l)
		s.backFromOffer()
		return nil
	case !working(l) && !atCustomer(l) && !wrapping(l):
		if l.Agent == s.Owner {
			s.disown()
		}
		s.endLeg(l)
		return nil
	}
	return s.endPart(l)
}

// reportWrapUp makes an agent wrap up. The owner's wrap-up ends the contact with the
// customer, another agent's only that agent's part.
func reportWrapUp(s *step, report SegmentReport) error {
	agent, err := s.reportedAgent(report)
	if err != nil {
		return err
	}
	l := s.first(ofAgent(agent.ID), present)
	if l == nil {
		if s.first(ofAgent(agent.ID), wrapping) != nil {
			return nil
		}
		if l, err = s.assign(*agent); err != nil {
			return err
		}
	}
	wasOffered, shared := s.offered(l), atCustomer(l) && s.State != StateHandling
	s.wrapUp(l)
	switch {
	case agent.ID == s.Owner:
		s.disconnectAgents()
	case wasOffered:
		s.backFromOffer()
	case shared:
		return s.settleState()
	}
	return nil
}

// Reports that change only their leg.

func touchAgent(s *step, report SegmentReport) error {
	agent, err := s.required(report.Agent)
	if err != nil {
		return err
	}
	_, err = s.presentLeg(*agent)
	return err
}

func touchChannel(s *step, report SegmentReport) error {
	s.enter(s.channelLeg(), report.Segment)
	return nil
}

// dequeuedBy is the reason of a dequeue by a report.
var dequeuedBy = map[Segment]string{
	SegmentOffered: dequeuedOffered, SegmentHandling: dequeuedAccepted, SegmentInteractionEnds: "ended",
}

func touchProcess(s *step, report SegmentReport) error {
	b := s.processLeg()
	if b == nil && report.Segment == SegmentInteractionEnds {
		return nil
	}
	if b == nil {
		s.joinQueue(report.Queue)
	}
	if reason, leaves := dequeuedBy[report.Segment]; leaves {
		s.dequeue(reason, nil)
		s.enter(s.processLeg(), report.Segment)
	}
	return nil
}
