package view

import "segue/contract"

// Replay begins a session: it returns the events that create all objects again, for a client that knows
// none. session.initialized is the last one.
func (d *Desktop) Replay() []Event {
	var events []Event
	for _, g := range d.groups {
		g.isOld = true
		events = append(events, g.created()...)
	}
	for _, c := range d.channels {
		c.isOld, c.interactions = true, nil
		events = append(events, d.added(c)...)
	}
	for _, id := range d.Interactions() {
		w := d.works[id]
		at := &contract.State{Revision: w.revision}
		at.Sequence = w.sequence
		s := &sequence{desktop: d, after: w, at: at}
		s.comes(true)
		events = append(events, s.events...)
	}
	return append(events, Event{Name: SessionInitialized, Data: Nothing{}})
}
