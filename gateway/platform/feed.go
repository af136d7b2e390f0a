package platform

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"segue/client"
	"segue/client/feed"
	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/body"
	"segue/gateway/problem"
	"segue/interaction"
)

const (
	// maxFeed bounds a feed, in bytes.
	maxFeed = 64 << 20
	// feedsAtOnce bounds the feeds of a replica: each has some MiB of lines and results in memory.
	feedsAtOnce = 16
	// updateWithin is how long a line waits for its interaction.
	updateWithin = 30 * time.Second
	// outageWithin is how long a feed retries while Temporal is away.
	outageWithin = 10 * time.Second
)

// feedInput is a request with a feed.
type feedInput struct {
	Scoped
	Via string `query:"via" enum:"update,signal" doc:"How commands are sent. update, the default: each result comes as soon as the interaction has judged the command, with its answer. signal: faster for many lines; accepted lines have no answer, and most results come at the end. Use signal for commands whose source_sequence is not in order."`
}

// feedRoutes registers the feed.
func feedRoutes(a *api) {
	a.feeds = make(chan struct{}, feedsAtOnce)
	register(a, route{
		id: "feed", method: http.MethodPost, path: "/feed", tag: "commands", summary: "Send many commands of many interactions",
		about: strings.TrimSpace(aboutFeed), status: http.StatusOK, streams: true,
		problems: []string{problem.UnsupportedMediaType, problem.TooLarge},
	}, a.feed)
	o := registered(a, route{method: http.MethodPost, path: "/feed"})
	schemas := a.huma.OpenAPI().Components.Schemas
	o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{ndjson: {Schema: feedSchema(), Example: exampleFeed}}}
	o.Responses["200"].Description = "One line for each line of the feed, and a summary."
	o.Responses["200"].Content = map[string]*huma.MediaType{ndjson: {Schema: feedResultSchema(schemas), Example: exampleFeedResults}}
}

const aboutFeed = `
The body has one JSON object a line (NDJSON): the payload of a command, with interaction and command, and contact_center if it is another than that of
the request. The command start starts the interaction. Lines of one interaction are sent in order, different interactions in parallel. A line is
deduplicated by its event_id; a line without one gets one from its content. Send an interrupted feed again: what was applied counts as duplicate.

Feeds are for the roles platform and admin; for all others the answer is 403.

The answer has a line for each line of the feed as soon as its outcome is known, in order for each interaction, and a summary at last. status is
accepted, duplicate, rejected or unknown: unknown lines may or may not be applied, send them again. After an outage of Temporal all further lines are
unknown, with a problem of status 503. A body that is too large, or late, ends the feed; the summary then has the problem.

Read the answer while you send: up to 16 MiB of results wait for a client that reads only after sending, some 60,000 lines. A client that disconnects
ends the feed; what was sent is sent. A body of 64 MiB and lines of 1 MiB are the limits; a pause of 30 seconds in the body ends the feed. The media
type of the body is not looked at.
`

const ndjson = "application/x-ndjson"

func (a *api) feed(ctx context.Context, in *feedInput) (*huma.StreamResponse, error) {
	s, err := in.scope(ctx, "")
	var required *problem.Problem
	switch {
	case errors.As(err, &required) && required.Type == problem.ContactCenterRequired:
		// Each line may name its own.
		s = scope{caller: auth.From(ctx)}
	case err != nil:
		var foreign *auth.ForeignError
		if errors.As(err, &foreign) {
			return nil, foreign.List()
		}
		return nil, err
	}
	if s.caller.Role != interaction.RolePlatform && s.caller.Role != interaction.RoleAdmin {
		return nil, fail(problem.NotPermitted, "feeds are for the roles platform and admin")
	}
	if err := lasts(s.caller); err != nil {
		return nil, err
	}
	select {
	case a.feeds <- struct{}{}:
	default:
		p := problem.New(problem.RateLimited, "this replica has too many feeds")
		p.RetryAfter = 5 * time.Second
		return nil, p
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer func() { <-a.feeds }()
		r, w := humago.Unwrap(c)
		if err := checkFeed(r); err != nil {
			problem.Write(w, problem.Of(err))
			return
		}
		a.runFeed(s, feed.Mode(in.Via), r, w)
	}}, nil
}

// checkFeed returns an error for a body that cannot be a feed.
func checkFeed(r *http.Request) error {
	if r.ContentLength > maxFeed {
		return fail(problem.TooLarge, "the feed has more than 64 MiB; send it in parts")
	}
	encoding := r.Header.Get("Content-Encoding")
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // none at all is fine
	if encoding != "" && !strings.EqualFold(encoding, "identity") || strings.HasPrefix(media, "multipart/") {
		return fail(problem.UnsupportedMediaType, "send application/x-ndjson without Content-Encoding")
	}
	return nil
}

// runFeed sends the lines of a body and writes their results.
func (a *api) runFeed(s scope, mode feed.Mode, r *http.Request, w http.ResponseWriter) {
	ctx, end := a.lasting(r.Context(), s.caller)
	defer end()
	control := http.NewResponseController(w)
	// A client may wait for results before it sends more. Without full duplex, HTTP/1 reads the body first.
	_ = control.EnableFullDuplex()
	if r.ProtoMajor == 1 {
		// A feed may end before its body. The rest would be taken for the next request: nobody else reads
		// it in full duplex.
		w.Header().Set("Connection", "close")
	}
	if mode == "" {
		mode = feed.ModeUpdate
	}
	results := newResults(ctx, w, control)
	patient := &client.Client{Temporal: a.Client.Temporal, TaskQueue: a.Client.TaskQueue, Priority: a.Client.Priority, Patience: outageWithin}
	body := &lateBody{body: http.MaxBytesReader(w, r.Body, maxFeed), control: control}
	counted, err := feed.Run(results.ctx, &bounded{Client: patient}, body, feed.Options{
		ContactCenter: s.contactCenter, Mode: mode, Prepare: s.prepareLine, Finished: results.add,
	})
	body.stop()
	if late := body.failure(); late != nil {
		err = late
	}
	results.end(counted, a.endOfFeed(ctx, err))
}

// endOfFeed returns why a feed ended early, or why lines were not sent; nil if all was sent.
func (a *api) endOfFeed(ctx context.Context, err error) *problem.Problem {
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errStopping):
		return problem.New(problem.Unavailable, "the gateway stops; send the feed again")
	case errors.Is(context.Cause(ctx), auth.ErrEnded):
		return problem.New(problem.Unauthenticated, "the credential has ended; send the feed again with another one")
	}
	p := problem.Of(err)
	if p.Type == problem.Internal {
		a.Log.ErrorContext(ctx, "a feed ended", "error", err)
	}
	return p
}

// prepareLine checks and stamps a line as a single command is.
func (s scope) prepareLine(line *feed.Line) error {
	if !s.caller.MaySee(line.Name.ContactCenter) {
		if line.Command != feed.CommandStart {
			return client.ErrNotFound // as for a single command
		}
		return (&auth.ForeignError{ContactCenter: line.Name.ContactCenter}).List()
	}
	if err := s.mayGive(line.Command); err != nil {
		return err
	}
	if s.caller.Role == interaction.RolePlatform {
		return nil
	}
	payload, err := body.ReadObject(line.Payload)
	if err != nil {
		return fail(problem.Malformed, err.Error())
	}
	if err := s.stamp(payload); err != nil {
		return err
	}
	line.Payload = payload.Encode()
	return nil
}

// bounded bounds how long an update waits for its interaction.
type bounded struct{ *client.Client }

// Update is that of the client.
func (b *bounded) Update(ctx context.Context, n client.Name, command, eventID string, payload json.RawMessage) (contract.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, updateWithin)
	defer cancel()
	return b.Client.Update(ctx, n, command, eventID, payload)
}

// Commands is that of the client.
func (b *bounded) Commands(ctx context.Context, n client.Name, eventID string, array json.RawMessage) ([]contract.CommandResult, error) {
	ctx, cancel := context.WithTimeout(ctx, updateWithin)
	defer cancel()
	return b.Client.Commands(ctx, n, eventID, array)
}
