package index

import (
	"context"
	"time"

	"segue/client"
	"segue/contract"
)

// dueWait is how long the notice of a ping, or of a state that a query found, may take.
const dueWait = 500 * time.Millisecond

// dues has the announced revisions queried that the index lacks a little later.
func (x *Index) dues(ctx context.Context) error {
	for {
		err := x.bus.Dues(ctx, func(d contract.Due) { x.due(ctx, d, dueWait) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		x.log.Debug("Pings of workers are read again", "error", err)
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

func (x *Index) due(ctx context.Context, d contract.Due, wait time.Duration) {
	n, asked := client.Name{ContactCenter: d.ContactCenter, ID: d.Interaction}, cursor{run: d.RunID, revision: d.Revision}
	if n.Check() != nil {
		return
	}
	time.AfterFunc(wait, func() {
		x.mu.Lock()
		shown, caught := x.shows(n, asked), x.caught || !x.bus.Connected()
		x.mu.Unlock()
		switch {
		case ctx.Err() != nil || shown:
		case !caught:
			x.due(ctx, d, time.Second) // the notice may be in what is still to be read
		default:
			x.heal.request(n, task{asked: asked})
		}
	})
}

// shows reports whether the history has a revision, or a notice that waits for its place has.
func (x *Index) shows(n client.Name, asked cursor) bool {
	r := x.records[n]
	if r == nil {
		return false
	}
	if r.shown.has(r.shownLeft, asked.run, asked.revision) {
		return true
	}
	for _, h := range r.held {
		if (h.notice.RunID == asked.run || asked.run == "") && h.notice.Revision >= asked.revision {
			return true
		}
	}
	return false
}
