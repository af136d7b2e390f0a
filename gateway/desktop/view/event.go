package view

import (
	"time"

	"segue/interaction"
)

// Event is one event for the client.
type Event struct {
	// Target is the path of the object, without the session: empty for the session itself.
	Target string
	// Name begins with the kind of the object, but for state.updated.
	Name string
	Data any
	// Sequence and Revision are those of the interaction; 0 for events that no change caused.
	Sequence, Revision int64
}

// The names of the events.
const (
	SessionInitialized         = "session.initialized"
	ChannelGroupCreated        = "channelgroup.created"
	ChannelGroupInitialized    = "channelgroup.initialized"
	ChannelInitialized         = "channel.initialized"
	ChannelInfoChanged         = "channel.infochanged"
	ChannelDispositionsUpdated = "channel.externaldispositions.updated"
	StateUpdated               = "state.updated"
	InteractionCreated         = "interaction.created"
	InteractionDataChanged     = "interaction.datachanged"
	InteractionPreview         = "interaction.preview"
	InteractionInitialized     = "interaction.initialized"
	InteractionFocusChanged    = "interaction.focuschanged"
	InteractionEnded           = "interaction.ended"
	InteractionSignalAdded     = "interaction.incontact.signaladded"
	InteractionSignalRemoved   = "interaction.incontact.signalremoved"
	ConversationCreated        = "conversation.created"
	ConversationInitialized    = "conversation.initialized"
	ConversationUpdated        = "conversation.updated"
	ConversationDisposed       = "conversation.disposed"
	ConversationMemberAdded    = "conversation.member.added"
)

// The types of conversations.
const (
	conversationPrimary = "primary"
	conversationConsult = "consult"
)

// The data of events.
type (
	// StateData is the data of state.updated; Previous is empty for a new object.
	StateData struct {
		State    string `json:"state"`
		Previous string `json:"previous,omitempty"`
	}
	// ChannelData is the data of channel.initialized and channel.infochanged.
	ChannelData struct {
		Channel ChannelInfo `json:"channel"`
	}
	// ChannelInfo is a channel, with the ids of the interactions that it shows.
	ChannelInfo struct {
		ID           string   `json:"id"`
		Type         Type     `json:"type"`
		Endpoint     string   `json:"endpoint"`
		Interactions []string `json:"interactions"`
	}
	// GroupData is the data of channelgroup.created and channelgroup.initialized.
	GroupData struct {
		Group GroupInfo `json:"channelgroup"`
	}
	// GroupInfo is a channel group.
	GroupInfo struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	// CreatedData is the data of interaction.created.
	CreatedData struct {
		Interaction InteractionInfo `json:"interaction"`
	}
	// InteractionInfo is an interaction.
	InteractionInfo struct {
		ID        string `json:"id"`
		NativeID  string `json:"nativeId"`
		Direction string `json:"direction"`
	}
	// OfferData is the data of interaction.preview and interaction.initialized.
	OfferData struct {
		Capabilities []string   `json:"capabilities"`
		OfferedUntil *time.Time `json:"offeredUntil,omitempty"`
	}
	// ConversationData is the data of conversation.created and interaction.focuschanged.
	ConversationData struct {
		Conversation ConversationInfo `json:"conversation"`
	}
	// ConversationInfo is a conversation; its type is primary or consult.
	ConversationInfo struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	}
	// MemberData is the data of conversation.member.added.
	MemberData struct {
		Member Member `json:"member"`
	}
	// InteractionData is the data of interaction.datachanged.
	InteractionData struct {
		Data        map[string]any   `json:"data"`
		Attributes  Attributes       `json:"attributes"`
		Disposition *DispositionData `json:"disposition,omitempty"`
	}
	// DispositionData is a disposition that was given. ID is that of the configured one with this value.
	DispositionData struct {
		ID    string `json:"interactionDispositionId,omitempty"`
		Value string `json:"value"`
		Notes string `json:"notes,omitempty"`
		Agent string `json:"agent,omitempty"`
	}
	// NativeData is the data of conversation.updated.
	NativeData struct {
		NativeID string `json:"nativeId"`
		ANI      string `json:"ani"`
		DNIS     string `json:"dnis"`
	}
	// EndData is the data of interaction.ended.
	EndData struct {
		Reason  string              `json:"reason"`
		Outcome interaction.Outcome `json:"outcome,omitempty"`
	}
	// NameData is the data of interaction.incontact.signalremoved.
	NameData struct {
		Name string `json:"name"`
	}
	// DispositionsData is the data of channel.externaldispositions.updated.
	DispositionsData struct {
		Dispositions []Disposition `json:"dispositions"`
	}
	// Nothing is the data of an event without any.
	Nothing struct{}
)
