package notify

import (
	"encoding/json"
	"slices"
	"time"

	"segue/client"
	"segue/gateway/gws/view"
	"segue/gateway/index"
)

const (
	// watchLimit bounds the workbins that an agent watches.
	watchLimit = 100
	// idLimit bounds the id of a watched workbin, in bytes. Interactions have no longer names, and
	// objects that identify a workbin are small.
	idLimit = 4 << 10
	// watchFor is how long an agent without a session watches workbins.
	watchFor = 15 * time.Minute
	// contentLimit bounds a message with the content of a workbin.
	contentLimit = 1 << 20
)

// watch is a workbin that an agent watches, under an id.
type watch struct {
	agent   *agent
	id      string
	workbin workbin
}

// The members of WorkbinSubscriptionStateChangeMessage.stateResource.
const (
	stateSubscribed   = "Subscribed"
	stateUnsubscribed = "Unsubscribed"
	stateFailed       = "RequestFailed"
)

type subscriptionMessage struct {
	MessageType   string          `json:"messageType"`
	StateResource string          `json:"stateResource"`
	ID            string          `json:"id"`
	ReferenceID   json.RawMessage `json:"referenceId,omitempty"`
}

type contentMessage struct {
	MessageType  string            `json:"messageType"`
	ID           string            `json:"id"`
	ReferenceID  json.RawMessage   `json:"referenceId,omitempty"`
	Interactions []json.RawMessage `json:"interactions"`
	More         bool              `json:"more,omitempty"`
}

// WatchWorkbin notifies all sessions of an agent of what comes into a workbin and leaves it, under this id.
// workbin is a text or an object. An agent watches at most 100; more are RequestFailed, and so are longer
// ids than any workbin has.
func (n *Notifier) WatchWorkbin(a Agent, id string, value any, referenceID json.RawMessage) {
	n.lock()
	defer n.mu.Unlock()
	watching := n.agentFor(a)
	place := workbinOf(a.ContactCenter, value)
	isTooMany := watching.watches[id] == nil && len(watching.watches) >= watchLimit
	if place.key == "" || value == nil || len(id) > idLimit || isTooMany {
		n.tellSubscription(watching, stateFailed, id, referenceID)
		return
	}
	n.unwatch(watching, id)
	w := &watch{agent: watching, id: id, workbin: place}
	watching.watches[id] = w
	n.watched[place] = append(n.watched[place], w)
	n.tellSubscription(watching, stateSubscribed, id, referenceID)
}

// UnwatchWorkbin is the opposite of WatchWorkbin.
func (n *Notifier) UnwatchWorkbin(a Agent, id string, _ any, referenceID json.RawMessage) {
	n.lock()
	defer n.mu.Unlock()
	watching := n.agentFor(a)
	n.unwatch(watching, id)
	n.tellSubscription(watching, stateUnsubscribed, id, referenceID)
}

func (n *Notifier) unwatch(a *agent, id string) {
	w := a.watches[id]
	if w == nil {
		return
	}
	delete(a.watches, id)
	left := slices.DeleteFunc(n.watched[w.workbin], func(o *watch) bool { return o == w })
	if n.watched[w.workbin] = left; len(left) == 0 {
		delete(n.watched, w.workbin)
	}
}

func (n *Notifier) tellSubscription(a *agent, state, id string, referenceID json.RawMessage) {
	data := encode(subscriptionMessage{
		MessageType: "WorkbinSubscriptionStateChangeMessage", StateResource: state, ID: id, ReferenceID: referenceID,
	})
	for _, s := range a.sessions {
		s.send(message{Topic: topicWorkbins, Data: data})
	}
}

// tellWatchers notifies of an interaction that leaves a workbin or enters one. now is nil if it has ended;
// last is its last state in any case.
func (n *Notifier) tellWatchers(name client.Name, before, now, last *view.Look) {
	from, to := workbinOfLook(name.ContactCenter, before), workbinOfLook(name.ContactCenter, now)
	if from == to {
		return
	}
	n.tellItems(n.watched[from], "ItemRemoved", last)
	n.tellItems(n.watched[to], "ItemAdded", last)
}

// item is what a message about an interaction in a workbin depends on. agent is empty for those who have
// no part: a workbin may have a thousand watchers, who share one message.
type item struct{ id, agent, base string }

func (n *Notifier) tellItems(watches []*watch, action string, look *view.Look) {
	messages := map[item]json.RawMessage{}
	for _, w := range watches {
		agent := partIn(look, w.agent.name.ID)
		for _, s := range w.agent.sessions {
			of := item{w.id, agent, s.user.Base}
			if messages[of] == nil {
				messages[of] = encode(map[string]any{
					"messageType": "WorkbinStateChangeMessage", "action": action, "id": w.id,
					view.MediumOf(look.State.Channel).Name + "StateResourceV2": view.Of(*look, agent, s.user.Base),
				})
			}
			s.send(message{Topic: topicWorkbins, Data: messages[of]})
		}
	}
}

// partIn returns the agent if the interaction looks different for it than for those without a part.
func partIn(look *view.Look, agent string) string {
	owns := look.State.Agent != nil && look.State.Agent.ID == agent
	if owns || slices.Contains(index.AgentsOf(look.State), agent) {
		return agent
	}
	return ""
}

// WorkbinContent sends the interactions of a workbin to the agent's sessions: on /v2/me/workbins to those
// that have it, else on /v2/me/interactions. more says that there are more than these; the message says so
// also if it would be longer than 1 MiB.
func (n *Notifier) WorkbinContent(a Agent, id string, entries []*index.Entry, more bool, referenceID json.RawMessage) {
	byBase := map[string]json.RawMessage{}
	for _, base := range n.basesOf(a) {
		byBase[base] = contentOf(a.ID, id, entries, more, referenceID, base)
	}
	n.lock()
	defer n.mu.Unlock()
	known := n.agents[a]
	if known == nil {
		return
	}
	for _, s := range known.sessions {
		data := byBase[s.user.Base]
		if data == nil {
			continue // it was opened meanwhile
		}
		topic := topicInteractions
		if s.peer.Wants(topicWorkbins) {
			topic = topicWorkbins
		}
		s.send(message{Topic: topic, Data: data})
	}
}

// basesOf returns the bases of an agent's sessions, each once.
func (n *Notifier) basesOf(a Agent) []string {
	n.lock()
	defer n.mu.Unlock()
	var bases []string
	if known := n.agents[a]; known != nil {
		for _, s := range known.sessions {
			if !slices.Contains(bases, s.user.Base) {
				bases = append(bases, s.user.Base)
			}
		}
	}
	return bases
}

func contentOf(agent, id string, entries []*index.Entry, more bool, referenceID json.RawMessage, base string) json.RawMessage {
	content := contentMessage{
		MessageType: "WorkbinContentMessage", ID: id, ReferenceID: referenceID, Interactions: []json.RawMessage{}, More: more,
	}
	size := 0
	for _, e := range entries {
		element := view.Of(*lookOf(e), agent, base).StateMessage()
		if size += len(element) + 1; size > contentLimit {
			content.More = true
			break
		}
		content.Interactions = append(content.Interactions, element)
	}
	return encode(content)
}

// encode encodes a message. What cannot be encoded is empty.
func encode(value any) json.RawMessage {
	encoded, err := json.Marshal(value)
	if err != nil {
		return json.RawMessage("{}")
	}
	return encoded
}
