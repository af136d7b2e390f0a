package notify

import (
	"segue/gateway/gws/view"
	"segue/gateway/presence"
)

// presenceChanged notifies the sessions of an agent of the agent's channels, and of the device if the change
// was about voice.
func (n *Notifier) presenceChanged(before, after presence.Agent) {
	n.lock()
	defer n.mu.Unlock()
	a := n.agents[Agent{after.ContactCenter, after.ID}]
	if a == nil {
		return
	}
	byBase := map[string][]message{}
	for _, s := range a.sessions {
		messages, isKnown := byBase[s.user.Base]
		if !isKnown {
			messages = view.PresenceMessages(before, after, s.user.Base)
			byBase[s.user.Base] = messages
		}
		for _, m := range messages {
			s.send(m)
		}
	}
}
