package view

import (
	"slices"

	"segue/contract"
	"segue/interaction"
)

// part is the part of an agent in an interaction.
type part int

// The parts of an agent. If an agent has two legs, as one who wraps up and is offered the interaction
// again, the later one in this list is the part.
const (
	noPart part = iota
	wrapUp
	// assigned: the interaction is the agent's from the start, and the agent has not begun to work.
	assigned
	offered
	dialing
	handling
	// consulting is the owner's part in a consultation, consulted the part of the agent who is asked.
	consulting
	consulted
	conference
	composing
)

// isAlerting reports whether the agent has yet to accept.
func (p part) isAlerting() bool { return p == assigned || p == offered }

// leg is the part of an agent, and whether the agent has put the customer on hold.
type leg struct {
	part part
	held bool
}

func legOf(state *contract.State, agent string) leg {
	found := leg{}
	for n := range state.Participants {
		p := &state.Participants[n]
		if p.Agent == nil || p.Agent.ID != agent {
			continue
		}
		if its := partIn(state, p); its > found.part {
			found = leg{its, p.Held}
		}
	}
	if found.part < offered && slices.ContainsFunc(state.OfferedTo, func(a interaction.Agent) bool { return a.ID == agent }) {
		return leg{part: offered}
	}
	return found
}

// partIn returns the part of a participant who is an agent.
func partIn(state *contract.State, p *interaction.Participant) part {
	owns := p.Role == interaction.ParticipantOwner
	switch {
	case p.Role == interaction.ParticipantWrapUp:
		return wrapUp
	case owns && state.State == interaction.StateDialing:
		return dialing
	case p.Segment == interaction.SegmentConsulting && owns:
		return consulting
	case p.Segment == interaction.SegmentConsulting:
		return consulted
	case p.Segment == interaction.SegmentInConference:
		return conference
	case p.Segment == interaction.SegmentHandling && state.State == interaction.StateComposing:
		return composing
	case p.Segment == interaction.SegmentHandling:
		return handling
	}
	return assigned
}

// owns reports whether an agent owns an interaction.
func owns(state *contract.State, agent string) bool {
	return state.Agent != nil && state.Agent.ID == agent
}
