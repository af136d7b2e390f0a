package notify

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"segue/client"
	"segue/contract"
	"segue/gateway/gws/view"
	"segue/gateway/index"
)

const (
	// completeEvery is how often a starting notifier looks whether the index is complete.
	completeEvery = 20 * time.Millisecond
	// readPause is before the next attempt to read changes that could not be read.
	readPause = 100 * time.Millisecond
	// commandUnknown is the command of a change that was not seen itself. Notices that repair a lost one
	// have it, too.
	commandUnknown = "repair"
)

// follow reads the changes. If it cannot go on, it compares all that sessions have seen with what is.
func (n *Notifier) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		reader, err := n.begin(ctx)
		if err == nil {
			err = n.read(ctx, reader)
			n.pauseReading()
		}
		n.log.Debug("The notifier reads the changes again", "error", err)
		if err := pause(ctx, readPause); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// awaitComplete compares again once the index has all open interactions. Sessions that were opened before
// get those that the index lacked.
func (n *Notifier) awaitComplete(ctx context.Context) error {
	for !n.options.Index.Health().Complete {
		if err := pause(ctx, completeEvery); err != nil {
			return err
		}
	}
	entries := n.open()
	n.lock()
	defer n.mu.Unlock()
	n.compare(entries)
	n.complete = true
	return nil
}

// read applies the changes of a reader until it cannot go on.
func (n *Notifier) read(ctx context.Context, reader *index.Reader) error {
	for {
		change, err := reader.Next(ctx, nil)
		switch {
		case err == nil:
			n.take(change)
		case errors.Is(err, index.ErrResync) || ctx.Err() != nil:
			return err
		default: // the stream itself could not be read
			if err := pause(ctx, readPause); err != nil {
				return err
			}
		}
	}
}

// begin returns a reader from now on. It sends what has changed since the last one.
func (n *Notifier) begin(ctx context.Context) (*index.Reader, error) {
	end := n.options.Index.End()
	reader, err := n.options.Index.ReadFrom(ctx, end)
	if err != nil {
		return nil, err
	}
	entries := n.open() // may be later than the reader's position
	n.lock()
	defer n.mu.Unlock()
	n.compare(entries)
	n.reading, n.at = true, end
	return reader, nil
}

func (n *Notifier) pauseReading() {
	n.lock()
	defer n.mu.Unlock()
	n.reading = false
}

// open returns the open interactions of all contact centers.
func (n *Notifier) open() []*index.Entry {
	var entries []*index.Entry
	for _, contactCenter := range n.options.Index.ContactCenters() {
		entries = append(entries, n.options.Index.List(contactCenter, nil)...)
	}
	return entries
}

// compare brings all records up to the open interactions.
func (n *Notifier) compare(entries []*index.Entry) {
	open := make(map[client.Name]bool, len(entries))
	for _, e := range entries {
		name := client.Name{ContactCenter: e.State.ContactCenter, ID: e.State.ID}
		open[name] = true
		n.guard(name, func() { n.compareOne(n.record(name), e) })
	}
	for name, r := range n.records {
		r.steady = false
		if r.look != nil && !open[name] {
			n.ask(r, nil)
		}
	}
}

func (n *Notifier) compareOne(r *record, e *index.Entry) {
	switch {
	case e.State.RunID == r.run && e.State.Revision <= r.revision:
	case e.State.RunID == r.run, r.run == "", e.State.Revision > r.revision && r.look != nil:
		if r.wait != nil { // what waits may be later, or tell the cause
			n.ask(r, nil)
			return
		}
		n.change(r, unseen(r, e.State, e.CapabilitiesFor))
	default:
		n.ask(r, nil) // of another run: only a query tells which is the later one
	}
}

// unseen returns a notice of a change that was not seen itself.
func unseen(r *record, state *contract.State, capabilities map[string][]string) *contract.Notice {
	return &contract.Notice{
		ContactCenter: r.name.ContactCenter, Interaction: r.name.ID, RunID: state.RunID, Revision: state.Revision, Sequence: state.Sequence,
		Command: commandUnknown, State: state, CapabilitiesFor: capabilities,
	}
}

// take applies a change that the reader has.
func (n *Notifier) take(change *index.Change) {
	notice := change.Notice
	n.lock()
	defer n.mu.Unlock()
	n.at = change.At
	n.guard(nameOf(notice), func() { n.apply(n.record(nameOf(notice)), notice) })
}

// guard keeps the notifier alive whatever a state has: others have their notifications.
func (n *Notifier) guard(name client.Name, do func()) {
	defer func() {
		if failure := recover(); failure != nil {
			n.log.Error("A change cannot be sent to sessions", "interaction", name.String(), "failure", failure, "stack", string(debug.Stack()))
		}
	}()
	do()
}

// apply applies a change, or lets it wait for a query.
func (n *Notifier) apply(r *record, notice *contract.Notice) {
	if r.wait != nil {
		r.wait.add(notice)
		if r.wait.attempts > 0 { // the query fails, and its next attempt may be far
			n.passOver(r.wait)
		}
		return
	}
	switch r.judge(notice) {
	case known:
	case unclear:
		n.ask(r, notice)
	case next:
		if notice.State == nil {
			n.ask(r, notice)
			return
		}
		r.steady = true
		n.change(r, notice)
	}
}

type verdict int

const (
	known verdict = iota
	next
	unclear // of another run: a query decides
)

// judge decides how a change relates to what sessions have seen. The reader has the changes of an
// interaction in order, each once; the first ones may be older than the state with which it began.
func (r *record) judge(notice *contract.Notice) verdict {
	switch {
	case r.steady, r.run == "":
		return next
	case notice.RunID == r.run && notice.Revision <= r.revision:
		return known
	case notice.RunID == r.run:
		return next
	case notice.Revision == r.revision+1 && notice.FirstRunID != notice.RunID:
		return next // it continued as new
	}
	return unclear
}

// change notifies of a change, which has a state.
func (n *Notifier) change(r *record, notice *contract.Notice) {
	before, after := r.look, &view.Look{State: notice.State, CapabilitiesFor: notice.CapabilitiesFor}
	n.see(r, after)
	n.tell(r.name, before, notice)
	n.tellWatchers(r.name, before, r.look, after)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
