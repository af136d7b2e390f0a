package index

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/bus"
	"segue/client"
	"segue/contract"
)

// Bus is what the index needs of the bus; *bus.Conn has it. Tests replace it: rules about lost and
// late notices cannot be tested with a real network.
type Bus interface {
	Connected() bool
	First(ctx context.Context) (bus.Position, error)
	Last(ctx context.Context) (bus.Position, error)
	Consume(ctx context.Context, after bus.Position, handle func(bus.Message), began ...func()) error
	Dues(ctx context.Context, handle func(contract.Due)) error
	PublishNow(ctx context.Context, notice *contract.Notice) error
}

// Options configure an index.
type Options struct {
	Client *client.Client
	Bus    Bus
	Log    *slog.Logger
	// ObserveAge is called with the time from the arrival of each notice in the stream to its
	// application here; nil for none. It must not wait.
	ObserveAge func(time.Duration)
	// StreamBytes bounds the notices in memory; 0 is DefaultStreamBytes.
	StreamBytes int64
}

// DefaultStreamBytes is the default bound of the notices in memory.
const DefaultStreamBytes = 64 << 20

// Index is the gateway's view of all open interactions, kept current by the bus and repaired by
// queries. It is safe for concurrent use.
type Index struct {
	client *client.Client
	bus    Bus
	log    *slog.Logger
	age    func(time.Duration)
	limit  int64

	queries shared
	heal    healing
	again   chan struct{}
	reads   chan struct{} // a slot for each reader that reads the stream itself

	mu      sync.Mutex
	records map[client.Name]*record
	places  map[place]map[client.Name]*record
	open    int
	ended   deque[*record]
	waiting map[client.Name][]*waiter
	held    deque[*held]
	bare    map[*record]bare
	timer   *time.Timer
	history *history
	// reached is the place in the stream that this index has processed. caught is set once it reads
	// the stream and has processed what the stream had at the start.
	reached bus.Position
	target  uint64
	reading bool
	caught  bool
	arrived chan struct{} // closed when reached changes, if anybody waits
	// complete is set once all of the first listing have a state, or do not answer. loaded is set
	// once that listing is finished. missing has those without a state, and silent those that do not
	// answer, with the last listing that had them.
	complete bool
	loaded   bool
	missing  map[client.Name]struct{}
	silent   map[client.Name]uint64
	sweep    uint64
	swept    error // of the last listing
	unread   error // of the last attempt to read the stream
	unseen   int   // own answers in a row without their notice
	stats    Stats
}

// New returns an index, which is empty until Run.
func New(o Options) *Index {
	x := &Index{
		bus: o.Bus, log: o.Log, age: o.ObserveAge, limit: o.StreamBytes,
		again: make(chan struct{}, 1), reads: make(chan struct{}, concurrentReads),
		records: map[client.Name]*record{}, places: map[place]map[client.Name]*record{},
		waiting: map[client.Name][]*waiter{}, missing: map[client.Name]struct{}{}, silent: map[client.Name]uint64{},
		bare: map[*record]bare{}, arrived: make(chan struct{}),
	}
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	if x.limit == 0 {
		x.limit = DefaultStreamBytes
	}
	if o.Client != nil {
		// The index retries by itself, with a bound on the queries in flight.
		x.client = &client.Client{Temporal: o.Client.Temporal, TaskQueue: o.Client.TaskQueue, Patience: time.Millisecond}
	}
	x.queries.ask = func(ctx context.Context, n client.Name, actor *contract.StateRequest) (contract.State, error) {
		return o.Client.StateFor(ctx, n, actor)
	}
	x.heal.init()
	x.history = newHistory(bus.Position{}, x.limit)
	return x
}

// Run keeps the index current until the context ends, and returns when all that it started has
// ended.
func (x *Index) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return x.consume(ctx) })
	g.Go(func() error { return x.dues(ctx) })
	g.Go(func() error { return x.sweeps(ctx) })
	limit := x.heal.limit
	g.Go(func() error { return x.verifier(ctx, limit) })
	h := &x.heal
	for range promptQueries {
		g.Go(func() error { return x.worker(ctx, limit, h.prompt, &h.urgent) })
	}
	for range concurrentQueries - promptQueries - 1 {
		g.Go(func() error { return x.worker(ctx, limit, h.wake, &h.urgent, &h.normal) })
	}
	err := g.Wait()
	x.mu.Lock()
	if x.timer != nil {
		x.timer.Stop()
	}
	x.mu.Unlock()
	x.heal.stop()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// Health is the state of an index.
type Health struct {
	// Caught reports that the index has read the changes that the bus kept from before it began to read.
	Caught bool
	// Complete reports that the index had all open interactions once. Reasons say why the replica is
	// not ready, or what is degraded.
	Complete bool
	Reasons  []string
	Open     int
}

// Health returns the state of the index.
func (x *Index) Health() Health {
	connected := x.bus.Connected()
	x.mu.Lock()
	defer x.mu.Unlock()
	h := Health{Complete: x.complete, Caught: x.caught, Open: x.open}
	switch {
	case !connected:
		h.Reasons = append(h.Reasons, "the bus cannot be reached: lists may be late and live streams pause")
	case x.unread != nil:
		h.Reasons = append(h.Reasons, "the stream of notices cannot be read: lists may be late and live streams pause")
	}
	if x.swept != nil {
		h.Reasons = append(h.Reasons, "open interactions cannot be listed by visibility")
	}
	switch {
	case x.complete:
	case !x.loaded:
		h.Reasons = append(h.Reasons, "open interactions are being listed")
	case len(x.missing) > 0:
		h.Reasons = append(h.Reasons, fmt.Sprintf("%d open interactions have not answered a query yet", len(x.missing)))
	case !x.caught:
		h.Reasons = append(h.Reasons, "the stream of notices is being read")
	}
	if len(x.silent) > 0 {
		h.Reasons = append(h.Reasons, fmt.Sprintf("%d open interactions do not answer, and lists lack them; is a worker running?", len(x.silent)))
	}
	if x.unseen >= unseenLimit {
		h.Reasons = append(h.Reasons, fmt.Sprintf("%d answers in a row had no notice: check the workers' connection to the bus", x.unseen))
	}
	return h
}
