package board

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"segue/bus"
	"segue/client"
	"segue/config"
	"segue/contract"
	"segue/gateway/index"
)

// Options configure a board.
type Options struct {
	// Config has the window, and the queues and calls that are shown even if they are idle. Each
	// answer uses the current one.
	Config *config.Store
	Client *client.Client
	Index  *index.Index
	// Bus carries the workers' reports on receivers; nil for none.
	Bus *bus.Conn
	Log *slog.Logger
}

// Board has the figures of a replica. It is safe for concurrent use.
type Board struct {
	config  *config.Store
	client  *client.Client
	index   *index.Index
	bus     *bus.Conn
	log     *slog.Logger
	reports reports
	lanes   counts
	pace    *rate.Limiter

	mu     sync.Mutex
	window window
	agents agents
	// counted is the latest position that is counted, and skip what counted was when the reader began.
	counted, skip bus.Position
	// from is when the counts begin; zero before Run.
	from time.Time
}

// New returns a board, which counts nothing before Run.
func New(o Options) *Board {
	b := &Board{config: o.Config, client: o.Client, index: o.Index, bus: o.Bus, log: o.Log, pace: rate.NewLimiter(countPace, countBurst)}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.window.init()
	b.agents.init()
	b.reports.init()
	b.lanes.init(b.countLanes)
	return b
}

// pauseAfter is how long the board waits before it reads a stream again that has ended.
const pauseAfter = 100 * time.Millisecond

// Run keeps the figures until the context ends, and returns when all that it started has ended.
func (b *Board) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.follow(ctx) })
	g.Go(func() error { return b.lanes.run(ctx) })
	if b.bus != nil {
		g.Go(func() error { return b.bus.Receivers(ctx, b.reports.take) })
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// follow counts every change of the stream, from the first that the index has.
func (b *Board) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		err := b.read(ctx)
		if ctx.Err() == nil && !errors.Is(err, index.ErrResync) {
			b.log.Debug("The board cannot read the live stream; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pauseAfter):
		}
	}
	return ctx.Err()
}

// read counts until the stream cannot go on.
func (b *Board) read(ctx context.Context) error {
	begin := b.index.Begin()
	b.begin(begin)
	reader, err := b.index.ReadFrom(ctx, begin)
	if err != nil {
		return err
	}
	for {
		change, err := reader.Next(ctx, nil)
		if err != nil {
			return err
		}
		b.count(ctx, change)
	}
}

// begin notes from where the stream is read. What was counted before is skipped; if the stream has
// lost something since, the counts begin again.
func (b *Board) begin(at bus.Position) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.skip = b.counted
	if b.from.IsZero() || at.Epoch == b.counted.Epoch && at.Sequence > b.counted.Sequence {
		b.from = time.Now()
	}
}

// count counts one change.
func (b *Board) count(ctx context.Context, c *index.Change) {
	state := c.Notice.State
	if state == nil && needsState(c) {
		state = b.query(ctx, c.Notice)
	}
	set := b.config.Current().Board
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.At.Epoch == b.skip.Epoch && c.At.Sequence <= b.skip.Sequence {
		return
	}
	// A notice that arrived before its predecessor is read after it.
	if c.At.Epoch != b.counted.Epoch || c.At.Sequence > b.counted.Sequence {
		b.counted = c.At
	}
	if c.Time.Before(b.from) {
		b.from = c.Time
	}
	b.window.count(set, c, state)
	b.agents.note(c, set.Window)
}

// queryLimit bounds the query for a state that was too large for its notice.
const queryLimit = 2 * time.Second

// query returns the state of a notice that has none; nil if it cannot be had.
func (b *Board) query(ctx context.Context, n *contract.Notice) *contract.State {
	ctx, cancel := context.WithTimeout(ctx, queryLimit)
	defer cancel()
	state, err := b.index.Query(ctx, client.Name{ContactCenter: n.ContactCenter, ID: n.Interaction}, nil)
	if err != nil {
		b.log.DebugContext(ctx, "A change is not counted: its state cannot be queried", "error", err)
		return nil
	}
	return &state
}

// Since returns when the counts of the window begin: a window ago, or later after a start.
func (b *Board) Since() time.Time {
	begin := time.Now().Add(-b.config.Current().Board.Window)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.from.After(begin) {
		return b.from
	}
	return begin
}
