package index

import (
	"context"
	"slices"
	"time"

	"segue/client"
)

const (
	awaitNotice = 250 * time.Millisecond
	awaitLimit  = time.Second
	catchLimit  = 500 * time.Millisecond
	// unseenLimit is how many own answers in a row without a notice are reported.
	unseenLimit = 5
)

// waiter waits until the state of an interaction has a revision.
type waiter struct {
	asked cursor
	done  chan struct{}
}

// Await returns when the index has this revision of a run, or a later one; an empty run is any.
// After 250 ms it queries the state and publishes it, and after 1 s it returns in any case. Commands
// of agents are answered after it, so that the agent's lists show them.
func (x *Index) Await(ctx context.Context, n client.Name, runID string, revision int64) {
	asked := cursor{run: runID, revision: revision}
	w := x.wait(n, asked)
	if w == nil {
		return
	}
	defer x.forget(n, w)
	limit := time.NewTimer(awaitLimit)
	defer limit.Stop()
	notice := time.NewTimer(awaitNotice)
	defer notice.Stop()
	for counted := false; ; {
		select {
		case <-w.done:
			if !counted { // else its state came by a query
				x.countSeen(n, asked)
			}
			return
		case <-ctx.Done():
			return
		case <-limit.C:
			return
		case <-notice.C:
			counted = true
			x.countSeen(n, asked)
			x.heal.request(n, task{urgent: true, asked: asked})
		}
	}
}

// wait returns nil if the index has the revision.
func (x *Index) wait(n client.Name, asked cursor) *waiter {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r := x.records[n]; r != nil && r.state.has(r.left, asked.run, asked.revision) {
		if x.shows(n, asked) {
			x.unseen = 0
		}
		return nil
	}
	w := &waiter{asked: asked, done: make(chan struct{})}
	x.waiting[n] = append(x.waiting[n], w)
	return w
}

func (x *Index) forget(n client.Name, w *waiter) {
	x.mu.Lock()
	defer x.mu.Unlock()
	left := slices.DeleteFunc(x.waiting[n], func(o *waiter) bool { return o == w })
	if len(left) == 0 {
		delete(x.waiting, n)
		return
	}
	x.waiting[n] = left
}

// wake ends the waits that the state of an interaction fulfills.
func (x *Index) wake(r *record) {
	waiters := x.waiting[r.name]
	for _, w := range waiters {
		if r.state.has(r.left, w.asked.run, w.asked.revision) {
			select {
			case <-w.done:
			default:
				close(w.done)
			}
		}
	}
}

// Answered notes that a command was answered with a revision of a run; an empty run is any. It does
// not wait. The state is queried and published if there is no notice after 500 ms: a worker that
// cannot reach the bus sends neither notices nor pings.
func (x *Index) Answered(n client.Name, runID string, revision int64) {
	asked := cursor{run: runID, revision: revision}
	time.AfterFunc(dueWait, func() {
		x.mu.Lock()
		caught := x.caught || !x.bus.Connected()
		x.mu.Unlock()
		// Until a starting replica has read the stream, the notice may be in what is still to be read.
		if caught && !x.countSeen(n, asked) {
			x.heal.request(n, task{asked: asked})
		}
	})
}

// countSeen counts the own answers in a row that had no notice in time, and reports whether this one
// had it.
func (x *Index) countSeen(n client.Name, asked cursor) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.shows(n, asked) {
		x.unseen = 0
		return true
	}
	x.unseen++
	x.stats.Unseen++
	return false
}

// Catch waits until the index has what the stream has now, at most 500 ms. Lists are read after it.
func (x *Index) Catch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, catchLimit)
	defer cancel()
	end, err := x.bus.Last(ctx)
	if err != nil {
		return // the bus is away: Health says so
	}
	for {
		x.mu.Lock()
		caught, arrived := x.has(end.Epoch, end.Sequence), x.arrived
		x.mu.Unlock()
		if caught {
			return
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return
		}
	}
}

// has reports whether all messages up to a place are applied, also to the states.
func (x *Index) has(epoch string, sequence uint64) bool {
	if x.reached.Epoch != epoch || x.reached.Sequence < sequence {
		return false
	}
	for i := range x.held.len() {
		if h := *x.held.at(i); !h.done && h.undecided && h.sequence <= sequence {
			return false
		}
	}
	return !x.isBare(sequence)
}

// hasReached wakes those who wait for messages.
func (x *Index) hasReached() {
	if !x.caught && x.reading && x.reached.Sequence >= x.target {
		x.caught = true
		x.checkComplete()
	}
	close(x.arrived)
	x.arrived = make(chan struct{})
}
