package index

import (
	"context"
	"errors"
	"fmt"
	"time"

	"segue/bus"
	"segue/client"
	"segue/contract"
)

// Change is one step of the live stream: a notice of an interaction. Changes of one interaction are
// in the order of their revisions, each once.
type Change struct {
	// At is the position of the notice. Positions of one interaction rise; those of several may
	// differ from the order of the changes, where a notice arrived before its predecessor.
	At     bus.Position
	Notice *contract.Notice
	// Time is when the stream got the notice: the same on every replica.
	Time time.Time
	// Gap is set if the revisions From to To of this interaction have no notice of their own, and
	// are to be shown as a gap before this notice. A notice that repairs a lost one is in its own
	// gap: it has a state and no events.
	Gap *Gap
}

// Gap is a range of revisions whose notices are lost.
type Gap struct {
	Interaction client.Name
	From, To    int64
}

// ErrResync reports that a reader cannot go on from its position: it is too old, of another stream,
// or the reader fell behind what the replica keeps. The reader lists the present state and goes on
// from End.
var ErrResync = errors.New("the stream cannot go on from this position")

const (
	batchSize = 16
	// placeWait is how long a reader waits for a position that this replica has not reached.
	placeWait = 2 * time.Second
	// concurrentReads bounds the readers that read the stream itself at one time.
	concurrentReads = 8
)

// Reader reads the live stream at its own position. It is not safe for concurrent use.
type Reader struct {
	index   *Index
	history *history
	number  uint64 // of the change after the batch
	batch   [batchSize]change
	used    int
	filled  int
	at      bus.Position
	// passing is the change that Next looks at. Thousands of readers pass over most changes.
	passing Change
}

// ReadFrom returns a reader that goes on after a position, or ErrResync. It waits up to 2 s for a
// position that this replica has not reached yet.
func (x *Index) ReadFrom(ctx context.Context, after bus.Position) (*Reader, error) {
	return x.read(ctx, after, (*history).find)
}

// ReadAt is ReadFrom for a reader that begins with the notice at a position, again. It also returns
// ErrResync if there is no such notice.
func (x *Index) ReadAt(ctx context.Context, at bus.Position) (*Reader, error) {
	return x.read(ctx, at, (*history).findAt)
}

type finder func(h *history, p bus.Position) (number uint64, wait <-chan struct{}, err error)

func (x *Index) read(ctx context.Context, p bus.Position, find finder) (*Reader, error) {
	x.mu.Lock()
	history := x.history
	x.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, placeWait, ErrResync)
	defer cancel()
	for {
		number, wait, err := find(history, p)
		if err != nil {
			x.countResync()
			return nil, err
		}
		if wait == nil {
			return &Reader{index: x, history: history, number: number, at: p}, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// End returns the position after all changes that the index has.
func (x *Index) End() bus.Position {
	x.mu.Lock()
	history := x.history
	x.mu.Unlock()
	return history.position()
}

// Begin returns the position before the first change that the replica knows a place of: up to 15
// minutes ago, if the stream has them. Reading from there may fail with ErrResync, as the first
// changes go.
func (x *Index) Begin() bus.Position {
	x.mu.Lock()
	history := x.history
	x.mu.Unlock()
	return history.beginning()
}

// Next waits for the next change for which want is true; every one if want is nil. It returns
// ErrResync if the reader fell behind, or the error of the context. Position moves over unwanted
// changes, too. want must not keep the change.
func (r *Reader) Next(ctx context.Context, want func(*Change) bool) (*Change, error) {
	for {
		for r.used < r.filled {
			if err := r.take(ctx); err != nil {
				return nil, r.fail(err)
			}
			isWanted := want == nil || want(&r.passing)
			c := r.passing
			r.passing = Change{} // an idle reader keeps no notice in memory
			if isWanted {
				return new(c), nil
			}
		}
		if err := r.fill(ctx); err != nil {
			return nil, r.fail(err)
		}
	}
}

// Position is the position of the last change that Next returned or passed over.
func (r *Reader) Position() bus.Position { return r.at }

// Buffered returns how many changes Next looks at before it may have to wait.
func (r *Reader) Buffered() int { return r.filled - r.used }

func (r *Reader) fail(err error) error {
	if errors.Is(err, ErrResync) {
		r.index.countResync()
	}
	return err
}

// fill waits for the next changes.
func (r *Reader) fill(ctx context.Context) error {
	for {
		n, wait, err := r.history.read(r.number, r.batch[:])
		if err != nil {
			return err
		}
		if n > 0 {
			r.used, r.filled, r.number = 0, n, r.number+uint64(n)
			return nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take takes the next change of the batch.
func (r *Reader) take(ctx context.Context) error {
	if r.batch[r.used].notice == nil {
		if err := r.fetch(ctx); err != nil {
			return err
		}
	}
	c := &r.batch[r.used]
	at := bus.Position{Epoch: r.history.epoch, Sequence: c.sequence}
	r.passing = Change{At: at, Notice: c.notice, Time: time.Unix(0, c.at).UTC()}
	if c.gap != nil {
		name := client.Name{ContactCenter: c.notice.ContactCenter, ID: c.notice.Interaction}
		r.passing.Gap = &Gap{Interaction: name, From: c.gap.from, To: c.gap.to}
	}
	*c = change{} // a slow reader keeps no notice in memory
	r.used++
	r.at = at
	return nil
}

// fetch reads the notices of the batch that are only in the stream.
func (r *Reader) fetch(ctx context.Context) error {
	select {
	case r.index.reads <- struct{}{}:
		defer func() { <-r.index.reads }()
	case <-ctx.Done():
		return ctx.Err()
	}
	lacking := map[uint64]*change{}
	first := ^uint64(0)
	for i := r.used; i < r.filled; i++ {
		if c := &r.batch[i]; c.notice == nil {
			lacking[c.sequence] = c
			first = min(first, c.sequence)
		}
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	err := r.index.bus.Consume(reading, bus.Position{Epoch: r.history.epoch, Sequence: first - 1}, func(m bus.Message) {
		if c := lacking[m.Sequence]; c != nil {
			c.notice = m.Notice
			delete(lacking, m.Sequence)
		}
		if len(lacking) == 0 {
			stop()
		}
	})
	switch {
	case len(lacking) == 0:
		return nil
	case errors.Is(err, bus.ErrLost):
		return ErrResync
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("read the stream: %w", err)
}
