package platform

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/board"
	"segue/gateway/commands"
	"segue/gateway/engagement/ticket"
	"segue/gateway/index"
	"segue/gateway/presence"
	"segue/gateway/problem"
)

// Prefix begins the path of every route.
const Prefix = "/v1"

// Options configure the API.
type Options struct {
	Client *client.Client
	Sender *commands.Sender
	Index  *index.Index
	Board  *board.Board
	// Presence is which agents are logged in; nil for none.
	Presence *presence.Presence
	// Sessions makes and ends the sessions of browsers; nil for an API without POST and DELETE
	// /v1/session.
	Sessions Sessions
	// Stream counts an open stream of events until release is called, and refuses one too many; nil for
	// no limit.
	Stream func(*auth.Caller) (release func(), err error)
	// Watch returns a context for a long answer, which ends when the caller's credential does; nil for
	// one that ends with the request.
	Watch func(context.Context, *auth.Caller) (stream context.Context, release func())
	// CursorKeys returns the present keys that seal the cursors of lists; the first one seals.
	// Replicas share them. Without one, a key is made, and a cursor is valid on this replica only.
	CursorKeys func() [][]byte
	// Tickets signs the tokens of visits; nil for an API without /v1/visits.
	Tickets *ticket.Tickets
	// Deadline is how long a request waits for Temporal; 0 is DefaultDeadline.
	Deadline time.Duration
	Log      *slog.Logger
}

// DefaultDeadline is how long a request waits for Temporal.
const DefaultDeadline = 10 * time.Second

// Sessions makes and ends the sessions of browsers.
type Sessions interface {
	// Session sets the session cookie for the caller of an authenticated request, and the headers
	// with its CSRF token.
	Session(w http.ResponseWriter, r *http.Request) error
	// End removes a cookie.
	End(w http.ResponseWriter, r *http.Request, cookie string)
}

// api is the API and what its routes share.
type api struct {
	Options
	huma huma.API
	mux  *http.ServeMux
	// ownKey seals cursors without CursorKeys.
	ownKey []byte
	// stored shares the answers of equal lists.
	stored shared
	// encodings shares the encoded events of streams.
	encodings encodings
	// feeds has a place for each feed at once.
	feeds chan struct{}
	// document is the OpenAPI document, which is written once.
	document func() []byte
}

// New returns the handler of all routes under Prefix. A request has its caller in its context
// (auth.With); without one it is answered with 401.
func New(options Options) http.Handler {
	if options.Deadline == 0 {
		options.Deadline = DefaultDeadline
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.CursorKeys == nil {
		options.CursorKeys = func() [][]byte { return nil }
	}
	if options.Stream == nil {
		options.Stream = func(*auth.Caller) (func(), error) { return func() {}, nil }
	}
	if options.Watch == nil {
		options.Watch = func(ctx context.Context, _ *auth.Caller) (context.Context, func()) { return context.WithCancel(ctx) }
	}
	a := &api{Options: options, mux: http.NewServeMux(), ownKey: []byte(rand.Text())}
	a.huma = humago.NewWithPrefix(a.mux, Prefix, describe())
	for _, routes := range []func(*api){
		commandRoutes, startRoutes, arrayRoutes, readRoutes, listRoutes, deliveryRoutes, deliveryListRoutes, feedRoutes,
		eventRoutes, boardRoutes, sessionRoutes, visitRoutes, documentRoutes,
	} {
		routes(a)
	}
	explain(a.huma.OpenAPI().Components.Schemas.Map())
	a.document = sync.OnceValue(a.writeDocument)
	return a
}

// ServeHTTP answers unknown paths and wrong methods as problems, and all other requests by their
// routes.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, pattern := a.mux.Handler(r)
	// A path that is not clean would be redirected, which clients of an API do not follow.
	isClean := path.Clean(r.URL.EscapedPath()) == r.URL.EscapedPath()
	switch {
	case !isClean:
		problem.Write(w, problem.New(problem.NotFound, "no such path"))
	case pattern == "":
		a.unrouted(w, r, route)
	case auth.From(r.Context()) == nil && r.URL.Path != Prefix+documentPath:
		auth.Refuse(w, problem.New(problem.Unauthenticated, ""))
	case auth.Repeated(r, keyHeader) != "":
		problem.Write(w, problem.New(problem.Malformed, auth.Repeated(r, keyHeader)+" is given more than once"))
	default:
		a.mux.ServeHTTP(w, r)
	}
}

// unrouted answers a request without a route: with 405 and Allow if another method has one, else with 404.
func (a *api) unrouted(w http.ResponseWriter, r *http.Request, route http.Handler) {
	allowed := problem.Methods(r, route)
	if allowed == "" {
		problem.Write(w, problem.New(problem.NotFound, "no such path"))
		return
	}
	w.Header().Set("Allow", allowed)
	problem.Write(w, problem.New(problem.MethodNotAllowed, "use one of "+allowed))
}

// describe returns what the OpenAPI document says about the API as a whole.
func describe() huma.Config {
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Segue platform API", Version: "1",
				Description: strings.TrimSpace(aboutAPI),
			},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", nameSchema),
				SecuritySchemes: securitySchemes(),
			},
			Security: []map[string][]string{{"bearer": {}}, {"apiKey": {}}, {"basic": {}}, {"session": {}}, {}},
			Tags: []*huma.Tag{
				{Name: "commands", Description: "Start interactions and change them."},
				{Name: "interactions", Description: "Read and list interactions."},
				{Name: "events", Description: "Live events."},
				{Name: "deliveries", Description: "List deliveries, send them again, or discard them."},
				{Name: "boards", Description: "Watch queues, agents and receivers."},
				{Name: "engagement", Description: "Web engagement."},
				{Name: "session", Description: "Sessions of browsers."},
			},
		},
		Formats: map[string]huma.Format{
			"application/json": huma.DefaultJSONFormat, "application/problem+json": huma.DefaultJSONFormat,
			"json": huma.DefaultJSONFormat, // what comes after the plus
		},
		DefaultFormat: "application/json",
	}
	config.AllowAdditionalPropertiesByDefault = true
	shareSchemas(config.Components.Schemas)
	return config
}

const aboutAPI = `
Start interactions, send them commands, and read them.

Every command has an idempotency key: the header Idempotency-Key, else the payload's event_id, else one that is made. A
repeat with the same key changes nothing and succeeds with "duplicate": true. The payload of a repeat is not compared.
If an answer is lost, or is 503, repeat the request with the same key.

Clients ignore fields that they do not know. Errors are problems as RFC 9457 describes them.
`

// documentPath is where the OpenAPI document is, after Prefix.
const documentPath = "/openapi.json"

// documentRoutes registers the OpenAPI document, which needs no credential.
func documentRoutes(a *api) {
	a.mux.HandleFunc("GET "+Prefix+documentPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(a.document()) // the client has gone
	})
}

func (a *api) writeDocument() []byte {
	document, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		panic(err) // cannot happen: a test writes the document
	}
	return document
}
