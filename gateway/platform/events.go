package platform

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/limits"
	"segue/gateway/problem"
	"segue/gateway/stopping"
	"segue/interaction"
)

// eventsInput is the filters of a stream of events.
type eventsInput struct {
	Scoped
	Interaction []string `query:"interaction,explode" maxItems:"100" doc:"Events of these interactions. Repeat the parameter, or separate the ids with commas."`
	Agent       []string `query:"agent,explode" maxItems:"100" doc:"Events in which one of these agents has a part before or after. Repeat the parameter; an id may have a comma. For agents, this is always their own id."`
	Queue       []string `query:"queue,explode" maxItems:"100" doc:"Events of interactions in one of these queues, and those that name one. Repeat the parameter; a name may have a comma."`
	When        []string `query:"when,explode" maxItems:"100" doc:"Events of these moments; change is a command without a moment. Repeat the parameter, or separate with commas. It does not filter state, gap and resync." example:"agent_needed"`
	Include     string   `query:"include" enum:"state" doc:"Adds to each event the state after it."`
	LastEventID string   `header:"Last-Event-ID" doc:"The id of the last event that the client has: the stream goes on after it."`
	LastID      string   `query:"last_event_id" doc:"The same for clients that cannot set the header. The header comes first."`
}

// otherMoments are the values of the filter when besides the moments of interactions.
var otherMoments = []string{whenChange, whenAgentState}

// eventRoutes registers the stream of events.
func eventRoutes(a *api) {
	register(a, route{
		id: "stream_events", method: http.MethodGet, path: "/events", tag: "events", summary: "Stream live events",
		about: strings.TrimSpace(aboutEvents), status: http.StatusOK, streams: true,
	}, a.events)
	o := registered(a, route{method: http.MethodGet, path: "/events"})
	o.Responses["200"].Description = "A stream of server-sent events, until the client ends it."
	o.Responses["200"].Content = map[string]*huma.MediaType{"text/event-stream": {Schema: eventsSchema(a.huma.OpenAPI().Components.Schemas), Example: exampleEvents}}
}

const aboutEvents = `
Sends each change of an interaction as it happens, as server-sent events. The name of an event is its moment, or change for a command without one; a
change with several moments is several events, in order. Several filters are combined; several values of one are alternatives. Agents get the events
of interactions in which they have a part before or after the change, offers too.

Reconnect with the id of the last event, as browsers do by themselves: the stream goes on without a gap or a repeat, on any replica, for 15 minutes.
Without an id it begins now: it has everything that happens after the headers of the answer. An id without data is a place to go on from, too.

Three events are about the stream. resync means that it cannot go on from the id (expired, foreign) or that the client was too slow (overrun): each
open interaction of the filters follows as an event state, and the stream goes on from there. gap means that the changes from and to of an interaction
are lost; its state follows. state has no member state if the interaction is too large to be read at once: read it by its id.

agent.state is a change of an agent's presence: a login, a logout, or another state on a channel. The filters agent and when apply; a stream with the
filter interaction or queue has none. It has no id, and is not repeated after a reconnect: read /v1/agents then. A client that lets more than 1,024 of
them wait is disconnected.

A comment comes every 15 seconds. The stream ends when the credential does.
`

func (a *api) events(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	s, err := in.Scoped.list(ctx, "")
	if err != nil {
		return nil, err
	}
	wanted, err := in.interest(s)
	if err != nil {
		return nil, err
	}
	if err := lasts(s.caller); err != nil {
		return nil, err
	}
	if !a.Index.Health().Complete {
		p := problem.New(problem.Unavailable, "this replica does not have all open interactions yet")
		p.RetryAfter = time.Second
		return nil, p
	}
	release, err := a.Stream(s.caller)
	if err != nil {
		return nil, err
	}
	last := in.LastEventID
	if last == "" {
		last = in.LastID
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer release()
		r, w := humago.Unwrap(c)
		limits.Hold(ctx) // a stream is not one of the requests at once
		watched, end := a.lasting(r.Context(), s.caller)
		defer end()
		stream := &stream{
			api: a, scope: s, wanted: wanted, hasState: in.Include != "", ctx: watched, w: w, control: http.NewResponseController(w),
		}
		if r.Method == http.MethodHead {
			stream.open()
			return
		}
		a.Log.DebugContext(ctx, "a stream of events ended", "error", stream.run(last))
	}}, nil
}

// lasts returns an error for a credential that has expired and counts for single requests only, while the
// clocks of issuers may differ: a stream would end at once, and its client would open the next one.
func lasts(caller *auth.Caller) error {
	if caller.Counts(time.Now()) {
		return nil
	}
	return fail(problem.Unauthenticated, "the credential has expired; get a new one")
}

// lasting returns a context for a long answer: it ends with the client, the credential or the process.
func (a *api) lasting(ctx context.Context, caller *auth.Caller) (context.Context, func()) {
	watched, release := a.Watch(ctx, caller)
	lasting, end := context.WithCancelCause(watched)
	go func() {
		select {
		case <-stopping.Done(ctx):
			end(errStopping)
		case <-lasting.Done():
		}
	}()
	return lasting, func() {
		end(context.Canceled)
		release()
	}
}

// interest returns what the caller wants to see, and may.
func (in *eventsInput) interest(s scope) (*interest, error) {
	i := &interest{contactCenter: s.contactCenter, interactions: separated(in.Interaction), agents: given(in.Agent), queues: given(in.Queue), moments: separated(in.When)}
	if s.isAgent() {
		for _, agent := range i.agents {
			if agent != s.caller.Agent {
				return nil, fail(problem.NotPermitted, "agents get the events of their own interactions")
			}
		}
		i.agents, i.own = []string{s.caller.Agent}, s.caller.Agent
	}
	for _, id := range i.interactions {
		if err := (client.Name{ContactCenter: s.contactCenter, ID: id}).Check(); err != nil {
			return nil, invalidAt("/query/interaction", "interaction: "+err.Error())
		}
	}
	for _, when := range i.moments {
		if !slices.Contains(otherMoments, when) && !isMoment(when) {
			return nil, invalidAt("/query/when", "when: there is no moment "+quoted(when))
		}
	}
	return i, nil
}

func isMoment(when string) bool {
	return when == string(interaction.MomentFault) || slices.Contains(interaction.AllMoments(), interaction.Moment(when))
}

// separated returns the values of a parameter that is repeated, or has commas.
func separated(values []string) []string {
	return given(strings.Split(strings.Join(values, ","), ","))
}

// given returns the values that are not empty.
func given(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(value string) bool { return value == "" })
}
