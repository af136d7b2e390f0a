package notify

import (
	"encoding/json"
	"slices"
	"time"

	"segue/client"
	"segue/contract"
	"segue/gateway/gws/view"
)

type message = view.Message

// tell notifies all sessions of each agent with a leg before or after a change, each of them once.
func (n *Notifier) tell(name client.Name, before *view.Look, notice *contract.Notice) {
	after := agentsOf(&view.Look{State: notice.State, CapabilitiesFor: notice.CapabilitiesFor})
	notice = withBefore(notice, agentsOf(before))
	concerned := slices.Clone(notice.AgentsBefore)
	for _, id := range after {
		if !slices.Contains(concerned, id) {
			concerned = append(concerned, id)
		}
	}
	for _, id := range concerned {
		if a := n.agents[Agent{name.ContactCenter, id}]; a != nil {
			n.tellAgent(a, name, before, notice, slices.Contains(after, id))
		}
	}
}

// withBefore returns a notice that has these agents, too, as agents before. After a gap they are not those
// of the notice alone.
func withBefore(notice *contract.Notice, agents []string) *contract.Notice {
	lacking := slices.DeleteFunc(slices.Clone(agents), func(id string) bool { return slices.Contains(notice.AgentsBefore, id) })
	if len(lacking) == 0 {
		return notice
	}
	wider := *notice
	wider.AgentsBefore = slices.Concat(notice.AgentsBefore, lacking)
	return &wider
}

// tellAgent notifies the sessions of one agent. What ends for the agent is kept for sessions that may be
// lost, or are.
func (n *Notifier) tellAgent(a *agent, name client.Name, before *view.Look, notice *contract.Notice, takesPart bool) {
	reference := referenceFor(a.name.ID, notice)
	byBase := map[string][]message{}
	messages := func(base string) []message {
		if _, isKnown := byBase[base]; !isKnown {
			byBase[base] = view.Notifications(before, notice, a.name.ID, base, reference)
		}
		return byBase[base]
	}
	for _, s := range a.sessions {
		for _, m := range messages(s.user.Base) {
			n.send(s, m)
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
