package notify

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
	"segue/gateway/cometd"
	"segue/gateway/index"
	"segue/gateway/presence"
)

// Agent is an agent of a contact center.
type Agent struct{ ContactCenter, ID string }

// User is the Value of a cometd.Peer: whom a session belongs to.
type User struct {
	ContactCenter string
	// Agent is empty for a user who is no agent: such a session has no topics.
	Agent string
	// Base is the start of absolute URIs in what the session is sent.
	Base string
}

// Options configure a notifier.
type Options struct {
	Index *index.Index
	// Presence may be nil: then nothing about channels and devices is sent.
	Presence *presence.Presence
	Log      *slog.Logger
}

// Notifier notifies sessions of changes. It is safe for concurrent use.
type Notifier struct {
	options Options
	log     *slog.Logger

	// closing has the sessions that have ended and are not removed yet. A session may end while it is
	// delivered to, so that Closed must not wait for mu.
	closingMu sync.Mutex
	closing   []closed

	asked chan struct{} // wakes a goroutine that queries
	limit *rate.Limiter
	made  time.Time

	mu sync.Mutex
	// complete is set once the records are all open interactions, and reading while changes are read.
	complete, reading bool
	// at is the position of the last change that was read. present is set once it is past those from before the start.
	at      bus.Position
	present bool
	records map[client.Name]*record
	ended   []ended // oldest first
	parts   map[Agent]map[client.Name]*record
	agents  map[Agent]*agent
	// gone has the sessions that ended lately: a subscription that was under way may come after the end.
	gone    map[*cometd.Session]time.Time
	watched map[workbin][]*watch
	// endBytes is the size of all kept ends, which endsOfAll bounds.
	endBytes, endsOfAll int
	queue               []*wait // to be queried, the next one first
}

// New returns a notifier, which sends nothing until Run.
func New(o Options) *Notifier {
	n := &Notifier{
		options: o, log: o.Log, asked: make(chan struct{}, 1), limit: rate.NewLimiter(queriesPerSecond, concurrentQueries),
		records: map[client.Name]*record{}, parts: map[Agent]map[client.Name]*record{}, agents: map[Agent]*agent{},
		gone: map[*cometd.Session]time.Time{}, watched: map[workbin][]*watch{}, made: time.Now(), endsOfAll: allEndsBytes,
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	return n
}

// Run follows the changes until the context ends, and returns when all that it started has ended.
func (n *Notifier) Run(ctx context.Context) error {
	if n.options.Presence != nil {
		defer n.options.Presence.Watch(n.presenceChanged)()
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.follow(ctx) })
	g.Go(func() error { return n.awaitComplete(ctx) })
	g.Go(func() error { return n.sweeps(ctx) })
	for range concurrentQueries {
		g.Go(func() error { return n.queries(ctx) })
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// lock removes the sessions that have ended, too.
func (n *Notifier) lock() {
	n.mu.Lock()
	n.closingMu.Lock()
	closing := n.closing
	n.closing = nil
	n.closingMu.Unlock()
	for _, c := range closing {
		n.remove(c)
	}
}
