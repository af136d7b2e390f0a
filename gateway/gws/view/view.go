package view

import (
	"encoding/json"

	"segue/contract"
	"segue/interaction"
)

// Medium is a kind of interaction in GWS.
type Medium struct {
	// Name is the key of one resource: call, chat, email, openmedia. Plural is that of several, and the
	// segment of the path.
	Name, Plural string
	// Message is the messageType of its notifications.
	Message string
}

// Media are all media.
var Media []Medium

// MediumOf returns the medium of a channel: chat is chat, email is email, sms and web are openmedia,
// all else are calls.
func MediumOf(channel interaction.Channel) Medium { return Medium{} }

// Look is what is needed to see an interaction: the whole state, and what each agent with an open leg
// may do.
type Look struct {
	State           *contract.State
	CapabilitiesFor map[string][]string
}

// Resource is an interaction as GWS shows it, always whole. It marshals to the documented JSON.
type Resource struct{}

// Of returns the resource of an interaction for an agent; for an agent without an open part, or an
// empty agent, it has no capabilities. base is the start of absolute URIs: https://host.
func Of(l Look, agent, base string) *Resource { return nil }

// Over returns the resource for an agent whose part has just ended, or whose interaction has ended.
// before is the interaction before that change, and change the change.
func Over(before *Look, change *contract.Notice, agent, base string) *Resource { return nil }

// MarshalJSON writes the resource.
func (r *Resource) MarshalJSON() ([]byte, error) { return nil, nil }

// Message is one notification: the data of a message on a topic.
type Message struct {
	// Topic is /v2/me/calls, /v2/me/interactions, ….
	Topic string
	Data  json.RawMessage
}

// Notifications returns what an agent receives for a change, in order: for each of the two topics one
// message for each type that applies. before is nil if it is not known, or the interaction is new.
// referenceID is that of the request of this agent that caused the change, as JSON; nil for none.
func Notifications(before *Look, change *contract.Notice, agent, base string, referenceID json.RawMessage) []Message {
	return nil
}

// Present returns the messages that tell the present state of an interaction as StatusChange.
func Present(l Look, agent, base string) []Message { return nil }
