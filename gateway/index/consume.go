package index

import (
	"context"
	"errors"
	"time"

	"segue/bus"
)

// busPause is how long the index waits before it asks a bus again that failed.
const busPause = time.Second

// consume reads the stream from the first message that it has. If messages are lost to this replica,
// it starts over.
func (x *Index) consume(ctx context.Context) error {
	margin := uint64(0)
	for ctx.Err() == nil {
		err := x.begin(ctx, margin)
		x.mu.Lock()
		x.unread = err
		x.mu.Unlock()
		if err != nil {
			x.log.Debug("The stream of notices cannot be read yet", "error", err)
			if err := pause(ctx, busPause); err != nil {
				return err
			}
			continue
		}
		if x.follow(ctx) == 0 {
			// A busy stream loses its first messages between the question and the first read.
			margin = max(64, 4*margin)
			continue
		}
		margin = 0
	}
	return ctx.Err()
}

// begin prepares a new history from the stream's first message on, and some later.
func (x *Index) begin(ctx context.Context, margin uint64) error {
	asking, cancel := context.WithTimeout(ctx, busPause)
	defer cancel()
	first, err := x.bus.First(asking)
	if err != nil {
		return err
	}
	last, err := x.bus.Last(asking)
	if err != nil {
		return err
	}
	if first.Epoch != last.Epoch {
		return errors.New("the stream was made again")
	}
	after := bus.Position{Epoch: first.Epoch, Sequence: max(first.Sequence, 1) - 1}
	after.Sequence = min(after.Sequence+margin, max(after.Sequence, last.Sequence))
	x.restart(after, last.Sequence)
	return nil
}

// follow reads the stream until messages are lost or the context ends. It returns the number of
// messages.
func (x *Index) follow(ctx context.Context) (messages uint64) {
	for ctx.Err() == nil {
		x.mu.Lock()
		after := x.reached
		x.mu.Unlock()
		err := x.bus.Consume(ctx, after, func(m bus.Message) {
			messages++
			x.receive(m)
		}, x.begun)
		if errors.Is(err, bus.ErrLost) {
			x.log.Warn("Notices are lost to this replica; it reads the stream from its beginning", "error", err)
			return messages
		}
		if ctx.Err() == nil && pause(ctx, busPause) != nil {
			return messages
		}
	}
	return messages
}

// begun notes that the stream is read: a notice comes as soon as the stream has it.
func (x *Index) begun() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.reading = true
	x.hasReached()
}

// restart begins a new history. States stay; those that have changed unseen are found by queries.
func (x *Index) restart(after bus.Position, target uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.history.finish()
	isFirst := x.reached.Epoch == ""
	x.history = newHistory(after, x.limit)
	x.reached, x.target, x.reading, x.caught = after, target, false, false
	for x.held.len() > 0 {
		x.held.drop()
	}
	clear(x.bare)
	for n, r := range x.records {
		r.base, r.shown, r.shownLeft, r.decided, r.held = r.state, cursor{}, nil, "", nil
		if !isFirst && r.entry != nil {
			x.heal.request(n, task{must: true, idle: true})
		}
	}
	if !isFirst {
		x.stats.Restarts++
		signal(x.again)
	}
	x.hasReached()
}

// checkComplete notes that the index has a state of all open interactions.
func (x *Index) checkComplete() {
	if !x.complete && x.loaded && len(x.missing) == 0 && (x.caught || !x.bus.Connected()) {
		x.complete = true
		x.heal.limit.SetLimit(queriesPerSecond)
		x.log.Info("The index of open interactions is complete", "open", x.open)
	}
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
