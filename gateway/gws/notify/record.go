package notify

import (
	"time"

	"segue/bus"
	"segue/client"
	"segue/contract"
	"segue/gateway/gws/view"
	"segue/gateway/index"
	"segue/interaction"
)

const (
	// endedFor is how long ended interactions are remembered, so that a notice that comes again is
	// recognized, and endedLimit bounds them.
	endedFor   = bus.MaxAge + time.Minute
	endedLimit = 1 << 16
)

// record is one interaction as the sessions have seen it.
type record struct {
	name client.Name
	// look is nil if the interaction has ended. run and revision are those of the last state.
	look     *view.Look
	run      string
	revision int64
	// steady is set once a change of the current reader was applied: what the reader has next is next.
	steady bool
	// differs is set if the index had another state at the last sweep.
	differs bool
	agents  []string
	endedAt time.Time
	wait    *wait
}

// ended is an interaction that ended at a time.
type ended struct {
	record *record
	at     time.Time
}

func nameOf(n *contract.Notice) client.Name {
	return client.Name{ContactCenter: n.ContactCenter, ID: n.Interaction}
}

func (n *Notifier) record(name client.Name) *record {
	r := n.records[name]
	if r == nil {
		r = &record{name: name}
		n.records[name] = r
	}
	return r
}

// see makes a state the one that sessions have seen.
func (n *Notifier) see(r *record, look *view.Look) {
	for _, id := range r.agents {
		a := Agent{r.name.ContactCenter, id}
		delete(n.parts[a], r.name)
		if len(n.parts[a]) == 0 {
			delete(n.parts, a)
		}
	}
	wasOpen := r.look != nil || r.run == ""
	r.look, r.run, r.revision, r.differs, r.agents = look, look.State.RunID, look.State.Revision, false, nil
	if look.State.State == interaction.StateCompleted {
		r.look = nil
		if wasOpen {
			r.endedAt = time.Now()
			n.ended = append(n.ended, ended{r, r.endedAt})
		}
		n.forgetEnded()
		return
	}
	r.agents = index.AgentsOf(look.State)
	for _, id := range r.agents {
		a := Agent{r.name.ContactCenter, id}
		if n.parts[a] == nil {
			n.parts[a] = map[client.Name]*record{}
		}
		n.parts[a][r.name] = r
	}
}

// forgetEnded forgets the interactions that ended long ago.
func (n *Notifier) forgetEnded() {
	for len(n.ended) > 0 && (len(n.ended) > endedLimit || time.Since(n.ended[0].at) > endedFor) {
		r, at := n.ended[0].record, n.ended[0].at
		n.ended[0] = ended{}
		n.ended = n.ended[1:]
		if r.look == nil && r.endedAt.Equal(at) && r.wait == nil && n.records[r.name] == r {
			delete(n.records, r.name)
		}
	}
}

// lookOf returns an entry of the index as agents look at it.
func lookOf(e *index.Entry) *view.Look {
	return &view.Look{State: e.State, CapabilitiesFor: e.CapabilitiesFor}
}

// workbin is a workbin of a contact center. key is the same for objects with the same keys and values.
type workbin struct{ contactCenter, key string }

func workbinOf(contactCenter string, value any) workbin {
	return workbin{contactCenter, index.WorkbinKey(value)}
}

// workbinOfLook returns where an interaction is; none if it is in no workbin.
func workbinOfLook(contactCenter string, l *view.Look) workbin {
	if l == nil || l.State.Workbin == nil {
		return workbin{}
	}
	return workbinOf(contactCenter, l.State.Workbin)
}
