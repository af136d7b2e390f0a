package interaction

import "slices"

// legOf returns the open leg of a kind other than the agents'; nil if there is none.
func (r *record) legOf(kind Leg) *leg {
	for _, l := range r.Legs {
		if l.Kind == kind {
			return l
		}
	}
	return nil
}

func (r *record) channelLeg() *leg { return r.legOf(LegChannel) }
func (r *record) processLeg() *leg { return r.legOf(LegBusinessProcess) }

// agentLegs lists the open agent legs that satisfy every condition, oldest first.
func (r *record) agentLegs(conditions ...func(*leg) bool) []*leg {
	var legs []*leg
	for _, l := range r.Legs {
		if l.isAgents(conditions) {
			legs = append(legs, l)
		}
	}
	return legs
}

// first returns the oldest of the agent legs that satisfy every condition; nil if there is none.
func (r *record) first(conditions ...func(*leg) bool) *leg {
	for _, l := range r.Legs {
		if l.isAgents(conditions) {
			return l
		}
	}
	return nil
}

// isAgents reports whether it is the leg of an agent and satisfies every condition.
func (l *leg) isAgents(conditions []func(*leg) bool) bool {
	if l.Kind != LegAgent {
		return false
	}
	for _, holds := range conditions {
		if !holds(l) {
			return false
		}
	}
	return true
}

func ofAgent(agent string) func(*leg) bool {
	return func(l *leg) bool { return l.Agent == agent }
}

func except(not ...*leg) func(*leg) bool {
	return func(l *leg) bool { return !slices.Contains(not, l) }
}

// wrapping reports whether the agent wraps up.
func wrapping(l *leg) bool { return l.Segment == SegmentWrapUp }

// present reports whether the agent has to do with the interaction besides wrapping up.
func present(l *leg) bool { return !wrapping(l) }

// offered reports whether the agent has not answered an offer yet. An agent who accepted a
// preview stays in that segment, but owns the interaction.
func (r *record) offered(l *leg) bool {
	return (l.Segment == SegmentOffered || l.Segment == SegmentPreview) && l.Agent != r.Owner
}

// working reports whether the agent is in contact with the customer, or works on a draft.
func working(l *leg) bool { return l.Connected || l.Segment == SegmentHandling }

// ownerLeg returns the leg in which the owner is present; nil if there is none.
func (r *record) ownerLeg() *leg {
	if r.Owner == "" {
		return nil
	}
	return r.first(ofAgent(r.Owner), present)
}

// own makes an agent the owner.
func (s *step) own(agent string) {
	if s.Owner == agent {
		return
	}
	s.disown()
	s.Owner = agent
}

// disown leaves the interaction without an owner. An agent who was only assigned never
// counts as a previous agent.
func (s *step) disown() {
	if k := s.known(s.Owner); k != nil && k.TookPart && last(s.Past) != s.Owner {
		past := append(slices.Clone(s.Past), s.Owner)
		s.Past = past[max(0, len(past)-maxPast):]
	}
	s.Owner = ""
}

func last(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[len(ids)-1]
}

// previous returns the agent who had the interaction before a given agent; never that
// agent, who may have had it twice. For an agent who never had it, that is the agent who had
// it before the owner.
func (r *record) previous(agent string) *Agent {
	past, not := r.Past, r.Owner
	if agent != r.Owner && slices.Contains(past, agent) {
		for last(past) != agent {
			past = past[:len(past)-1]
		}
		not = agent
	}
	for _, id := range slices.Backward(past) {
		if k := r.known(id); k != nil && id != not {
			return k.Agent
		}
	}
	return nil
}

func (r *record) known(agent string) *known {
	for _, k := range r.Agents {
		if k.Agent.ID == agent {
			return k
		}
	}
	return nil
}

// agent returns an agent who had a leg; nil if the id is unknown.
func (r *record) agent(id string) *Agent {
	if k := r.known(id); k != nil {
		return k.Agent
	}
	return nil
}

// rememberAgent remembers an agent, or adds the fields of a later report. Beyond the
// limit it forgets an agent who neither has a leg nor owns the interaction: one who took no
// part, if there is one.
func (s *step) rememberAgent(agent Agent) {
	if k := s.known(agent.ID); k != nil {
		if richer := k.Agent.enriched(agent); richer != nil {
			s.updateAgent(agent.ID, func(k *known) { k.Agent = richer })
		}
		return
	}
	agents := slices.Clone(s.Agents)
	if len(agents) >= maxKnown {
		previous := s.previous(s.Owner)
		gone := func(k *known) bool {
			return s.first(ofAgent(k.Agent.ID)) == nil && k.Agent.ID != s.Owner && k.Agent != previous
		}
		index := slices.IndexFunc(agents, func(k *known) bool { return gone(k) && !k.TookPart })
		if index < 0 {
			index = slices.IndexFunc(agents, gone)
		}
		agents = slices.Delete(agents, index, index+1)
	}
	s.Agents = append(agents, &known{Agent: &agent})
}

// updateAgent changes an agent's entry, in a copy.
func (s *step) updateAgent(agent string, change func(*known)) {
	agents := slices.Clone(s.Agents)
	for index, k := range agents {
		if k.Agent.ID == agent {
			changed := *k
			change(&changed)
			agents[index] = &changed
		}
	}
	s.Agents = agents
}

func (s *step) tookPart(agent string) {
	if k := s.known(agent); k != nil && !k.TookPart {
		s.updateAgent(agent, func(k *known) { k.TookPart = true })
	}
}

// acting returns the agent that a command is about: the agent it names, else the agent
// who gave it; nil if neither is known.
func (s *step) acting(named *Agent) *Agent {
	if named != nil {
		return named
	}
	if by := s.cmd.By; by != nil && by.Role == RoleAgent {
		return &Agent{ID: by.ID}
	}
	return nil
}

// required returns the acting agent, or an error if there is none.
func (s *step) required(named *Agent) (*Agent, error) {
	if agent := s.acting(named); agent != nil {
		return agent, nil
	}
	return nil, &InvalidError{Command: s.cmd.Name, Field: "agent", Why: WhyMissing, Reason: `is missing; send the agent's id, or {"id": …, "name": …}`}
}

// actingLeg returns the present leg of the acting agent, by default the owner's.
func (s *step) actingLeg(named *Agent) (*leg, error) {
	agent := s.acting(named)
	if agent == nil {
		if l := s.ownerLeg(); l != nil {
			return l, nil
		}
		return nil, unmet("no agent has the interaction")
	}
	if l := s.first(ofAgent(agent.ID), present); l != nil {
		return l, nil
	}
	return nil, notThisAgent(agent.ID + " takes no part in the interaction")
}
