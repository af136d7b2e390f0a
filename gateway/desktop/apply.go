package desktop

import (
	"runtime/debug"
	"time"

	"segue/client"
	"segue/contract"
	"segue/gateway/desktop/view"
)

// commandUnknown is the command of a change whose notice was not seen.
const commandUnknown = "repair"

// unseen returns the change to a state of which there is no notice.
func unseen(state *contract.State, capabilities map[string][]string) view.Change {
	return view.Change{Command: commandUnknown, State: state, CapabilitiesFor: capabilities}
}

// apply applies a change to the desktop of an agent and sends its events. What the client knows already
// changes nothing.
func (s *Server) apply(one *seat, c view.Change, run string, revision int64) {
	name := client.Name{ContactCenter: one.agent.contactCenter, ID: c.State.ID}
	shownRun, shownRevision, isShown := one.desktop.Shown(name.ID)
	if isShown && shownRun == run && revision <= shownRevision {
		return
	}
	if last, isPast := one.past[name.ID]; !isShown && isPast && last.run == run && revision <= last.revision {
		return
	}
	s.guard(name, func() { one.send(one.desktop.Apply(c)) })
	s.note(one, name, isShown, run, revision)
}

// note keeps who shows an interaction, and which are over.
func (s *Server) note(one *seat, name client.Name, wasShown bool, run string, revision int64) {
	_, _, isShown := one.desktop.Shown(name.ID)
	switch {
	case isShown:
		delete(one.past, name.ID)
		if s.showing[name] == nil {
			s.showing[name] = map[*seat]struct{}{}
		}
		s.showing[name][one] = struct{}{}
	case wasShown:
		s.unshow(one, name)
		if len(one.past) >= maxPast {
			clear(one.past)
		}
		one.past[name.ID] = past{run: run, revision: revision, at: time.Now()}
	}
}

func (s *Server) unshow(one *seat, name client.Name) {
	delete(s.showing[name], one)
	if len(s.showing[name]) == 0 {
		delete(s.showing, name)
	}
}

// finish ends an interaction for an agent that is over without a change that says so.
func (s *Server) finish(one *seat, id string) {
	name := client.Name{ContactCenter: one.agent.contactCenter, ID: id}
	run, revision, isShown := one.desktop.Shown(id)
	if !isShown {
		return
	}
	s.guard(name, func() { one.send(one.desktop.End(id)) })
	s.note(one, name, true, run, revision)
}

// guard keeps the server alive whatever a state has: others have their events.
func (s *Server) guard(name client.Name, do func()) {
	defer func() {
		if failure := recover(); failure != nil {
			s.log.Error("A change cannot be sent to sessions of desktops", "interaction", name.String(), "stack", string(debug.Stack()))
		}
	}()
	do()
}
