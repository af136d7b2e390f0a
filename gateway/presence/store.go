package presence

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/bus"
)

const (
	// attempts bounds how often a change is made again because another came first.
	attempts = 16
	// settleWithin bounds how long an answer waits until this replica has its change. Later the change
	// is on the bus, and this replica has it as soon as it reads again.
	settleWithin = time.Second
	// readWithin bounds how long Read waits for the bus.
	readWithin = 500 * time.Millisecond
	// agentsOfCenter bounds the agents of a contact center of whom the bus has something. It has room for
	// about twice as many, which several contact centers share.
	agentsOfCenter = 10_000
)

// ErrFull reports that too many agents of the contact center are logged in, or were within a day.
var ErrFull = errors.New("too many agents of the contact center have logged in")

// Options configure the presence.
type Options struct {
	// Bus has the presence; without one, every agent is logged out.
	Bus *bus.Conn
	Log *slog.Logger
	// MaxAgents bounds the agents of a contact center; 0 is 10,000.
	MaxAgents int
}

// Presence is the presence of all agents. It is safe for concurrent use.
type Presence struct {
	bus *bus.Conn
	log *slog.Logger
	max int

	mu       sync.Mutex
	agents   map[key]entry
	count    map[string]int // of agents, by contact center
	complete bool
	changed  chan struct{} // closed with the next change
	watchers map[*func(before, after Agent)]struct{}

	// lost wakes who writes what the stream lacks.
	lost chan struct{}
}

type key struct{ contactCenter, id string }

// entry is the presence of an agent as this replica has it.
type entry struct {
	agent    Agent
	revision uint64
	at       time.Time
	// isUnwritten is set while the stream, which was made again, lacks it.
	isUnwritten bool
}

func (e *entry) isExpired(now time.Time) bool { return now.Sub(e.at) > bus.AgentMaxAge }

// New returns the presence, which is empty until Run.
func New(o Options) *Presence {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxAgents <= 0 {
		o.MaxAgents = agentsOfCenter
	}
	return &Presence{
		bus: o.Bus, log: o.Log, max: o.MaxAgents, agents: map[key]entry{}, count: map[string]int{}, changed: make(chan struct{}),
		lost: make(chan struct{}, 1),
	}
}

// Run keeps the presence current until the context ends.
func (p *Presence) Run(ctx context.Context) error {
	if p.bus == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.bus.Agents(ctx, p.replace, p.apply) })
	g.Go(func() error { return p.restores(ctx) })
	return g.Wait()
}

// get returns an agent's presence as this replica has it; LoggedOut for one who is not known.
func (p *Presence) get(contactCenter, agent string) Agent {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.agents[key{contactCenter, agent}]
	if !ok || e.isExpired(time.Now()) {
		return loggedOut(contactCenter, agent)
	}
	return e.agent.clone()
}

// Read returns an agent's presence with each change that any replica has answered before. While the
// bus is away, it returns what this replica has.
func (p *Presence) Read(ctx context.Context, contactCenter, agent string) Agent {
	if p.bus == nil {
		return p.get(contactCenter, agent)
	}
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	found, err := p.bus.ReadAgent(ctx, contactCenter, agent)
	if err != nil {
		p.log.Debug("The bus does not answer; presence is what this replica has", "error", err)
		return p.get(contactCenter, agent)
	}
	return p.latest(found)
}

// List returns the agents of a contact center who are logged in, by id.
func (p *Presence) List(contactCenter string) []Agent {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []Agent
	now := time.Now()
	for k, e := range p.agents {
		if k.contactCenter == contactCenter && e.agent.IsLoggedIn() && !e.isExpired(now) {
			list = append(list, e.agent.clone())
		}
	}
	slices.SortFunc(list, func(a, b Agent) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Update changes an agent's presence on all replicas, and returns it. change gets the present one, and
// may be called again if another replica changes it at the same time; if it refuses, nothing is written, and
// Update returns its error. Update fails with bus.ErrAway at once if the bus is away; after another error of
// the bus the change may have happened. When it returns, this replica has the change, unless the bus went
// away meanwhile.
func (p *Presence) Update(ctx context.Context, contactCenter, agent string, change func(*Agent) error) (Agent, error) {
	if p.bus == nil {
		return Agent{}, bus.ErrAway
	}
	for range attempts {
		found, err := p.bus.ReadAgent(ctx, contactCenter, agent)
		if err != nil {
			return Agent{}, err
		}
		before := p.latest(found)
		after := before.clone()
		after.Concerns, after.Reference = nil, ""
		if err := change(&after); err != nil {
			return Agent{}, err
		}
		if found.Revision == 0 && p.isFull(contactCenter) {
			return Agent{}, ErrFull // one contact center must not fill the bus for all
		}
		after.ContactCenter, after.ID = contactCenter, agent
		after.settle(&before, time.Now().UTC())
		value, err := json.Marshal(&after)
		if err != nil {
			return Agent{}, fmt.Errorf("encode the presence of an agent: %w", err)
		}
		if len(value) > bus.AgentMaxSize/2 {
			return Agent{}, fmt.Errorf("the presence of an agent has %d bytes; it may have %d", len(value), bus.AgentMaxSize/2)
		}
		revision, err := p.bus.WriteAgent(ctx, contactCenter, agent, value, found.Revision)
		if errors.Is(err, bus.ErrChanged) {
			continue
		}
		if err != nil {
			return Agent{}, err
		}
		p.await(ctx, key{contactCenter, agent}, revision)
		return after, nil
	}
	return Agent{}, fmt.Errorf("other requests changed the presence of the agent %d times meanwhile: %w", attempts, bus.ErrChanged)
}

// isFull reports whether a contact center may have no more agents.
func (p *Presence) isFull(contactCenter string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count[contactCenter] >= p.max
}

// await waits until this replica has a revision, within a bound.
func (p *Presence) await(ctx context.Context, of key, revision uint64) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for {
		p.mu.Lock()
		has, changed := p.agents[of].revision >= revision, p.changed
		p.mu.Unlock()
		if has {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// Watch calls told with each change from now on, before and after it, until stop is called; a call may
// still run then. Changes of an agent come in order. told must not wait.
func (p *Presence) Watch(told func(before, after Agent)) (stop func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watchers == nil {
		p.watchers = map[*func(before, after Agent)]struct{}{}
	}
	p.watchers[&told] = struct{}{}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.watchers, &told)
	}
}

// latest returns the presence of an entry that was read, or what this replica has if the stream was made
// again and lacks it still.
func (p *Presence) latest(found bus.AgentEntry) Agent {
	read := entry{agent: p.decode(found), revision: found.Revision, at: found.At}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.agents[key{found.ContactCenter, found.Agent}]; e.outlives(&read) {
		return e.agent.clone()
	}
	return read.agent
}

// decode returns the presence of an entry of the stream.
func (p *Presence) decode(found bus.AgentEntry) Agent {
	if found.Revision == 0 || time.Since(found.At) > bus.AgentMaxAge {
		return loggedOut(found.ContactCenter, found.Agent)
	}
	var a Agent
	if err := json.Unmarshal(found.Value, &a); err != nil {
		p.log.Warn("The presence of an agent cannot be decoded; the agent counts as logged out", "error", err)
		return loggedOut(found.ContactCenter, found.Agent)
	}
	// Names come from the subject: JSON replaces bytes that are no text.
	a.ContactCenter, a.ID = found.ContactCenter, found.Agent
	return a
}

func loggedOut(contactCenter, agent string) Agent {
	return Agent{ContactCenter: contactCenter, ID: agent, State: LoggedOut}
}
