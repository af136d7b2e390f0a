package interaction

// The platform's reports of what ends: offers, parts, contacts, the interaction.

// reportedAgent is the agent a report is about: named, acting, the owner, or the
// only one who was offered it.
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
	s.refuse(l, SegmentRejected)
	s.backFromOffer()
	return nil
}

func reportMissed(s *step, report SegmentReport) error {
	if offers := s.agentLegs(s.offered); s.acting(report.Agent) == nil && len(offers) > 0 {
		return s.miss(offers, Timer{})
	}
	l, err := s.refusing(report)
	if err != nil {
		return err
	}
	return s.miss([]*leg{l}, Timer{})
}

// refusing is the leg of an agent who did not take what was offered; an offer that
// nobody reported is opened. Who works on it cannot have refused it.
func (s *step) refusing(report SegmentReport) (*leg, error) {
	agent, err := s.reportedAgent(report)
	if err != nil {
		return nil, err
	}
	l := s.first(of(agent.ID), present)
	switch {
	case l == nil:
		return s.assign(*agent)
	case working(l) || atCustomer(l):
		return nil, refusal(agent.ID + " has taken it")
	case l.Agent == s.Owner:
		s.disown()
	}
	return l, nil
}

func reportOverflow(s *step, report SegmentReport) error { return s.overflow(report.Queue) }

func reportAbandoned(s *step, _ SegmentReport) error { return s.finish(OutcomeAbandoned) }

// reportEnded ends the interaction. Where a report of interaction_ends names an agent
// who does not have it, that agent's leg is meant, though the report names no leg.
func reportEnded(s *step, report SegmentReport) error {
	agent := s.acting(report.Agent)
	if report.Segment == SegmentInteractionEnds && agent != nil && s.Owner != "" && s.Owner != agent.ID && s.known(agent.ID) != nil {
		return reportLeft(s, report)
	}
	return s.finish(s.handledOrSent())
}

func reportDisconnected(s *step, _ SegmentReport) error { return disconnect(s) }

// reportLeft ends an agent's leg. That of one who has left already is over anyhow.
func reportLeft(s *step, report SegmentReport) error {
	agent, err := s.reportedAgent(report)
	if err != nil {
		return err
	}
	l := s.first(of(agent.ID), present)
	if l == nil {
		l = s.first(of(agent.ID), wrapping)
	}
	switch {
	case l == nil && s.known(agent.ID) != nil:
		return nil
	case l == nil:
		if l, err = s.assign(*agent); err == nil {
			s.leave(l)
		}
		return err
	case s.offered(l):
		s.leave(l)
		s.backFromOffer()
		return nil
	case !working(l) && !atCustomer(l) && !wrapping(l):
		if l.Agent == s.Owner {
			s.disown()
		}
		s.leave(l)
		return nil
	}
	return s.depart(l)
}

// reportWrapUp: the owner's is the end of the contact, another agent's only that
// agent's part.
func reportWrapUp(s *step, report SegmentReport) error {
	agent, err := s.reportedAgent(report)
	if err != nil {
		return err
	}
	l := s.first(of(agent.ID), present)
	if l == nil {
		if s.first(of(agent.ID), wrapping) != nil {
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
		return s.settle()
	}
	return nil
}

// The reports that touch their leg only.

func touchAgent(s *step, report SegmentReport) error {
	agent, err := s.required(report.Agent)
	if err != nil {
		return err
	}
	_, err = s.joining(*agent)
	return err
}

func touchChannel(s *step, report SegmentReport) error {
	s.enter(s.channelLeg(), report.Segment)
	return nil
}

// dequeuedBy is why a report takes a business process out of its queue.
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
