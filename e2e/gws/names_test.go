package gws_test

import (
	"slices"

	"segue/interaction"
)

// medium is a medium of GWS.
type medium struct{ name, plural string }

var (
	mediumCall      = medium{"call", "calls"}
	mediumChat      = medium{"chat", "chats"}
	mediumEmail     = medium{"email", "emails"}
	mediumOpenmedia = medium{"openmedia", "openmedia"}
)

func mediumOf(channel interaction.Channel) medium {
	switch channel {
	case interaction.ChannelChat:
		return mediumChat
	case interaction.ChannelEmail:
		return mediumEmail
	case interaction.ChannelSMS, interaction.ChannelWeb:
		return mediumOpenmedia
	}
	return mediumCall
}

// row is a row of the table of state names: for calls, for chats, for the others.
type row [3]string

func (r row) of(m medium) string {
	switch m {
	case mediumCall:
		return r[0]
	case mediumChat:
		return r[1]
	}
	return r[2]
}

// stateNames is the table of the agents who have a part.
var stateNames = map[part]row{
	partOffered:    {"Ringing", "Invited", "Invited"},
	partAssigned:   {"Ringing", "Invited", "Invited"},
	partDialing:    {"Dialing", "", ""},
	partHandling:   {"Established", "Chatting", "Processing"},
	partConsulting: {"Established", "Chatting", "Processing"},
	partConsulted:  {"Established", "Chatting", "Processing"},
	partConference: {"Established", "Chatting", "Processing"},
	partComposing:  {"", "Composing", "Composing"},
	partWrapUp:     {"Released", "Chatting", "Processing"},
}

// The last rows of the table: a part that is over.
var (
	lost     = row{"Released", "Revoked", "Revoked"}
	canceled = row{"Released", "Canceled", "Canceled"}
	over     = row{"Released", "Completed", "Completed"}
)

// stateName returns the name of the state for an agent with a part; "" if the table has none.
func (l look) stateName() string {
	name := stateNames[l.part()].of(l.medium)
	if name == "Established" && l.isHeld() {
		return "Held"
	}
	return name
}

// overNames returns the names of which one must be shown to an agent whose part has just ended with a
// command. An agent who had an interaction from the start and gave it away has lost no offer; whether one
// from whom it was taken has, the table leaves open.
func overNames(before, after look, c command, by *interaction.Actor) []string {
	own := by != nil && by.ID == before.agent
	switch before.part() {
	case partOffered:
		switch {
		case c.name != "reject" || c.payload["agent"] != before.agent && !own:
			return []string{lost.of(before.medium)}
		case own:
			return []string{over.of(before.medium)}
		}
		return []string{over.of(before.medium), lost.of(before.medium)} // the platform says that the agent has rejected it
	case partAssigned:
		if !own {
			return []string{lost.of(before.medium), over.of(before.medium)}
		}
	case partComposing:
		if after.Outcome == interaction.OutcomeCanceled {
			return []string{canceled.of(before.medium)}
		}
	}
	return []string{over.of(before.medium)}
}

// shownNames returns the names of which one must be in the answer to a GET of the agent, or of somebody
// who is none (agent ""); nil if the table has none.
func (l look) shownNames() []string {
	if l.part() != partNone {
		return known(l.stateName())
	}
	switch l.State {
	case interaction.StateStarted, interaction.StateQueued, interaction.StateEngaging:
		return []string{"Queued"}
	case interaction.StateInWorkbin:
		return []string{"InWorkbin"}
	case interaction.StateCompleted:
		if l.medium == mediumCall {
			return []string{"Released"}
		}
		return []string{"Completed", "Canceled", "Revoked"}
	case interaction.StateOffered: // there is no owner
		return []string{"Queued", stateNames[partOffered].of(l.medium)}
	}
	if l.owner() == "" {
		return nil
	}
	owner := l
	owner.agent = l.owner()
	if owner.part() == partNone {
		return nil
	}
	return known(owner.stateName())
}

func known(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

// likeNamed are the capabilities that have a command's name.
var likeNamed = map[string]string{"reject": "Reject", "cancel": "Cancel", "transfer": "Transfer", "place_in_queue": "PlaceInQueue",
	"place_in_workbin": "PlaceInWorkbin", "attach_user_data": "AttachUserData", "update_user_data": "UpdateUserData",
	"delete_user_data": "DeleteUserData", "set_disposition": "SetDisposition", "set_attributes": "AddComment"}

// shownCapabilities returns the capabilities as GWS names them, sorted; none without a part.
func (l look) shownCapabilities() []string {
	shown := []string{}
	if l.part() == partNone {
		return shown
	}
	may := func(command string) bool { return slices.Contains(l.capabilities, command) }
	add := func(name string, shows bool) {
		if shows && !slices.Contains(shown, name) {
			shown = append(shown, name)
		}
	}
	for _, command := range l.capabilities {
		add(likeNamed[command], likeNamed[command] != "")
	}
	isOwner := l.owner() == l.agent
	mayHangUp := may("leave")
	if isOwner {
		mayHangUp = may("disconnect")
	}
	add(map[bool]string{true: "Answer", false: "Accept"}[l.medium == mediumCall], may("accept"))
	// A draft is sent by its owner alone; another who wraps up leaves it.
	add(map[bool]string{true: "Send", false: "Complete"}[l.isDraft && may("complete")], may("complete") || may("leave"))
	add("SetInFocus", len(l.capabilities) > 0)
	switch l.medium {
	case mediumEmail:
		add("Reply", may("reply"))
		add("ReplyAll", may("reply"))
	case mediumChat:
		add("Leave", mayHangUp)
	case mediumCall:
		// In a consultation the customer is on hold, and retrieve ends it.
		add("Hold", may("hold") && !may("retrieve"))
		add("Retrieve", may("retrieve"))
		add("Hangup", mayHangUp)
		add("InitiateTransfer", may("consult"))
		add("CompleteTransfer", may("transfer") && l.State == interaction.StateConsulting)
		add("SingleStepConference", may("conference"))
		add("SingleStepTransfer", may("transfer"))
		add("DeleteUserDataPair", may("delete_user_data"))
	}
	slices.Sort(shown)
	return shown
}
