package view

import (
	"reflect"
	"strconv"
	"time"

	"segue/contract"
	"segue/gateway/parts"
	"segue/interaction"
)

// PrimaryID is the id of the conversation with the customer.
const PrimaryID = "p"

const consultPrefix = "k-"

// conversation is one conversation of an interaction.
type conversation struct {
	id, state string
	members   []Member
}

// work is an interaction as an agent who has a part in it sees it.
type work struct {
	id          string
	channelType Type
	direction   string
	run         string
	revision    int64
	sequence    int64
	leg         parts.Leg
	isOwner     bool
	state       string
	// primary and consult are nil if there is none.
	primary, consult *conversation
	data             map[string]any
	attributes       Attributes
	disposition      *interaction.Disposition
	signals          []interaction.Signal
	may              []string
	offeredUntil     *time.Time
	startedAt        time.Time
	// consults counts the consultations of the agent so far, and channel is where the work is shown.
	consults int
	channel  *Channel
}

// Attributes are what set_attributes sets.
type Attributes struct {
	NativeID        string         `json:"nativeId"`
	ANI             string         `json:"ani"`
	DNIS            string         `json:"dnis"`
	BusinessProcess string         `json:"businessProcess"`
	Comment         string         `json:"comment"`
	Customer        map[string]any `json:"customer,omitempty"`
}

// see returns the work of an agent in a state; nil if the agent has no part. before is the work as it was
// last seen, nil if it is new.
func see(state *contract.State, may []string, agent string, before *work) *work {
	l := parts.Of(state, agent)
	if l.Part == parts.None || state.State == interaction.StateCompleted {
		return nil
	}
	w := &work{
		id: state.ID, channelType: TypeOf(state.Channel), direction: directionOf(state), run: state.RunID,
		revision: state.Revision, sequence: state.Sequence, leg: l, isOwner: parts.Owns(state, agent), state: interactionState(l),
		data: state.UserData, disposition: state.Disposition, signals: state.Signals, may: may,
		offeredUntil: state.OfferedUntil, startedAt: state.StartedAt,
		attributes: attributesOf(state),
	}
	if l.Part != parts.Offered {
		w.offeredUntil = nil
	}
	wasConsulting := false
	if before != nil {
		w.consults, w.channel, wasConsulting = before.consults, before.channel, before.consult != nil
	}
	if w.channelType == Telephony {
		w.converse(state, agent, wasConsulting)
	}
	return w
}

// converse sets the conversations.
func (w *work) converse(state *contract.State, agent string, wasConsulting bool) {
	if is := conversationState(w.leg); is != "" {
		w.primary = &conversation{id: PrimaryID, state: is, members: []Member{customerOf(state)}}
		if w.leg.Part == parts.Conference && w.isOwner {
			w.primary.members = append(w.primary.members, othersIn(state, agent, interaction.SegmentInConference)...)
		}
	}
	if w.leg.Part != parts.Consulting {
		return
	}
	if !wasConsulting {
		w.consults++
	}
	w.consult = &conversation{id: consultPrefix + strconv.Itoa(w.consults), state: StateActive,
		members: othersIn(state, agent, interaction.SegmentConsulting)}
}

// conversationOf returns a conversation by its id; nil if there is none.
func (w *work) conversationOf(id string) *conversation {
	for _, c := range []*conversation{w.primary, w.consult} {
		if c != nil && c.id == id {
			return c
		}
	}
	return nil
}

// sameData reports whether user data, attributes and disposition are as before. The native id belongs to
// the conversation, if there is one.
func (w *work) sameData(before *work) bool {
	now, then := w.attributes, before.attributes
	if w.primary != nil && before.primary != nil {
		now.NativeID, then.NativeID = "", ""
	}
	return sameObject(now.Customer, then.Customer) && now.withoutCustomer() == then.withoutCustomer() &&
		sameObject(w.data, before.data) && sameDisposition(w.disposition, before.disposition)
}

// plainAttributes are the attributes that are texts.
type plainAttributes struct{ nativeID, ani, dnis, businessProcess, comment string }

func (a Attributes) withoutCustomer() plainAttributes {
	return plainAttributes{a.NativeID, a.ANI, a.DNIS, a.BusinessProcess, a.Comment}
}

func sameDisposition(a, b *interaction.Disposition) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Code == b.Code && a.Notes == b.Notes && a.Agent == b.Agent
}

// sameObject reports whether two objects are equal; none is the same as an empty one.
func sameObject(a, b map[string]any) bool {
	return len(a) == len(b) && (len(a) == 0 || reflect.DeepEqual(a, b))
}
