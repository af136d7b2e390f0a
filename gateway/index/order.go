package index

import (
	"slices"
	"time"

	"segue/bus"
	"segue/client"
	"segue/contract"
)

const (
	// holdFor is how long a notice that is ahead waits for those between.
	holdFor = 250 * time.Millisecond
	// heldLimit bounds the waiting notices of one interaction. The oldest revision beyond it is
	// dropped; the next has it in its gap.
	heldLimit = 64
)

// commandRepair is the command of a notice that a gateway publishes instead of a lost one.
const commandRepair = "repair"

// held is a notice that waits for its place in the history.
type held struct {
	record   *record
	notice   *contract.Notice
	sequence uint64
	at       time.Time // when the stream got it
	received time.Time
	expired  bool
	asked    bool
	done     bool
	// undecided is set while it is open whether its run is the current one.
	undecided bool
}

// receive applies one message of the stream.
func (x *Index) receive(m bus.Message) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if m.Sequence <= x.reached.Sequence {
		return
	}
	x.release(func(h *held) bool { return m.At.Sub(h.at) > holdFor })
	x.history.reach(m.Sequence)
	x.take(m)
	x.reached.Sequence = m.Sequence
	x.hasReached()
	x.stats.Received++
	age := max(time.Since(m.At), 0)
	x.stats.Age = age
	if x.age != nil && x.caught {
		x.age(age)
	}
}

func (x *Index) take(m bus.Message) {
	n := m.Notice
	if n == nil || n.Revision == 0 {
		x.history.skip(m.Sequence)
		x.stats.Unreadable++
		if n != nil && n.Interaction != "" {
			x.heal.request(client.Name{ContactCenter: n.ContactCenter, ID: n.Interaction}, task{urgent: true, must: true})
		}
		return
	}
	r := x.record(client.Name{ContactCenter: n.ContactCenter, ID: n.Interaction})
	if x.judge(r, n) == known {
		x.history.skip(m.Sequence)
		x.stats.Ignored++
		return
	}
	if _, isSilent := x.silent[r.name]; isSilent {
		r.older = true
	}
	h := &held{record: r, notice: n, sequence: m.Sequence, at: m.At, received: time.Now()}
	h.undecided = !x.advance(r, h)
	r.held = append(r.held, h)
	slices.SortStableFunc(r.held, func(a, b *held) int { return int(a.notice.Revision - b.notice.Revision) })
	x.settle(r)
	if h.done {
		return
	}
	if len(r.held) > heldLimit {
		x.discard(r, r.held[0])
		return
	}
	x.held.push(h)
	x.schedule()
}

// release lets notices count that have waited long enough, oldest first.
func (x *Index) release(expired func(*held) bool) {
	for x.held.len() > 0 {
		h := x.held.front()
		if !h.done && !expired(h) {
			return
		}
		x.held.drop()
		if !h.done {
			h.expired = true
			x.settle(h.record)
		}
	}
}

// schedule sets the timer for the oldest waiting notice. All wait for the same time, so that the
// first to arrive is the first to expire.
func (x *Index) schedule() {
	for x.held.len() > 0 && x.held.front().done {
		x.held.drop()
	}
	if x.held.len() == 0 || x.timer != nil {
		return
	}
	x.timer = time.AfterFunc(time.Until(x.held.front().received.Add(holdFor)), x.expire)
}

// expire lets notices count that have waited long enough. The wait begins again while the bus is
// away: the others may be in the stream already, and all replicas are to agree on the order.
func (x *Index) expire() {
	isAway := !x.bus.Connected()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.timer = nil
	now := time.Now()
	for i := range x.held.len() {
		if isAway {
			(*x.held.at(i)).received = now
		}
	}
	x.release(func(h *held) bool { return now.Sub(h.received) >= holdFor })
	x.schedule()
}

// settle adds to the history what can follow now.
func (x *Index) settle(r *record) {
	for i := 0; i < len(r.held); i++ {
		h := r.held[i]
		switch x.judge(r, h.notice) {
		case known:
			x.discard(r, h)
		case next:
			x.show(r, h)
		case later:
			if !slices.ContainsFunc(r.held[i:], func(o *held) bool { return o.expired && o.notice.RunID == h.notice.RunID }) {
				continue
			}
			x.show(r, h)
		case other:
			if h.notice.RunID != r.decided {
				x.ask(r, h)
				continue
			}
			x.adopt(r, h)
		}
		i = -1 // the history has moved: look at all again
	}
}

// ask lets a query decide about a notice of another run, at once unless those between may come.
func (x *Index) ask(r *record, h *held) {
	if !h.asked && (h.expired || begins(h.notice) || h.notice.Revision <= r.from().revision+1) {
		h.asked = true
		x.heal.request(r.name, task{urgent: true, must: true})
	}
}

// adopt makes the history go on with the run of a notice. Continue-as-new counts on; a chain that
// was started again counts from 1; a reset goes back to just before the notice.
func (x *Index) adopt(r *record, h *held) {
	from, n := r.from(), h.notice
	to := cursor{run: n.RunID, revision: n.Revision - 1, chain: n.FirstRunID}
	switch {
	case begins(n):
		to.revision = 0
	case n.Revision > from.revision:
		to.revision = from.revision
	}
	r.shown, r.shownLeft, r.decided = to, r.shownLeft.and(from.run), ""
	x.discardBefore(r, h)
}

// decide records the run that a query found, which began at a time. What other runs had published
// by then is history of nobody.
func (x *Index) decide(r *record, run string, began time.Time) {
	r.decided = ""
	if r.from().run != run {
		r.decided = run
		r.shownLeft = r.shownLeft.without(run)
	}
	for _, h := range slices.Clone(r.held) {
		if h.notice.RunID != run && h.received.Before(began) && x.judge(r, h.notice) == other {
			x.discard(r, h)
		}
	}
	x.settle(r)
}

// discardBefore drops the notices of other runs that came before one whose run is shown: they could
// pass for its continuation.
func (x *Index) discardBefore(r *record, h *held) {
	for _, o := range slices.Clone(r.held) {
		if o.notice.RunID != h.notice.RunID && o.sequence < h.sequence {
			x.discard(r, o)
		}
	}
}

// show adds a notice to the history.
func (x *Index) show(r *record, h *held) {
	n := h.notice
	gap := x.gapBefore(r, n)
	if run := r.from().run; run != n.RunID {
		r.shownLeft, r.decided = r.shownLeft.and(run), ""
		x.discardBefore(r, h)
	}
	r.shown = at(n)
	if gap != nil {
		x.stats.Gaps++
	}
	x.history.add(h.sequence, h.at, n, gap)
	x.advance(r, h)
	x.settled(r, h)
}

// discard drops a notice without a place in the history.
func (x *Index) discard(r *record, h *held) {
	x.stats.Ignored++
	x.history.skip(h.sequence)
	x.settled(r, h)
}

func (x *Index) settled(r *record, h *held) {
	h.done = true
	if i := slices.Index(r.held, h); i >= 0 {
		r.held = slices.Delete(r.held, i, i+1)
	}
	if h.undecided {
		h.undecided = false
		x.hasReached()
	}
}

// advance makes the state of a notice the latest one if it is newer. It reports false while that
// is open.
func (x *Index) advance(r *record, h *held) bool {
	n, s := h.notice, r.state
	switch {
	case s.run == "", n.RunID == s.run && n.Revision > s.revision:
	case n.RunID == s.run, r.left.has(n.RunID) && n.Revision <= s.revision:
		return true
	case s.continues(n) && !r.left.has(n.RunID):
	default:
		return false
	}
	if n.State == nil {
		x.lacks(r, h)
		x.heal.request(r.name, task{urgent: true, must: true})
		return true
	}
	position := bus.Position{Epoch: x.reached.Epoch, Sequence: h.sequence}
	x.setState(r, at(n), &Entry{State: n.State, CapabilitiesFor: n.CapabilitiesFor, At: position})
	return true
}
