package platform

import (
	"slices"

	"segue/client"
	"segue/contract"
	"segue/gateway/index"
)

// interest is which events a stream has. Empty filters match all.
type interest struct {
	contactCenter string
	// own is the agent whose stream it is; empty for callers who see all of the contact center.
	own                                   string
	interactions, agents, queues, moments []string
}

// notice reports whether the stream has the events of a notice.
func (i *interest) notice(n *contract.Notice) bool {
	return n.ContactCenter == i.contactCenter && has(i.interactions, n.Interaction) &&
		(len(i.agents) == 0 || slices.ContainsFunc(i.agents, func(agent string) bool { return takesPart(n, agent) })) &&
		(len(i.queues) == 0 || slices.ContainsFunc(i.queues, func(queue string) bool { return concernsQueue(n, queue) }))
}

// gap reports whether the stream has a gap before a notice. What is lost may have concerned any agent
// and any queue.
func (i *interest) gap(n *contract.Notice) bool {
	if i.own != "" {
		return i.notice(n)
	}
	return n.ContactCenter == i.contactCenter && has(i.interactions, n.Interaction)
}

// change reports whether the stream has anything of a change.
func (i *interest) change(c *index.Change) bool {
	if c.Gap != nil {
		return i.gap(c.Notice)
	}
	return i.notice(c.Notice)
}

// moment reports whether the stream has the events of a moment.
func (i *interest) moment(when string) bool { return has(i.moments, when) }

// state reports whether the stream has the state of an open interaction.
func (i *interest) state(e *index.Entry) bool {
	return has(i.interactions, e.State.ID) && (len(i.queues) == 0 || slices.Contains(i.queues, e.State.Queue)) &&
		(len(i.agents) == 0 || slices.ContainsFunc(i.agents, func(agent string) bool { return isIn(e.State, e.CapabilitiesFor, agent) }))
}

func has(filter []string, value string) bool {
	return len(filter) == 0 || slices.Contains(filter, value)
}

// takesPart reports whether an agent has a part in the interaction before or after a change.
func takesPart(n *contract.Notice, agent string) bool {
	return slices.Contains(n.AgentsBefore, agent) || isIn(n.State, n.CapabilitiesFor, agent)
}

// isIn reports whether an agent has a part in an interaction, an offer too.
func isIn(state *contract.State, capabilitiesFor map[string][]string, agent string) bool {
	if _, ok := capabilitiesFor[agent]; ok || state == nil {
		return ok
	}
	for i := range state.Participants {
		if a := state.Participants[i].Agent; a != nil && a.ID == agent {
			return true
		}
	}
	for i := range state.OfferedTo {
		if state.OfferedTo[i].ID == agent {
			return true
		}
	}
	return false
}

// concernsQueue reports whether an interaction is in a queue after a change, or the change names it.
func concernsQueue(n *contract.Notice, queue string) bool {
	if n.State != nil && n.State.Queue == queue {
		return true
	}
	for i := range n.Events {
		if n.Events[i].Queue == queue {
			return true
		}
	}
	return false
}

// known are the revisions of the states that a resync has shown: changes up to them are no news.
type known map[client.Name]revision

type revision struct {
	run    string
	number int64
}

func (k known) has(n *contract.Notice) bool {
	shown, ok := k[client.Name{ContactCenter: n.ContactCenter, ID: n.Interaction}]
	return ok && shown.run == n.RunID && n.Revision <= shown.number
}
