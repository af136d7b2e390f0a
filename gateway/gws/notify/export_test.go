package notify

import "segue/gateway/presence"

// PresenceChanged is what the notifier has presence.Watch call.
func (n *Notifier) PresenceChanged(before, after presence.Agent) { n.presenceChanged(before, after) }
