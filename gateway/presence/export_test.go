package presence

import "segue/bus"

// Replace gives what the stream has, as its reader does.
func (p *Presence) Replace(all ...bus.AgentEntry) { p.replace(all) }

// Get returns an agent's presence as this replica has it.
func (p *Presence) Get(contactCenter, agent string) Agent { return p.get(contactCenter, agent) }
