package notify

import "segue/gateway/gws/view"

// BoundEnds replaces the bound of what is kept of ends for all agents.
func (n *Notifier) BoundEnds(bytes int) {
	n.lock()
	defer n.mu.Unlock()
	n.endsOfAll = bytes
}

// IsReady reports whether the notifier has all open interactions and follows their changes.
func (n *Notifier) IsReady() bool {
	n.lock()
	defer n.mu.Unlock()
	return n.complete && n.reading
}

// Counts returns the number of sessions with a topic, that of ended ones that may come back, and that of
// interactions whose state is being queried.
func (n *Notifier) Counts() (sessions, lost, asking int) {
	n.lock()
	defer n.mu.Unlock()
	for _, a := range n.agents {
		sessions += len(a.sessions)
		lost += len(a.lost)
	}
	for _, r := range n.records {
		if r.wait != nil {
			asking++
		}
	}
	return sessions, lost, asking
}

// PartIn returns the agent for whom an interaction in a workbin is shown to an agent.
func PartIn(look *view.Look, agent string) string { return partIn(look, agent) }
