package view

import (
	"net/url"
	"strings"

	"segue/interaction"
)

// Medium is a kind of interaction in GWS.
type Medium struct {
	// Name is the key of one resource: call, chat, email, openmedia. Plural is that of several, and the
	// segment of the path.
	Name, Plural string
	// Message is the messageType of its notifications, and Topic where they are sent.
	Message, Topic string
	// TypeKey is the key of the direction in the resource: callType, ….
	TypeKey string
	// WorkbinKey is the key of the resource in a WorkbinStateChangeMessage: chatStateResourceV2, ….
	WorkbinKey string
}

// The media.
var (
	Call      = medium("call", "calls", "CallStateChangeMessage")
	Chat      = medium("chat", "chats", "ChatStateChangeMessage")
	Email     = medium("email", "emails", "EmailStateChangeMessage")
	Openmedia = medium("openmedia", "openmedia", "OpenmediaStateChangeMessage")
)

// Media are all media.
var Media = []Medium{Call, Chat, Email, Openmedia}

// The names of the resource and of its notifications that are the same for all media.
const (
	InteractionName    = "interaction"
	InteractionPlural  = "interactions"
	InteractionMessage = "InteractionStateMessage"
	InteractionTopic   = "/v2/me/interactions"
)

func medium(name, plural, message string) Medium {
	return Medium{
		Name: name, Plural: plural, Message: message, Topic: "/v2/me/" + plural,
		TypeKey: name + "Type", WorkbinKey: name + "StateResourceV2",
	}
}

// MediumOf returns the medium of a channel: chat is chat, email is email, sms and web are openmedia,
// all else are calls.
func MediumOf(channel interaction.Channel) Medium {
	switch channel {
	case interaction.ChannelChat:
		return Chat
	case interaction.ChannelEmail:
		return Email
	case interaction.ChannelSMS, interaction.ChannelWeb:
		return Openmedia
	}
	return Call
}

// Path returns the path of an object of a collection, such as /calls/{id}. In GWS a path is relative
// to /api/v2.
func Path(plural, id string) string { return "/" + plural + "/" + escaped(id) }

// URI returns the absolute address of an object of a collection. base is the start of absolute URIs,
// such as https://host.
func URI(base, plural, id string) string {
	return strings.TrimSuffix(base, "/") + "/api/v2" + Path(plural, id)
}

// escaped writes an id as one segment of a path. A segment of dots alone would be a step in the path.
func escaped(id string) string {
	if id == "." || id == ".." {
		return strings.ReplaceAll(id, ".", "%2E")
	}
	return url.PathEscape(id)
}
