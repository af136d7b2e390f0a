package parts

import (
	"slices"

	"segue/contract"
	"segue/interaction"
)

// Part is the part of an agent in an interaction.
type Part int

// The parts of an agent. If an agent has two legs, as one who wraps up and is offered the interaction
// again, the later one in this list is the part.
const (
	// None: the agent has no open leg.
	None Part = iota
	WrapUp
	// Assigned: the interaction is the agent's from the start, and the agent has not begun to work.
	Assigned
	// Offered: the agent has an offer, perhaps a preview, and has not answered.
	Offered
	// Dialing: the customer is being dialed for the agent, who owns the interaction.
	Dialing
	Handling
	// Consulting is the owner's part in a consultation, Consulted the part of the agent who is asked.
	Consulting
	Consulted
	Conference
	// Composing: the agent works on a draft.
	Composing
)

// IsInvited reports whether the agent has yet to accept.
func (p Part) IsInvited() bool { return p == Assigned || p == Offered }

// Leg is the part of an agent, and whether the agent has put the customer on hold.
type Leg struct {
	Part Part
	Held bool
}

// Of returns the leg of an agent in an interaction; an empty name has none.
func Of(state *contract.State, agent string) Leg {
	found := Leg{}
	if agent == "" {
		return found
	}
	for n := range state.Participants {
		p := &state.Participants[n]
		if p.Agent == nil || p.Agent.ID != agent {
			continue
		}
		if part := of(state, p); part > found.Part {
			found = Leg{part, p.Held}
		}
	}
	if found.Part < Offered && slices.ContainsFunc(state.OfferedTo, func(a interaction.Agent) bool { return a.ID == agent }) {
		return Leg{Part: Offered}
	}
	return found
}

// of returns the part of a participant who is an agent.
func of(state *contract.State, p *interaction.Participant) Part {
	owns := p.Role == interaction.ParticipantOwner
	switch {
	case p.Role == interaction.ParticipantWrapUp:
		return WrapUp
	case owns && state.State == interaction.StateDialing:
		return Dialing
	case p.Segment == interaction.SegmentConsulting && owns:
		return Consulting
	case p.Segment == interaction.SegmentConsulting:
		return Consulted
	case p.Segment == interaction.SegmentInConference:
		return Conference
	case p.Segment == interaction.SegmentHandling && state.State == interaction.StateComposing:
		return Composing
	case p.Segment == interaction.SegmentHandling:
		return Handling
	}
	return Assigned
}

// Owns reports whether an agent owns an interaction.
func Owns(state *contract.State, agent string) bool {
	return agent != "" && state.Agent != nil && state.Agent.ID == agent
}
