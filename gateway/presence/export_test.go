package presence

import "segue/bus"

// Replace gives what the stream has, as its reader does.
func (p *Presence) Replace(all ...bus.AgentEntry) { p.replace(all) }
