package board

import (
	"time"

	"segue/client"
	"segue/config"
	"segue/contract"
	"segue/gateway/index"
	"segue/interaction"
)

const (
	// bucketsPerWindow is how many buckets a window has: a figure covers up to a bucket more than the
	// window.
	bucketsPerWindow = 120
	// maxQueues bounds the queues that are counted, and maxQueuesOf those of one contact center. Others
	// have no figures of the window.
	maxQueues, maxQueuesOf = 8192, 1024
	// maxEnds is how many ended interactions are remembered, so that each end counts once.
	maxEnds = 1 << 16
)

// place is a queue of a contact center.
type place struct{ contactCenter, queue string }

// tally is what happened in a queue.
type tally struct {
	handled, abandoned int
	// left counts the interactions that left the queue: answered, or not. inTime counts those that
	// were answered within the service level.
	left, inTime int
}

func (t *tally) add(more tally) {
	t.handled += more.handled
	t.abandoned += more.abandoned
	t.left += more.left
	t.inTime += more.inTime
}

// bucket is what happened between two times.
type bucket struct {
	from, until time.Time
	tally
}

// end identifies the end of an interaction: a reopened one ends again.
type end struct {
	name client.Name
	at   int64
}

// window counts what happens in queues, in buckets of the stream's time. Buckets without a count do not
// exist.
type window struct {
	buckets map[place][]bucket
	queues  map[string]int // by contact center
	// ended are the last ends, ring their order; a ring once it is full.
	ended map[end]struct{}
	ring  []end
	next  int
	swept time.Time
}

func (w *window) init() {
	w.buckets, w.queues, w.ended = map[place][]bucket{}, map[string]int{}, map[end]struct{}{}
}

// count counts what a change did to queues. state is the state after it; without one only what the
// events show is counted.
func (w *window) count(set config.Board, c *index.Change, state *contract.State) {
	n := c.Notice
	if w.swept.Add(set.Window / bucketsPerWindow).Before(c.Time) {
		w.sweep(c.Time, set.Window)
	}
	for i := range n.Events {
		queue, what := waitEnded(&n.Events[i], state, set.ServiceLevel)
		if what.left > 0 {
			w.add(place{n.ContactCenter, queue}, c.Time, set.Window, what)
		}
	}
	if state == nil || state.Queue == "" || state.EndedAt == nil || !(endsIn(n) || c.Gap != nil) {
		return
	}
	if c.Gap != nil && state.EndedAt.Before(c.Time.Add(-set.Window)) {
		return // what was lost is not the end, but something late
	}
	what := ofOutcome(state.Outcome)
	if what != (tally{}) && w.isNew(end{client.Name{ContactCenter: n.ContactCenter, ID: n.Interaction}, state.EndedAt.UnixNano()}) {
		w.add(place{n.ContactCenter, state.Queue}, c.Time, set.Window, what)
	}
}

// ofOutcome returns what an outcome counts as.
func ofOutcome(outcome interaction.Outcome) tally {
	switch outcome {
	case interaction.OutcomeHandled:
		return tally{handled: 1}
	case interaction.OutcomeAbandoned:
		return tally{abandoned: 1}
	}
	return tally{}
}

// needsState reports whether a change is counted by its state.
func needsState(c *index.Change) bool {
	for i := range c.Notice.Events {
		if _, what := waitEnded(&c.Notice.Events[i], nil, 0); what.left > 0 {
			return true
		}
	}
	return endsIn(c.Notice) || c.Gap != nil
}

// endsIn reports whether the interaction ended by this change, and not before.
func endsIn(n *contract.Notice) bool {
	for i := range n.Events {
		if n.Events[i].Moment == interaction.MomentInteractionEnds {
			return true
		}
	}
	return false
}

// waitEnded returns the queue that an interaction has left by an event, and how; nothing is counted
// for other events. The wait ends when the business process leaves agent_selecting, or an offer made
// out of the queue, for handling, which is an answer, or for anything but an offer or the wait itself.
func waitEnded(e *interaction.Event, state *contract.State, level time.Duration) (queue string, what tally) {
	if e.Moment != interaction.MomentSegmentChange || e.Leg != interaction.LegBusinessProcess || e.Queue == "" {
		return "", tally{}
	}
	switch e.To {
	case interaction.SegmentAgentSelecting, interaction.SegmentOffered, interaction.SegmentInteractionStarts:
		return "", tally{}
	}
	waited := e.From == interaction.SegmentAgentSelecting || e.From == interaction.SegmentOffered && offeredFromQueue(e, state)
	if !waited {
		return "", tally{}
	}
	what.left = 1
	if e.To == interaction.SegmentHandling && state != nil && !state.EnqueuedAt.IsZero() && e.At.Sub(state.EnqueuedAt) <= level {
		what.inTime = 1
	}
	return e.Queue, what
}

// offeredFromQueue reports whether an offer that has ended was made out of the queue. An offer to a
// colleague, by an agent who has the interaction, and one before any queue are not: the interaction
// was not placed in a queue since the customer's first contact, or at all.
func offeredFromQueue(e *interaction.Event, state *contract.State) bool {
	if state == nil || state.Queue != e.Queue {
		return true // it went on to another queue
	}
	if state.EnqueuedAt.IsZero() {
		return false
	}
	isFirstContact := state.ConnectedAt.IsZero() || e.To == interaction.SegmentHandling && !state.ConnectedAt.Before(e.At)
	return isFirstContact || !state.EnqueuedAt.Before(state.ConnectedAt)
}

// isNew reports whether an end was not counted yet, and remembers it.
func (w *window) isNew(e end) bool {
	if _, known := w.ended[e]; known {
		return false
	}
	if len(w.ring) < maxEnds {
		w.ring = append(w.ring, e)
	} else {
		delete(w.ended, w.ring[w.next])
		w.ring[w.next] = e
		w.next = (w.next + 1) % maxEnds
	}
	w.ended[e] = struct{}{}
	return true
}

// add counts in the bucket of a time. Times rise, but for those of notices that arrived before their
// predecessors.
func (w *window) add(p place, at time.Time, length time.Duration, what tally) {
	list, known := w.buckets[p]
	if !known {
		if len(w.buckets) >= maxQueues || w.queues[p.contactCenter] >= maxQueuesOf {
			return
		}
		w.queues[p.contactCenter]++
	}
	width := max(length/bucketsPerWindow, time.Second)
	from := at.Truncate(width)
	if last := len(list) - 1; last >= 0 && !list[last].from.Before(from) {
		list[last].add(what)
	} else {
		list = append(list, bucket{from, from.Add(width), what})
	}
	w.buckets[p] = list
}

// sweep drops the buckets that are older than the window, and queues without any.
func (w *window) sweep(now time.Time, length time.Duration) {
	w.swept = now
	for p, list := range w.buckets {
		list = within(list, now.Add(-length))
		if len(list) > 0 {
			w.buckets[p] = list
			continue
		}
		delete(w.buckets, p)
		if w.queues[p.contactCenter]--; w.queues[p.contactCenter] == 0 {
			delete(w.queues, p.contactCenter)
		}
	}
}

// within returns the buckets that end after a time.
func within(list []bucket, since time.Time) []bucket {
	for len(list) > 0 && !list[0].until.After(since) {
		list = list[1:]
	}
	return list
}

// of returns what happened in the queues of a contact center since a time.
func (w *window) of(contactCenter string, since time.Time) map[string]tally {
	found := map[string]tally{}
	for p, list := range w.buckets {
		if p.contactCenter != contactCenter {
			continue
		}
		var sum tally
		for _, b := range within(list, since) {
			sum.add(b.tally)
		}
		if sum != (tally{}) {
			found[p.queue] = sum
		}
	}
	return found
}
