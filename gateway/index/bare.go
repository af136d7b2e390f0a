package index

import "time"

// bareWait is how long lists wait at most for the state that a notice lacks.
const bareWait = 2 * time.Second

// bare are notices of an interaction whose states are too large for them. The interaction is in the lists as
// it was before the first of them, until a query is answered.
type bare struct {
	run         string
	first, last int64 // revisions
	// sequence is the place of the first, or one before it.
	sequence uint64
	received time.Time
}

// lacks notes that the state of a notice is queried.
func (x *Index) lacks(r *record, h *held) {
	b, ok := x.bare[r]
	if !ok || b.run != h.notice.RunID {
		b = bare{run: h.notice.RunID, first: h.notice.Revision, sequence: h.sequence, received: h.received}
	}
	b.last = max(b.last, h.notice.Revision)
	x.bare[r] = b
}

// hasState forgets what the state of an interaction no longer lacks.
func (x *Index) hasState(r *record) {
	b, ok := x.bare[r]
	switch {
	case !ok || r.state.run == b.run && r.state.revision < b.first:
		return
	case r.state.run != b.run || r.state.revision >= b.last:
		delete(x.bare, r)
	default:
		b.first, b.sequence, b.received = r.state.revision+1, b.sequence+1, time.Now()
		x.bare[r] = b
	}
	x.hasReached()
}

// isBare reports whether the state of any notice up to a place is still missing. One that does not answer
// does not hold up lists forever.
func (x *Index) isBare(sequence uint64) bool {
	for r, b := range x.bare {
		switch {
		case time.Since(b.received) > bareWait:
			delete(x.bare, r)
		case b.sequence <= sequence:
			return true
		}
	}
	return false
}
