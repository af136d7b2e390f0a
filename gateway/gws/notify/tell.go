package notify

import (
	"encoding/json"
	"slices"
	"time"

	"segue/client"
	"segue/contract"
	"segue/gateway/gws/view"
	"segue/gateway/index"
)

type message = view.Message

// tell notifies all sessions of each agent with a leg before or after a change, each of them once.
func (n *Notifier) tell(name client.Name, before *view.Look, notice *contract.Notice) {
	after := index.AgentsOf(notice.State)
	if before == nil {
		notice = asFirst(notice, after)
	}
	change := view.NewChange(before, notice, nil)
	for _, id := range change.Agents() {
		if a := n.agents[Agent{name.ContactCenter, id}]; a != nil {
			n.tellAgent(a, name, change, notice, slices.Contains(after, id))
		}
	}
}

// asFirst returns a notice of an interaction that sessions have not seen: all of it is new to the agents who
// take part now, also to those who did before.
func asFirst(notice *contract.Notice, after []string) *contract.Notice {
	isAfter := func(id string) bool { return slices.Contains(after, id) }
	if !slices.ContainsFunc(notice.AgentsBefore, isAfter) {
		return notice
	}
	first := *notice
	first.AgentsBefore = slices.DeleteFunc(slices.Clone(notice.AgentsBefore), isAfter)
	return &first
}

// tellAgent notifies the sessions of one agent. What ends for the agent is kept for sessions that may be
// lost, or are.
func (n *Notifier) tellAgent(a *agent, name client.Name, change *view.Change, notice *contract.Notice, takesPart bool) {
	reference := referenceFor(a.name.ID, notice)
	byBase := map[string][]message{}
	messages := func(base string) []message {
		if _, isKnown := byBase[base]; !isKnown {
			byBase[base] = change.Notifications(a.name.ID, base, reference)
		}
		return byBase[base]
	}
	for _, s := range a.sessions {
		for _, m := range messages(s.user.Base) {
			s.send(m)
		}
	}
	for _, l := range a.lost {
		messages(l.base)
	}
	n.forget(a, name)
	if !takesPart {
		n.keep(a, &end{interaction: name, at: time.Now(), messages: firstOfEach(byBase)})
	}
}

// referenceFor returns the referenceId of the request that caused a change, if this agent sent it.
func referenceFor(agent string, notice *contract.Notice) json.RawMessage {
	if notice.By == nil || notice.By.ID != agent {
		return nil
	}
	return view.ReferenceOf(notice.EventID)
}

// firstOfEach returns the first message on each topic: the one that has the state.
func firstOfEach(byBase map[string][]message) map[string][]message {
	first := make(map[string][]message, len(byBase))
	for base, messages := range byBase {
		for _, m := range messages {
			if !slices.ContainsFunc(first[base], func(o message) bool { return o.Topic == m.Topic }) {
				first[base] = append(first[base], m)
			}
		}
	}
	return first
}
