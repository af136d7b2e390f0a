package view

import (
	"segue/contract"
	"segue/gateway/parts"
	"segue/interaction"
)

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
func (n *names) of(l parts.Leg) string {
	switch l.Part {
	case parts.WrapUp:
		return n.wrapUp
	case parts.Assigned, parts.Offered:
		return n.invited
	case parts.Dialing:
		return n.dialing
	case parts.Composing:
		return n.composing
	}
	if l.Held {
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
	if l := parts.Of(state, agent); l.Part != parts.None {
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
func leader(state *contract.State) parts.Leg {
	if state.Agent != nil {
		if l := parts.Of(state, state.Agent.ID); l.Part != parts.None {
			return l
		}
	}
	found := parts.Leg{}
	for n := range state.Participants {
		if a := state.Participants[n].Agent; a != nil {
			if l := parts.Of(state, a.ID); l.Part > found.Part {
				found = l
			}
		}
	}
	switch {
	case found.Part != parts.None:
		return found
	case state.State == interaction.StateOffered:
		return parts.Leg{Part: parts.Offered}
	case state.State == interaction.StateDialing:
		return parts.Leg{Part: parts.Dialing}
	case state.State == interaction.StateComposing:
		return parts.Leg{Part: parts.Composing}
	}
	return parts.Leg{Part: parts.Handling}
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
