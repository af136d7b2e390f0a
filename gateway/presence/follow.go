package presence

import (
	"maps"
	"slices"
	"time"

	"segue/bus"
)

// replace sets everything to what the stream has. What changed while this replica could not read it is
// a change for those who watch; what it has first of all is none.
func (p *Presence) replace(all []bus.AgentEntry) {
	next, count := make(map[key]entry, len(all)), map[string]int{}
	for _, found := range all {
		count[found.ContactCenter]++
		next[key{found.ContactCenter, found.Agent}] = entry{agent: p.decode(found), revision: found.Revision, at: found.At}
	}
	p.mu.Lock()
	had, isFirst := p.agents, !p.complete
	p.agents, p.count, p.complete = next, count, true
	told := p.change()
	p.mu.Unlock()
	if isFirst {
		return
	}
	for k, e := range next {
		if before := had[k]; before.revision != e.revision {
			tell(told, before.orLoggedOut(k), e.agent)
		}
	}
	for k, e := range had {
		if _, ok := next[k]; !ok && e.agent.IsLoggedIn() {
			tell(told, e.agent, e.lost(k))
		}
	}
}

// apply applies one change.
func (p *Presence) apply(found bus.AgentEntry) {
	k := key{found.ContactCenter, found.Agent}
	e := entry{agent: p.decode(found), revision: found.Revision, at: found.At}
	p.mu.Lock()
	before := p.agents[k]
	if before.revision >= e.revision {
		p.mu.Unlock()
		return
	}
	if before.revision == 0 {
		p.count[k.contactCenter]++
	}
	p.agents[k] = e
	told := p.change()
	p.mu.Unlock()
	tell(told, before.orLoggedOut(k), e.agent)
}

// change wakes those who wait for a change, and returns those who watch. The caller has the lock.
func (p *Presence) change() []*func(before, after Agent) {
	close(p.changed)
	p.changed = make(chan struct{})
	return slices.Collect(maps.Keys(p.watchers))
}

// tell gives a change to those who watch. Each has copies of its own.
func tell(told []*func(before, after Agent), before, after Agent) {
	for _, each := range told {
		(*each)(before.clone(), after.clone())
	}
}

// orLoggedOut returns the presence; LoggedOut of an entry that is not there.
func (e *entry) orLoggedOut(k key) Agent {
	if e.revision == 0 || e.isExpired(time.Now()) {
		return loggedOut(k.contactCenter, k.id)
	}
	return e.agent
}

// lost returns the presence of an agent of whom the bus has nothing any more.
func (e *entry) lost(k key) Agent {
	a := loggedOut(k.contactCenter, k.id)
	for _, c := range e.agent.Channels {
		a.Concerns = append(a.Concerns, c.Name)
	}
	a.Since = time.Now().UTC()
	a.Changed = a.Since
	return a
}
