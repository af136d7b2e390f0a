package desktop

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"segue/bus"
	"segue/client"
	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/commands"
	"segue/gateway/desktop/view"
	"segue/gateway/index"
	"segue/gateway/problem"
)

// Path is where sessions are opened.
const Path = "/his"

// The defaults of Options.
const (
	DefaultDeadline = 4 * time.Second
	DefaultPing     = 20 * time.Second
	DefaultPrepare  = 30 * time.Second
	DefaultWrite    = 10 * time.Second
)

// Settings are those of the configuration that applies.
type Settings struct {
	// IsAsked is true if Options.Ask lists scripts and dispositions, for each contact center.
	IsAsked bool
	Offer
}

// Offer is what agents can choose from.
type Offer struct {
	Scripts      []Script
	Dispositions []view.Disposition
}

// Script is a script that agents can start on channels of a type.
type Script struct {
	Type view.Type `json:"-"`
	ID   string    `json:"scriptId"`
	Name string    `json:"scriptName"`
}

// Sender is what the server needs of commands.Sender.
type Sender interface {
	Send(ctx context.Context, n client.Name, name string, payload json.RawMessage) (commands.Answer, error)
	Start(ctx context.Context, n client.Name, start json.RawMessage, commands []json.RawMessage) (commands.Started, error)
}

// Index is what the server needs of index.Index; see Of. Tests replace it.
type Index interface {
	OfAgent(contactCenter, agent string) []*index.Entry
	Get(n client.Name) (*index.Entry, bool)
	Query(ctx context.Context, n client.Name, actor *contract.StateRequest) (contract.State, error)
	Catch(ctx context.Context)
	Await(ctx context.Context, n client.Name, runID string, revision int64)
	Complete() bool
	End() bus.Position
	Changes(ctx context.Context) (Changes, error)
}

// Changes are the changes of all interactions; see index.Reader.
type Changes interface {
	Next(ctx context.Context, want func(*index.Change) bool) (*index.Change, error)
}

// Of returns what the server needs of an index.
func Of(x *index.Index) Index { return indexed{x} }

type indexed struct{ *index.Index }

func (x indexed) Complete() bool { return x.Health().Complete }

func (x indexed) Changes(ctx context.Context) (Changes, error) { return x.ReadFrom(ctx, x.End()) }

// Options configure a server.
type Options struct {
	Sender Sender
	Index  Index
	// Password authenticates a name and a password of a message.
	Password func(r *http.Request, name, password string) (*auth.Caller, error)
	// Watch ends the context of a session when its credential no longer counts.
	Watch func(ctx context.Context, caller *auth.Caller) (session context.Context, release func())
	// Enter counts a frame as a request, until limits.Hold, and Stream counts a session, until release.
	Enter  func(ctx context.Context, caller *auth.Caller) (context.Context, *problem.Problem)
	Stream func(caller *auth.Caller) (release func(), err error)
	// Ask returns what a contact center offers, if Settings.IsAsked. It keeps what it has asked for.
	Ask func(ctx context.Context, contactCenter string) (Offer, error)
	// Sessions tells other replicas of sessions; nil if there are none.
	Sessions *bus.Sessions
	Log      *slog.Logger
	// Deadline bounds how long a request waits for its outcome, Ping is how often a client is pinged, Prepare
	// how long a WebSocket may have no session, and Write how long a frame may take; 0 is the default.
	Deadline, Ping, Prepare, Write time.Duration
}

// Server has the sessions of this replica. It is safe for concurrent use.
type Server struct {
	options  Options
	log      *slog.Logger
	replica  string // a random id
	settings atomic.Pointer[Settings]
	closing  chan struct{}
	close    sync.Once
	asked    chan client.Name
	stale    chan struct{}
	sockets  sync.WaitGroup

	mu    sync.Mutex
	seats map[agent]*seat
	// offers are what contact centers were last known to offer, if Options.Ask lists it.
	offers map[string]Offer
	// showing are the seats whose clients know an interaction.
	showing map[client.Name]map[*seat]struct{}
}

// New returns a server, which sends nothing of what changes until Run.
func New(o Options, settings Settings) *Server {
	for value, standard := range map[*time.Duration]time.Duration{
		&o.Deadline: DefaultDeadline, &o.Ping: DefaultPing, &o.Prepare: DefaultPrepare, &o.Write: DefaultWrite,
	} {
		if *value == 0 {
			*value = standard
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{options: o, log: o.Log, replica: rand.Text(), closing: make(chan struct{}), asked: make(chan client.Name, maxAsked),
		stale: make(chan struct{}, 1), offers: map[string]Offer{}, seats: map[agent]*seat{}, showing: map[client.Name]map[*seat]struct{}{}}
	s.settings.Store(&settings)
	return s
}

// Configure applies new settings: clients are notified of dispositions that changed. If a call lists them now, those
// that clients know stay until it has answered.
func (s *Server) Configure(settings Settings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[string]Offer{}
	for of := range s.seats {
		if settings.IsAsked {
			known[of.contactCenter] = s.offerOf(of.contactCenter)
		}
	}
	s.settings.Store(&settings)
	s.offers = known
	for _, one := range s.seats {
		one.send(one.desktop.Configure(s.offerOf(one.agent.contactCenter).Dispositions))
	}
	s.isStale()
}

// Close ends all sessions, and returns when their WebSockets have ended.
func (s *Server) Close() {
	s.close.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.closing)
	})
	s.sockets.Wait()
}

// ServeHTTP opens a WebSocket and serves it until it ends.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isUpgrade(r) {
		p := problem.New(problem.Malformed, "Sessions are opened by a WebSocket: send GET with Upgrade: websocket.")
		problem.Write(w, p)
		return
	}
	s.serve(w, r)
}
