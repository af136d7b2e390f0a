package interaction

// transfer passes the interaction to an agent, a queue or a number.
func transfer(s *step) error {
	body := s.cmd.Body.(Transfer)
	to, err := s.receiver(body)
	if err != nil {
		return err
	}
	switch {
	case to.Queue != "" && s.waitsIn(to.Queue):
		return nil
	case to.Queue != "":
		s.fireInternalTransfer(to)
		kept := s.releaseAgents(body.WrapUp, nil)
		s.enqueue(to.Queue, dequeuedRequeued, kept)
		return nil
	case to.Number != "":
		s.releaseAgents(body.WrapUp, nil)
		s.disown()
		s.enterHandling()
		s.TransferredOut, s.Destination = true, to.Number
		return nil
	case body.Mode == TransferOffer:
		return s.transferByOffer(*to.Agent, body.WrapUp)
	}
	return s.transferTo(*to.Agent, body.WrapUp)
}

// receiver returns where the transfer goes; after a consultation the target may be left out.
func (s *step) receiver(body Transfer) (Target, error) {
	to := body.To
	if body.Mode == TransferConsult {
		return s.consulted(to)
	}
	switch {
	case to == (Target{}):
		return to, &InvalidError{Command: s.cmd.Name, Field: "to", Why: WhyMissing, Reason: `is missing; send one of {"agent": …}, {"queue": …}, {"number": …}`}
	case body.Mode == TransferOffer && to.Agent == nil:
		return to, s.invalid("mode", body.Mode, "only an agent can get an offer; name an agent, or leave mode out")
	case to.Agent != nil && to.Agent.ID == s.Owner:
		return to, unmet(s.Owner + " already has the interaction")
	case to.Queue == "" && s.State == StateQueued:
		return to, unmet("no agent has the interaction; send {\"queue\": …} to move it, or offer it to an agent")
	}
	return to, nil
}

// consulted returns the target of a transfer in mode consult: the agent or number that is consulted.
func (s *step) consulted(to Target) (Target, error) {
	if s.State != StateConsulting {
		return to, unmet("nobody is consulted")
	}
	for _, l := range s.agentLegs(present, except(s.ownerLeg())) {
		if to == (Target{}) || to.Agent != nil && to.Agent.ID == l.Agent {
			return Target{Agent: s.agent(l.Agent)}, nil
		}
	}
	for _, p := range s.Parties {
		if to == (Target{}) || to.Number == p.Number {
			return Target{Number: p.Number}, nil
		}
	}
	return to, unmet("somebody else is consulted")
}

// releaseAgents ends the legs of all present agents but the receiver. The owner may
// wrap up; then the owner's leg is returned.
func (s *step) releaseAgents(wrapUp bool, receiver *leg) *leg {
	giver := s.ownerLeg()
	if giver != nil && wrapUp {
		s.wrapUp(giver)
	} else if giver != nil {
		s.endLeg(giver)
	}
	s.endLegs(s.agentLegs(present, except(receiver)))
	s.Parties = nil
	if giver != nil && wrapping(giver) {
		return giver
	}
	return nil
}

// fireInternalTransfer fires the moment of an internal transfer. It is about the agent who
// passes the interaction on, and names the target.
func (s *step) fireInternalTransfer(to Target) {
	added := map[string]any{}
	if to.Agent != nil {
		s.rememberAgent(*to.Agent)
		added["to_agent"] = s.agent(to.Agent.ID).flat()
	}
	if to.Queue != "" {
		added["to_queue"] = to.Queue
	}
	s.addEvent(Event{Moment: MomentInternalTransfer, Fields: s.fieldsWith(added)})
}

func (s *step) transferTo(agent Agent, wrapUp bool) error {
	s.fireInternalTransfer(Target{Agent: &agent})
	l := s.first(ofAgent(agent.ID), present)
	s.releaseAgents(wrapUp, l)
	if l == nil {
		var err error
		if l, err = s.assign(agent); err != nil {
			return err
		}
	}
	l.Transferred = true
	s.own(agent.ID)
	s.enter(l, SegmentHandling)
	s.connectAgent(l)
	s.enterHandling()
	return nil
}

func (s *step) transferByOffer(agent Agent, wrapUp bool) error {
	s.fireInternalTransfer(Target{Agent: &agent})
	s.releaseAgents(wrapUp, nil)
	s.disown()
	l, err := s.assign(agent)
	if err != nil {
		return err
	}
	l.Transferred = true
	s.enter(l, SegmentOffered)
	s.enter(s.processLeg(), SegmentOffered)
	s.State, s.OfferTimeout = StateOffered, 0
	return nil
}
