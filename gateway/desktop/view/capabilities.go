package view

import (
	"slices"

	"segue/gateway/parts"
)

// Legal returns the state of an interaction, or of a conversation of it, as the client knows it, and the commands of
// HIS among those that the agent may give. One that the client does not know is over.
func (d *Desktop) Legal(id, conversation string, may []string) (state string, commands []string) {
	if id == "" {
		return "", nil
	}
	known := d.works[id]
	if known == nil {
		return StateEnded, nil
	}
	w := *known
	w.may = may
	state = w.state
	if c := w.conversationOf(conversation); c != nil {
		state = c.state
	}
	return state, w.capabilities()
}

// capabilities returns the commands of HIS that an agent may give now, from those of the interaction.
func (w *work) capabilities() []string {
	can := func(command string) bool { return slices.Contains(w.may, command) }
	offers := []struct {
		name string
		can  bool
	}{
		{"interaction.accept", can("accept")},
		{"conversation.answer", can("accept") && w.primary != nil},
		{"interaction.reject", can("reject")},
		{"interaction.complete", w.isOwner && can("complete") || !w.isOwner && can("leave")},
		{"interaction.setdisposition", can("set_disposition")},
		{"interaction.request.incontact.signal", can("script_signal")},
		{"interaction.consultdial", can("consult")},
		{"interaction.consulttransfer", can("transfer") && w.leg.Part == parts.Consulting},
		{"interaction.consultconference", can("conference") && w.leg.Part == parts.Consulting && w.channelType == Telephony},
		{"conversation.hold", can("hold") && w.primary != nil && !w.leg.Held},
		{"conversation.retrieve", can("retrieve") && w.primary != nil && w.leg.Held},
		{"conversation.hangup", w.primary != nil && (w.isOwner && can("disconnect") || !w.isOwner && can("leave"))},
	}
	names := []string{}
	for _, o := range offers {
		if o.can {
			names = append(names, o.name)
		}
	}
	return names
}
