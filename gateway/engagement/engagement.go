package engagement

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"segue/client"
	"segue/contract"
	"segue/gateway/commands"
	"segue/gateway/engagement/ticket"
)

// The prefixes under which GWE 8.1.2 and 8.5 have engage and noengage, and the path of the answer of a page.
const (
	BackendPrefix   = "/backend/data/gateway/"
	ServerPrefix    = "/server/data/gateway/"
	DispositionPath = ServerPrefix + "disposition"
)

// DefaultDeadline is how long a request waits for its outcome.
const DefaultDeadline = 4 * time.Second

// Settings are those of the configuration that applies; they may change.
type Settings struct {
	// Queue is where a visitor waits who accepts an invitation whose profile names no queue.
	Queue string
	// Trusted are the networks that need no credential.
	Trusted []Network
}

// Network is a trusted network, and the contact center of what it sends.
type Network struct {
	Network       netip.Prefix
	ContactCenter string
}

// Sender is what the face needs of commands.Sender.
type Sender interface {
	Send(ctx context.Context, n client.Name, name string, payload json.RawMessage) (commands.Answer, error)
	Start(ctx context.Context, n client.Name, start json.RawMessage, commands []json.RawMessage) (commands.Started, error)
}

// Index is what the face needs of index.Index.
type Index interface {
	Query(ctx context.Context, n client.Name, actor *contract.StateRequest) (contract.State, error)
	Answered(n client.Name, runID string, revision int64)
}

// Options configure the face.
type Options struct {
	Sender  Sender
	Index   Index
	Tickets *ticket.Tickets
	// HasRun reports whether an interaction has, or had, that run. It tells Segue's own callbacks.
	HasRun func(ctx context.Context, n client.Name, runID string) (bool, error)
	// Settings returns the present settings.
	Settings func() Settings
	// Observe is called with the result of each answer of a page, and its outcome; nil for none.
	Observe func(result, outcome string)
	Log     *slog.Logger
	// Deadline bounds how long a request waits; 0 is DefaultDeadline.
	Deadline time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Face is the API.
type Face struct{ Options }

// New returns the face.
func New(o Options) *Face {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(string, string) {}
	}
	if o.Deadline == 0 {
		o.Deadline = DefaultDeadline
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Face{o}
}

// Strategies returns the handler of engage and noengage under both prefixes. A request has its caller
// in its context (auth.With); see Trust for those without a credential.
func (f *Face) Strategies() http.Handler {
	mux := http.NewServeMux()
	for _, prefix := range []string{BackendPrefix, ServerPrefix} {
		mux.HandleFunc(prefix+"engage", f.handle(engage))
		mux.HandleFunc(prefix+"noengage", f.handle(noengage))
	}
	mux.HandleFunc("/", unknownPath)
	return mux
}
