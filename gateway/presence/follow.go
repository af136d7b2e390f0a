package presence

import (
	"maps"
	"slices"
	"time"

	"segue/bus"
)

// replace sets everything to what the stream has. What changed while this replica could not read it is
// a change for those who watch; what it has first of all is none. What a stream that was made again lacks
// stays, and is written into it: agents are not logged out because the bus was restarted.
func (p *Presence) replace(all []bus.AgentEntry) {
	next, count := make(map[key]entry, len(all)), map[string]int{}
	for _, found := range all {
		count[found.ContactCenter]++
		next[key{found.ContactCenter, found.Agent}] = entry{agent: p.decode(found), revision: found.Revision, at: found.At}
	}
	p.mu.Lock()
	had, isFirst := p.agents, !p.complete
	kept := keptOf(had, next)
	for k, e := range kept {
		if _, ok := next[k]; !ok {
			count[k.contactCenter]++
		}
		next[k] = e
	}
	p.agents, p.count, p.complete = next, count, true
	told := p.change()
	p.mu.Unlock()
	p.restore(kept)
	if isFirst {
		return
	}
	for k, e := range next {
		if before := had[k]; !before.isSame(&e) {
			tell(told, before.orLoggedOut(k), e.agent)
		}
	}
	for k, e := range had {
		if _, ok := next[k]; !ok && e.agent.IsLoggedIn() {
			tell(told, e.agent, e.lost(k))
		}
	}
}

// keptOf returns what the stream has lost. An entry gets the revision that it has in the new stream.
func keptOf(had, next map[key]entry) map[key]entry {
	kept := map[key]entry{}
	for k, e := range had {
		if found := next[k]; e.outlives(&found) {
			e.revision, e.isUnwritten = found.revision, true
			kept[k] = e
		}
	}
	return kept
}

// outlives reports whether the stream has lost an entry: it has none of that agent, or an earlier one under
// a lower revision, as after a restart without storage.
func (e *entry) outlives(found *entry) bool {
	switch {
	case !e.isUnwritten && e.revision <= found.revision, e.isExpired(time.Now()):
		return false
	case found.revision == 0:
		return e.agent.IsLoggedIn()
	}
	return found.agent.Changed.Before(e.agent.Changed)
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
	if !before.isSame(&e) {
		tell(told, before.orLoggedOut(k), e.agent)
	}
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

// isSame reports whether two entries have the same presence, also if one was restored.
func (e *entry) isSame(o *entry) bool {
	if e.agent.Changed.IsZero() || o.agent.Changed.IsZero() {
		return e.revision == o.revision
	}
	return e.agent.Changed.Equal(o.agent.Changed)
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
