package notify

import (
	"context"
	"errors"
	"slices"
	"time"

	"segue/client"
	"segue/contract"
	"segue/gateway/gws/view"
	"segue/interaction"
)

const (
	concurrentQueries = 4
	queriesPerSecond  = 20
	queryTimeout      = 5 * time.Second
	firstQueryPause   = 200 * time.Millisecond
	longestQueryPause = 20 * time.Second
	// waitLimit bounds the changes of an interaction that wait for a query. Beyond it the oldest is left
	// out: the next one has its effect.
	waitLimit = 64
)

// wait is a query for the state of an interaction, and the changes that came meanwhile.
type wait struct {
	record   *record
	changes  []*contract.Notice
	attempts int
}

func (w *wait) add(notice *contract.Notice) {
	if w.changes = append(w.changes, notice); len(w.changes) > waitLimit {
		w.changes = slices.Delete(w.changes, 0, 1)
	}
}

// ask has the state of an interaction queried, for a change or, with nil, because the index lacks the
// interaction. Later changes of it wait; nobody else does.
func (n *Notifier) ask(r *record, notice *contract.Notice) {
	w := &wait{record: r}
	if r.wait != nil {
		w.changes = r.wait.changes // its query may be answered with an earlier state
	}
	if notice != nil {
		w.add(notice)
	}
	r.wait = w
	n.enqueue(w)
}

func (n *Notifier) enqueue(w *wait) {
	n.queue = append(n.queue, w)
	n.wake()
}

func (n *Notifier) wake() {
	select {
	case n.asked <- struct{}{}:
	default:
	}
}

// queries answers what is asked, until the context ends.
func (n *Notifier) queries(ctx context.Context) error {
	for {
		w := n.nextWait()
		if w == nil {
			select {
			case <-n.asked:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := n.limit.Wait(ctx); err != nil {
			return err
		}
		n.query(ctx, w)
	}
}

func (n *Notifier) nextWait() *wait {
	n.lock()
	defer n.mu.Unlock()
	for len(n.queue) > 0 {
		w := n.queue[0]
		n.queue[0] = nil
		n.queue = n.queue[1:]
		if len(n.queue) > 0 {
			n.wake()
		}
		if w.record.wait == w {
			return w
		}
	}
	return nil
}

func (n *Notifier) query(ctx context.Context, w *wait) {
	asking, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	state, err := n.options.Index.Query(asking, w.record.name, &contract.StateRequest{Role: interaction.RolePlatform, Agents: true})
	if ctx.Err() != nil {
		return
	}
	n.lock()
	defer n.mu.Unlock()
	if w.record.wait != w {
		return // a later state has come
	}
	var refused *client.RefusedError
	switch {
	case err == nil:
		n.guard(w.record.name, func() { n.answered(w, &state) })
	case errors.Is(err, client.ErrNotFound) || errors.As(err, &refused):
		n.guard(w.record.name, func() { n.finish(w, nil) })
	default:
		n.log.Debug("A state for notifications is queried again", "interaction", w.record.name.String(), "attempts", w.attempts, "error", err)
		n.guard(w.record.name, func() { n.failed(ctx, w) })
	}
}

// failed goes on with a later change that has its state, or asks again.
func (n *Notifier) failed(ctx context.Context, w *wait) {
	if n.passOver(w) {
		return
	}
	after := min(firstQueryPause<<min(w.attempts, 10), longestQueryPause)
	w.attempts++
	time.AfterFunc(after, func() {
		if ctx.Err() != nil {
			return
		}
		n.lock()
		defer n.mu.Unlock()
		n.enqueue(w)
	})
}

// passOver goes on with the first change that has its state, and reports false if none has: then only a
// query helps.
func (n *Notifier) passOver(w *wait) bool {
	r := w.record
	i := slices.IndexFunc(w.changes, func(notice *contract.Notice) bool {
		return notice.State != nil && notice.RunID == r.run && notice.Revision > r.revision
	})
	if i < 0 {
		return false
	}
	n.goOn(r, w.changes[i:])
	return true
}

// answered applies a queried state, and then the changes that are later.
func (n *Notifier) answered(w *wait, state *contract.State) {
	r := w.record
	capabilities := state.CapabilitiesFor
	state.CapabilitiesFor = nil
	isNews := state.RunID != r.run || state.Revision > r.revision
	_, isListed := n.options.Index.Get(r.name)
	switch {
	case !isNews && len(w.changes) == 0 && !isListed && state.State != interaction.StateCompleted:
		n.finish(w, state) // terminated: its state does not say so
		return
	case isNews:
		r.steady = false
		n.change(r, cause(w, unseen(r, state, capabilities)))
	}
	n.goOn(r, w.changes)
}

// cause gives a notice what its cause was, as far as a change that waits for the state tells it.
func cause(w *wait, notice *contract.Notice) *contract.Notice {
	for _, c := range w.changes {
		if c.RunID != notice.RunID || c.Revision > notice.Revision {
			continue
		}
		for _, agent := range c.AgentsBefore {
			if !slices.Contains(notice.AgentsBefore, agent) {
				notice.AgentsBefore = append(notice.AgentsBefore, agent)
			}
		}
		if view.ReferenceOf(c.EventID) != nil {
			notice.By, notice.EventID = c.By, c.EventID
		}
		if c.Revision == notice.Revision {
			notice.Command, notice.Events = c.Command, c.Events
		}
	}
	return notice
}

// goOn applies the changes that waited. What is known by now is ignored.
func (n *Notifier) goOn(r *record, changes []*contract.Notice) {
	r.wait = nil
	for i, notice := range changes {
		if r.judge(notice) == unclear && i == 0 {
			continue // the query that was asked for it has decided
		}
		n.apply(r, notice)
	}
}

// finish tells that an interaction is over that ended without a last change, as by a termination. state is
// its last one; nil if there is none.
func (n *Notifier) finish(w *wait, state *contract.State) {
	r := w.record
	r.wait = nil
	if r.look == nil {
		if r.run == "" {
			delete(n.records, r.name)
		}
		return
	}
	if state == nil {
		state = r.look.State
	}
	over := *state
	over.State, over.Agent, over.Participants, over.OfferedTo, over.Workbin = interaction.StateCompleted, nil, nil, nil, nil
	n.change(r, unseen(r, &over, nil))
}
