package view

import (
	"cmp"

	"segue/contract"
	"segue/gateway/parts"
	"segue/interaction"
)

// Type is the type of a channel.
type Type string

// The types of channels.
const (
	Telephony Type = "Telephony"
	Chat      Type = "Chat"
	Email     Type = "Email"
)

// Types are all types of channels.
var Types = []Type{Telephony, Chat, Email}

// TypeOf returns the type of channel that shows interactions of a channel of Segue.
func TypeOf(channel interaction.Channel) Type {
	switch channel {
	case interaction.ChannelChat, interaction.ChannelSMS, interaction.ChannelWeb:
		return Chat
	case interaction.ChannelEmail:
		return Email
	}
	return Telephony
}

// The states of channels, interactions and conversations.
const (
	StateInactive = "INACTIVE"
	StateActive   = "ACTIVE"
	StateAlerting = "ALERTING"
	StateDialing  = "DIALING"
	StateStarted  = "STARTED"
	StateHeld     = "HELD"
	StateEnded    = "ENDED"
)

// interactionState returns the state of an interaction for an agent with a part.
func interactionState(l parts.Leg) string {
	switch {
	case l.Part.IsInvited():
		return StateAlerting
	case l.Part == parts.Dialing:
		return StateDialing
	}
	return StateStarted
}

// conversationState returns the state of the conversation with the customer; empty if there is none.
func conversationState(l parts.Leg) string {
	switch {
	case l.Part == parts.WrapUp:
		return ""
	case l.Part.IsInvited():
		return StateAlerting
	case l.Part == parts.Dialing:
		return StateDialing
	case l.Held:
		return StateHeld
	}
	return StateActive
}

// Member takes part in a conversation.
type Member struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Type    string `json:"type"`
}

// The types of members.
const (
	memberCustomer = "customer"
	memberAgent    = "agent"
	memberExternal = "external"
)

// customerOf returns the customer as a member.
func customerOf(state *contract.State) Member {
	address := state.ANI
	if directionOf(state) == directionOutbound {
		address = cmp.Or(state.Destination, state.DNIS)
	}
	return Member{ID: memberCustomer, Address: address, Type: memberCustomer}
}

// othersIn lists those besides an agent who are in a segment, an agent by the id, a number by itself.
func othersIn(state *contract.State, agent string, segment interaction.Segment) []Member {
	var others []Member
	for n := range state.Participants {
		p := &state.Participants[n]
		switch {
		case p.Segment != segment || p.Role == interaction.ParticipantWrapUp:
		case p.Agent == nil:
			others = append(others, Member{ID: p.Party, Address: p.Party, Type: memberExternal})
		case p.Agent.ID != agent:
			others = append(others, Member{ID: p.Agent.ID, Address: p.Agent.ID, Type: memberAgent})
		}
	}
	return others
}

const (
	directionInbound  = "inbound"
	directionOutbound = "outbound"
)

func directionOf(state *contract.State) string {
	if state.Direction == "" && state.Channel == interaction.ChannelOutbound {
		return directionOutbound
	}
	return cmp.Or(state.Direction, directionInbound)
}
