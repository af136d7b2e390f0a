package interaction

// transfer passes the interaction on, in one of its ways.
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
		s.passOn(to)
		kept := s.release(body.WrapUp, nil)
		s.queue(to.Queue, dequeuedRequeued, kept)
		return nil
	case to.Number != "":
		s.release(body.WrapUp, nil)
		s.disown()
		s.resume()
		s.SentAway, s.Destination = true, to.Number
		return nil
	case body.Mode == TransferOffer:
		return s.transferByOffer(*to.Agent, body.WrapUp)
	}
	return s.transferTo(*to.Agent, body.WrapUp)
}

// receiver is where the transfer goes; completing a consultation needs no naming.
func (s *step) receiver(body Transfer) (Target, error) {
	to := body.To
	if body.Mode == TransferConsult {
		return s.consulted(to)
	}
	switch {
	case to == (Target{}):
		return to, &InvalidError{Command: s.cmd.Name, Field: "to", Reason: `is missing; send one of {"agent": …}, {"queue": …}, {"number": …}`}
	case body.Mode == TransferOffer && to.Agent == nil:
		return to, s.invalid("mode", body.Mode, "only an agent can be offered it; name one, or leave mode out")
	case to.Agent != nil && to.Agent.ID == s.Owner:
		return to, refusal(s.Owner + " has it already")
	case to.Queue == "" && s.State == StateQueued:
		return to, refusal("no agent has it to pass on; only {\"queue\": …} moves it, and offer finds it an agent")
	}
	return to, nil
}

// consulted is whom a consult transfer goes to: whoever is being consulted.
func (s *step) consulted(to Target) (Target, error) {
	if s.State != StateConsulting {
		return to, refusal("nobody is consulted")
	}
	for _, l := range s.agentLegs(present, but(s.ownerLeg())) {
		if to == (Target{}) || to.Agent != nil && to.Agent.ID == l.Agent {
			return Target{Agent: s.agent(l.Agent)}, nil
		}
	}
	for _, p := range s.Parties {
		if to == (Target{}) || to.Number == p.Number {
			return Target{Number: p.Number}, nil
		}
	}
	return to, refusal("somebody else is consulted")
}

// release lets everybody present go but the receiver. The owner, as the giver,
// may wrap up: that leg is returned.
func (s *step) release(wrapUp bool, receiver *leg) *leg {
	giver := s.ownerLeg()
	if giver != nil && wrapUp {
		s.wrapUp(giver)
	} else if giver != nil {
		s.leave(giver)
	}
	s.leaveAll(s.agentLegs(present, but(receiver)))
	s.Parties = nil
	if giver != nil && wrapping(giver) {
		return giver
	}
	return nil
}

// passOn is an internal transfer's moment: it is about who passes it on, and says
// to whom.
func (s *step) passOn(to Target) {
	added := map[string]any{}
	if to.Agent != nil {
		s.meet(*to.Agent)
		added["to_agent"] = s.agent(to.Agent.ID).flat()
	}
	if to.Queue != "" {
		added["to_queue"] = to.Queue
	}
	s.add(Event{Moment: MomentInternalTransfer, Fields: s.fieldsWith(added)})
}

func (s *step) transferTo(agent Agent, wrapUp bool) error {
	s.passOn(Target{Agent: &agent})
	l := s.first(of(agent.ID), present)
	s.release(wrapUp, l)
	if l == nil {
		var err error
		if l, err = s.assign(agent); err != nil {
			return err
		}
	}
	l.Transferred = true
	s.own(agent.ID)
	s.enter(l, SegmentHandling)
	s.connect(l)
	s.resume()
	return nil
}

func (s *step) transferByOffer(agent Agent, wrapUp bool) error {
	s.passOn(Target{Agent: &agent})
	s.release(wrapUp, nil)
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
