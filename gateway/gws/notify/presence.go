package notify

import "segue/gateway/presence"

// presenceChanged notifies the sessions of an agent of the agent's channels, and of the device if the change
// was about voice.
func (n *Notifier) presenceChanged(before, after presence.Agent) {
	n.lock()
	defer n.mu.Unlock()
	a := n.agents[Agent{after.ContactCenter, after.ID}]
	if a == nil {
		return
	}
	_ = before
}
