package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"segue/client"
	"segue/contract"
	"segue/gateway/problem"
	"segue/interaction"
)

// listInput is the filters of a list.
type listInput struct {
	Scoped
	State         []string  `query:"state,explode" maxItems:"100" doc:"Interactions in one of these states. Repeat the parameter for several."`
	Channel       []string  `query:"channel,explode" maxItems:"100" doc:"Interactions of one of these channels. Repeat the parameter for several."`
	Queue         string    `query:"queue" maxLength:"255" doc:"Interactions whose queue this is: those that wait in it, and those that came out of it and are in no other, such as handled ones. With state=queued and state=offered, those that wait."`
	Agent         string    `query:"agent" maxLength:"256" doc:"Open interactions in which this agent has a part, offers too; of ended ones, those in which the agent had a part. For agents, this is always their own id."`
	Workbin       string    `query:"workbin" maxLength:"255" doc:"Interactions in this workbin."`
	Outcome       []string  `query:"outcome,explode" maxItems:"100" doc:"Interactions that ended with one of these outcomes. Repeat the parameter for several."`
	Open          string    `query:"open" enum:"true,false" doc:"Open or ended interactions. Default: open ones if the list is filtered by a state, a queue, an agent or a workbin, else both."`
	StartedAfter  time.Time `query:"started_after" doc:"Interactions that started at this time or later." example:"2026-01-31T08:00:00Z"`
	StartedBefore time.Time `query:"started_before" doc:"Interactions that started before this time."`
	Limit         int       `query:"limit" minimum:"1" maximum:"1000" doc:"How many interactions the answer has at most. Default 100; at most 100 with fields=*."`
	Cursor        string    `query:"cursor" maxLength:"4096" doc:"The next of the answer before. It is valid for the same filters and caller."`
	Fields        string    `query:"fields" enum:"*" doc:"Whole states instead of summaries."`
}

// listAnswer is a page of interactions.
type listAnswer struct {
	Body struct {
		Interactions []listItem `json:"interactions"`
		Next         string     `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one."`
	}
}

// Bounds of pages.
const (
	usualLimit = 100
	maxStates  = 100
)

// listRoutes registers the list of interactions.
func listRoutes(a *api) {
	register(a, route{
		id: "list_interactions", method: http.MethodGet, path: "/interactions", tag: "interactions", summary: "List interactions",
		about: "Lists interactions; the filters are combined. Of state, channel and outcome, several values are alternatives; each other parameter is " +
			"given once. A list of open interactions is current, the newest first; for an agent it has every " +
			"command that the agent was answered before. A list of ended ones, or of both, lags by seconds: the open ones come first, then the ended " +
			"ones, the last ended first.",
		status: http.StatusOK,
	}, a.list)
	for _, parameter := range registered(a, route{method: http.MethodGet, path: "/interactions"}).Parameters {
		switch parameter.Name {
		case "state":
			restrict(parameter, interaction.States())
		case "channel":
			restrict(parameter, interaction.Channels())
		case "outcome":
			restrict(parameter, interaction.Outcomes())
		}
	}
}

// restrict allows the values of a parameter to be the given ones alone.
func restrict[T ~string](parameter *huma.Param, values []T) {
	for _, value := range values {
		parameter.Schema.Items.Enum = append(parameter.Schema.Items.Enum, string(value))
	}
	parameter.Schema.Items.PrecomputeMessages()
}

func (a *api) list(ctx context.Context, in *listInput) (*listAnswer, error) {
	s, err := in.Scoped.list(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := in.settle(s); err != nil {
		return nil, err
	}
	list, err := in.identity(s)
	if err != nil {
		return nil, err
	}
	from, err := a.open(in.Cursor, list)
	if err != nil {
		return nil, err
	}
	read := a.listStored
	if in.fromIndex() {
		read = a.listOpen
	}
	items, next, err := read(ctx, s, in, from)
	if err != nil {
		return nil, err
	}
	out := &listAnswer{}
	out.Body.Interactions = listOf(items)
	if next != nil {
		out.Body.Next, err = a.seal(*next, list)
	}
	return out, err
}

// settle sets the defaults, and checks what no single parameter shows.
func (in *listInput) settle(s scope) error {
	if s.isAgent() {
		if in.Agent != "" && in.Agent != s.caller.Agent {
			return fail(problem.NotPermitted, "agents list their own interactions")
		}
		in.Agent = s.caller.Agent
	}
	if in.Fields != "" && in.Limit > maxStates {
		return invalidAt("/query/limit", fmt.Sprintf("limit: %d: use at most %d with fields=*", in.Limit, maxStates))
	}
	if in.Limit == 0 {
		in.Limit = usualLimit
	}
	for name, value := range map[string]string{"queue": in.Queue, "agent": in.Agent, "workbin": in.Workbin} {
		if !client.CanFind(value) && !in.fromIndex() {
			return invalidAt("/query/"+name, name+": lists of ended interactions cannot find a double quote, a backslash, or a quote at the ends")
		}
	}
	return nil
}

// identity returns what a cursor is bound to: the filters and the caller.
func (in *listInput) identity(s scope) (string, error) {
	filters := *in
	filters.Scoped = Scoped{Header: s.contactCenter, Query: s.caller.Name}
	filters.Cursor, filters.Limit = "", 0
	text, err := json.Marshal(filters)
	return string(text), err
}

// fromIndex reports whether the list has open interactions alone, which the index has.
func (in *listInput) fromIndex() bool {
	if in.Open != "" {
		return in.Open == "true"
	}
	ended := len(in.Outcome) > 0 || slices.Contains(in.State, string(interaction.StateCompleted))
	return !ended && (len(in.State) > 0 || in.Queue != "" || in.Agent != "" || in.Workbin != "")
}

// listItem is one interaction of a list: a summary, or the whole state.
type listItem struct {
	summary *summary
	state   *contract.State
}

// MarshalJSON writes what the item has.
func (i listItem) MarshalJSON() ([]byte, error) {
	if i.state != nil {
		return json.Marshal(i.state)
	}
	return json.Marshal(i.summary)
}

// summary is what a list shows of an interaction.
type summary struct {
	ID            string              `json:"id" doc:"The id of the interaction." example:"ixn-1"`
	ContactCenter string              `json:"contact_center" doc:"The contact center of the interaction." example:"default"`
	State         interaction.State   `json:"state"`
	Channel       interaction.Channel `json:"channel,omitempty"`
	Queue         string              `json:"queue,omitempty" doc:"The current or last queue."`
	Agent         string              `json:"agent,omitempty" doc:"The id of the agent who has the interaction."`
	Workbin       string              `json:"workbin,omitempty" doc:"The name of the workbin."`
	Outcome       interaction.Outcome `json:"outcome,omitempty"`
	StartedAt     time.Time           `json:"started_at" doc:"The start; in lists of ended interactions, of the last run of the workflow."`
	EndedAt       *time.Time          `json:"ended_at,omitempty"`
	Revision      int64               `json:"revision,omitempty" doc:"The number of the last change; in lists of open interactions only."`
	Sequence      int64               `json:"sequence,omitempty" doc:"The number of the last event; in lists of open interactions only."`
	Undelivered   int64               `json:"undelivered" doc:"How many deliveries are neither delivered nor discarded."`
	Workflow      string              `json:"workflow,omitempty" doc:"How the workflow ended, if it was ended from outside: terminated, timedout, failed or canceled. The state is then that of this time."`
}

// stateQueries is how many states a list queries at once.
const stateQueries = 8

// states queries the states of listed interactions. It leaves out those that Temporal has deleted
// meanwhile.
func (a *api) states(ctx context.Context, s scope, rows []client.Listed) ([]listItem, error) {
	states := make([]*contract.State, len(rows))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(stateQueries)
	own := s.actor()
	for i, row := range rows {
		group.Go(func() error {
			state, err := a.Index.Query(asking, row.Name, &contract.StateRequest{ID: own.ID, Role: own.Role})
			switch {
			case err == nil:
				states[i] = &state
			case errors.Is(err, client.ErrNotFound):
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var items []listItem
	seen := map[string]bool{} // an id that was started again has several rows, and one state
	for _, state := range states {
		if state != nil && !seen[state.ID] {
			seen[state.ID] = true
			items = append(items, listItem{state: state})
		}
	}
	return items, nil
}
