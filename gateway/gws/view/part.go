package view

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
	// NoPart: the agent has no open leg.
	NoPart Part = iota
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

// isInvited reports whether the agent has yet to accept.
func (p Part) isInvited() bool { return p == Assigned || p == Offered }

// leg is the part of an agent, and whether the agent has put the customer on hold.
type leg struct {
	part Part
	held bool
}

// PartOf returns the part of an agent in an interaction.
func PartOf(state *contract.State, agent string) Part { return legOf(state, agent).part }

func legOf(state *contract.State, agent string) leg {
	found := leg{}
	if agent == "" {
		return found
	}
	for n := range state.Participants {
		p := &state.Participants[n]
		if p.Agent == nil || p.Agent.ID != agent {
			continue
		}
		if part := partIn(state, p); part > found.part {
			found = leg{part, p.Held}
		}
	}
	if found.part < Offered && slices.ContainsFunc(state.OfferedTo, func(a interaction.Agent) bool { return a.ID == agent }) {
		return leg{part: Offered}
	}
	return found
}

// partIn returns the part of a participant who is an agent.
func partIn(state *contract.State, p *interaction.Participant) Part {
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

// isOwner reports whether an agent owns the interaction.
func isOwner(state *contract.State, agent string) bool {
	return agent != "" && state.Agent != nil && state.Agent.ID == agent
}

// names are the names of the states of a medium.
type names struct{ invited, dialing, working, held, composing, wrapUp, revoked, canceled, completed string }

var (
	callNames = names{
		invited: "Ringing", dialing: "Dialing", working: "Established", held: "Held", composing: "Established",
		wrapUp: "Released", revoked: "Released", canceled: "Released", completed: "Released",
	}
	chatNames = names{
		invited: "Invited", dialing: "Chatting", working: "Chatting", held: "Chatting", composing: "Composing",
		wrapUp: "Chatting", revoked: "Revoked", canceled: "Canceled", completed: "Completed",
	}
	textNames = names{
		invited: "Invited", dialing: "Processing", working: "Processing", held: "Processing", composing: "Composing",
		wrapUp: "Processing", revoked: "Revoked", canceled: "Canceled", completed: "Completed",
	}
)

func namesOf(m Medium) *names {
	switch m.Name {
	case Call.Name:
		return &callNames
	case Chat.Name:
		return &chatNames
	}
	return &textNames
}

// of returns the name of the state for an agent who has a part.
func (n *names) of(l leg) string {
	switch l.part {
	case WrapUp:
		return n.wrapUp
	case Assigned, Offered:
		return n.invited
	case Dialing:
		return n.dialing
	case Composing:
		return n.composing
	}
	if l.held {
		return n.held
	}
	return n.working
}

// The names of the states of an interaction that waits, for those who have no part in it.
const (
	nameQueued    = "Queued"
	nameInWorkbin = "InWorkbin"
)

// stateName returns the name of the state for an agent, and for somebody without a part.
func stateName(state *contract.State, agent string) string {
	n := namesOf(MediumOf(state.Channel))
	if l := legOf(state, agent); l.part != NoPart {
		return n.of(l)
	}
	switch state.State {
	case interaction.StateStarted, interaction.StateQueued, interaction.StateEngaging:
		return nameQueued
	case interaction.StateInWorkbin:
		return nameInWorkbin
	case interaction.StateCompleted:
		if state.Outcome == interaction.OutcomeCanceled && wasDraft(state) {
			return n.canceled
		}
		return n.completed
	}
	return n.of(leader(state))
}

// leader returns the leg of the owner; without an owner, that of the agent with the largest part. An
// interaction that no agent has is handled or dialed all the same.
func leader(state *contract.State) leg {
	if state.Agent != nil {
		if l := legOf(state, state.Agent.ID); l.part != NoPart {
			return l
		}
	}
	found := leg{}
	for n := range state.Participants {
		if a := state.Participants[n].Agent; a != nil {
			if l := legOf(state, a.ID); l.part > found.part {
				found = l
			}
		}
	}
	switch {
	case found.part != NoPart:
		return found
	case state.State == interaction.StateOffered:
		return leg{part: Offered}
	case state.State == interaction.StateDialing:
		return leg{part: Dialing}
	case state.State == interaction.StateComposing:
		return leg{part: Composing}
	}
	return leg{part: Handling}
}

// wasDraft reports whether an interaction that has ended was a draft, as far as its state shows: drafts
// are outbound, and no other text is.
func wasDraft(state *contract.State) bool {
	return state.Parent != "" && state.Direction == directionOutbound || state.Outcome == interaction.OutcomeSent
}

// The directions of interactions.
const (
	directionOutbound = "outbound"
	directionInternal = "internal"
)
