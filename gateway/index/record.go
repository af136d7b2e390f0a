package index

import (
	"encoding/json"
	"slices"
	"time"

	"segue/bus"
	"segue/client"
	"segue/contract"
	"segue/interaction"
)

// Entry is one interaction in the index. It is read only.
type Entry struct {
	State           *contract.State
	CapabilitiesFor map[string][]string
	// At is the position of the notice that brought the state; zero if a query did.
	At bus.Position
}

// cursor is a place in the changes of an interaction. chain is the first run of the chain of
// continue-as-new runs; empty if it is not known, as after a query.
type cursor struct {
	run      string
	revision int64
	chain    string
}

// at returns the cursor of a notice.
func at(n *contract.Notice) cursor { return cursor{n.RunID, n.Revision, n.FirstRunID} }

// continues reports whether a notice is the next after a cursor, by continue-as-new too. A late
// notice of a run that a reset has ended, and of which nothing was seen, passes for one; the next
// notice of the current run corrects that by a query.
func (c cursor) continues(n *contract.Notice) bool {
	return n.Revision == c.revision+1 && (n.RunID == c.run || !begins(n) && n.FirstRunID == c.chain)
}

// runs are the last runs that an interaction has left behind.
type runs []string

const runsLimit = 4

// and returns the runs with another one.
func (r runs) and(run string) runs {
	if run == "" {
		return r
	}
	return append(slices.Clone(r[max(0, len(r)-runsLimit+1):]), run)
}

func (r runs) without(run string) runs {
	return slices.DeleteFunc(slices.Clone(r), func(o string) bool { return o == run })
}

func (r runs) has(run string) bool { return slices.Contains(r, run) }

// has reports whether a cursor has reached a revision of a run, or of one that it has left behind.
func (c cursor) has(left runs, run string, revision int64) bool {
	return c.run != "" && (run == "" || run == c.run || left.has(run)) && c.revision >= revision
}

// record is what the index knows of one interaction.
type record struct {
	name client.Name
	// state is the cursor of entry, and left the runs before its run. entry is nil once the
	// interaction has ended. version counts the changes of state.
	state   cursor
	left    runs
	entry   *Entry
	version uint64
	// shown is the cursor of the history, and shownLeft the runs before its run. Before the first
	// notice, shown is empty, and base is the state that a query had: what streams that begin later
	// start from.
	shown     cursor
	shownLeft runs
	base      cursor
	// older is set if it did not answer when this replica began: it may have had any revision.
	older bool
	// decided is the run that a query found to be the current one.
	decided string
	held    []*held
	// dead is a run that was terminated: it never completes.
	dead   string
	ended  bool
	closed time.Time
	since  time.Time
	sweep  uint64
	at     []place
}

// place is where lists find an interaction.
type place struct {
	contactCenter string
	by            string
	id            string
}

const (
	byAll     = ""
	byAgent   = "agent"
	byQueue   = "queue"
	byWorkbin = "workbin"
)

func (x *Index) record(n client.Name) *record {
	r := x.records[n]
	if r == nil {
		r = &record{name: n, since: time.Now()}
		x.records[n] = r
	}
	return r
}

// setState makes a state the latest one.
func (x *Index) setState(r *record, at cursor, entry *Entry) {
	if r.state.run != at.run {
		r.left = r.left.and(r.state.run).without(at.run)
	}
	r.state = at
	r.version++
	x.unlist(r)
	if entry.State.State == interaction.StateCompleted || at.run == r.dead {
		x.end(r)
	} else {
		r.ended = false
		r.entry = entry
		x.list(r)
	}
	x.wake(r)
	x.hasState(r)
	x.found(r.name)
}

// end keeps of an ended interaction what late notices are compared with.
func (x *Index) end(r *record) {
	r.entry, r.closed = nil, time.Now()
	if !r.ended {
		r.ended = true
		x.ended.push(r)
	}
	for x.ended.len() > endedLimit {
		x.forgetEnded()
	}
}

// endedLimit bounds the ended interactions that are remembered, and endedFor is how long: longer
// than the stream keeps their notices.
const (
	endedLimit = 1 << 17
	endedFor   = bus.MaxAge + time.Minute
)

// forgetEnded removes the record that ended first.
func (x *Index) forgetEnded() {
	r := x.ended.front()
	x.ended.drop()
	if r.ended && x.records[r.name] == r {
		x.remove(r)
	}
}

// forgetOld removes records that ended long ago and are not among the running interactions.
func (x *Index) forgetOld() {
	for range x.ended.len() {
		r := x.ended.front()
		if time.Since(r.closed) < endedFor {
			return
		}
		if r.ended && r.sweep == x.sweep && x.records[r.name] == r {
			x.ended.drop()
			r.closed = time.Now()
			x.ended.push(r)
			continue
		}
		x.forgetEnded()
	}
}

// remove forgets an interaction.
func (x *Index) remove(r *record) {
	for _, h := range r.held {
		h.done = true
		x.history.skip(h.sequence)
	}
	x.unlist(r)
	r.entry, r.held = nil, nil
	delete(x.records, r.name)
	delete(x.bare, r)
	x.found(r.name)
}

func (x *Index) list(r *record) {
	cc := r.name.ContactCenter
	s := r.entry.State
	r.at = append(r.at[:0], place{cc, byAll, ""})
	for _, agent := range AgentsOf(s) {
		r.at = append(r.at, place{cc, byAgent, agent})
	}
	if s.Queue != "" {
		r.at = append(r.at, place{cc, byQueue, s.Queue})
	}
	if s.Workbin != nil {
		r.at = append(r.at, place{cc, byWorkbin, WorkbinKey(s.Workbin)})
	}
	for _, p := range r.at {
		if x.places[p] == nil {
			x.places[p] = map[client.Name]*record{}
		}
		x.places[p][r.name] = r
	}
	x.open++
}

func (x *Index) unlist(r *record) {
	if len(r.at) > 0 {
		x.open--
	}
	for _, p := range r.at {
		delete(x.places[p], r.name)
		if len(x.places[p]) == 0 {
			delete(x.places, p)
		}
	}
	r.at = r.at[:0]
}

// AgentsOf returns the agents who have an open leg, offers too, each once.
func AgentsOf(s *contract.State) []string {
	var agents []string
	add := func(a *interaction.Agent) {
		if a != nil && !slices.Contains(agents, a.ID) {
			agents = append(agents, a.ID)
		}
	}
	for i := range s.Participants {
		add(s.Participants[i].Agent)
	}
	for i := range s.OfferedTo {
		add(&s.OfferedTo[i])
	}
	return agents
}

// WorkbinKey is the same for workbins with the same keys and values.
func WorkbinKey(workbin any) string {
	key, err := json.Marshal(workbin)
	if err != nil {
		return "" // no JSON: it came as JSON, so this does not happen
	}
	return string(key)
}
