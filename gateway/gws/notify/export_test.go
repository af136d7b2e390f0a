package notify

import "segue/gateway/gws/view"

// BoundEnds replaces the bound of what is kept of ends for all agents.
func (n *Notifier) BoundEnds(bytes int) {
	n.lock()
	defer n.mu.Unlock()
	n.endsOfAll = bytes
}

// PartIn returns the agent for whom an interaction in a workbin is shown to an agent.
func PartIn(look *view.Look, agent string) string { return partIn(look, agent) }
