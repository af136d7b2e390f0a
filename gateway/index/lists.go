package index

import (
	"cmp"
	"slices"

	"segue/bus"
	"segue/client"
)

// Get returns an open interaction as the index has it now.
func (x *Index) Get(n client.Name) (*Entry, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r := x.records[n]; r != nil && r.entry != nil {
		return r.entry, true
	}
	return nil, false
}

// List returns the open interactions of a contact center that match, oldest start first; all if
// match is nil. Call Catch before it.
func (x *Index) List(contactCenter string, match func(*Entry) bool) []*Entry {
	return filtered(x.at(place{contactCenter, byAll, ""}), match)
}

// OfAgent returns the open interactions in which an agent has an open leg, offers too, oldest start
// first. Call Catch before it.
func (x *Index) OfAgent(contactCenter, agent string) []*Entry {
	return filtered(x.at(place{contactCenter, byAgent, agent}), nil)
}

// OfQueue returns the open interactions whose queue this is, oldest start first. Call Catch before
// it.
func (x *Index) OfQueue(contactCenter, queue string) []*Entry {
	return filtered(x.at(place{contactCenter, byQueue, queue}), nil)
}

// OfWorkbin returns the open interactions in a workbin, a text or an object with the same keys,
// oldest start first. Call Catch before it.
func (x *Index) OfWorkbin(contactCenter string, workbin any) []*Entry {
	return filtered(x.at(place{contactCenter, byWorkbin, WorkbinKey(workbin)}), nil)
}

// Snapshot returns the open interactions of a contact center that match, as List does, and the
// position from which a reader goes on after it. A state may be later than that position: skip
// changes whose revision it has.
func (x *Index) Snapshot(contactCenter string, match func(*Entry) bool) ([]*Entry, bus.Position) {
	end := x.End() // before the list, so that nothing is between
	return x.List(contactCenter, match), end
}

// ContactCenters returns the contact centers that have open interactions.
func (x *Index) ContactCenters() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var names []string
	for p := range x.places {
		if p.by == byAll {
			names = append(names, p.contactCenter)
		}
	}
	slices.Sort(names)
	return names
}

func (x *Index) at(p place) []*Entry {
	x.mu.Lock()
	defer x.mu.Unlock()
	entries := make([]*Entry, 0, len(x.places[p]))
	for _, r := range x.places[p] {
		entries = append(entries, r.entry)
	}
	return entries
}

// filtered is called without the lock of the index: match and sorting may take long.
func filtered(entries []*Entry, match func(*Entry) bool) []*Entry {
	if match != nil {
		entries = slices.DeleteFunc(entries, func(e *Entry) bool { return !match(e) })
	}
	slices.SortFunc(entries, func(a, b *Entry) int {
		return cmp.Or(a.State.StartedAt.Compare(b.State.StartedAt), cmp.Compare(a.State.ID, b.State.ID))
	})
	return entries
}
