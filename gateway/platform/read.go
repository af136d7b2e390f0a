package platform

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"segue/client"
	"segue/contract"
	"segue/gateway/problem"
	"segue/interaction"
)

type stateInput struct {
	Targeted
	IfNoneMatch string `header:"If-None-Match" doc:"The ETag of an earlier answer: 304 if the interaction is still the same."`
}

type stateAnswer struct {
	Status       int
	ContentType  string `header:"Content-Type" hidden:"true"`
	ETag         string `header:"ETag" doc:"A hash of the body."`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

type timeline struct{ Body []interaction.Span }

type deliveries struct{ Body []contract.DeliveryRecord }

type rejections struct{ Body []contract.Rejected }

// readRoutes registers what can be read of one interaction.
func readRoutes(a *api) {
	registry := a.huma.OpenAPI().Components.Schemas
	register(a, route{
		id: "get_interaction", method: http.MethodGet, path: "/interactions/{id}", tag: "interactions", summary: "Read an interaction",
		about: "Returns the state of the interaction, after all commands that were answered before. Its capabilities are the commands that the caller may " +
			"give now. Agents read open interactions, and ended ones that they had.",
		status: http.StatusOK, also: map[int]string{http.StatusNotModified: "The interaction has not changed."}, problems: []string{problem.NotFound},
	}, a.state)
	a.describeJSON("/interactions/{id}", registry.Schema(reflect.TypeFor[contract.State](), true, "State"))
	register(a, route{
		id: "get_timeline", method: http.MethodGet, path: "/interactions/{id}/timeline", tag: "interactions", summary: "Read the segments of an interaction",
		about:  "Returns the segments in the order in which they were entered: the open ones, and the last 1,000 that have ended.",
		status: http.StatusOK, problems: []string{problem.NotFound},
	}, a.timeline)
	register(a, route{
		id: "get_deliveries", method: http.MethodGet, path: "/interactions/{id}/deliveries", tag: "deliveries", summary: "Read the deliveries of an interaction",
		about: "Returns the interaction's deliveries to receivers, with their attempts.", status: http.StatusOK, problems: []string{problem.NotFound},
	}, a.deliveries)
	register(a, route{
		id: "get_rejected", method: http.MethodGet, path: "/interactions/{id}/rejected", tag: "interactions", summary: "Read the refused commands",
		about:  "Returns the refused signals, and the refused commands of arrays: the last 100.",
		status: http.StatusOK, problems: []string{problem.NotFound},
	}, a.rejected)
}

// describeJSON documents the body of a route that writes its bytes itself.
func (a *api) describeJSON(path string, schema *huma.Schema) {
	a.huma.OpenAPI().Paths[path].Get.Responses["200"].Content = map[string]*huma.MediaType{"application/json": {Schema: schema}}
}

func (a *api) state(ctx context.Context, in *stateInput) (*stateAnswer, error) {
	s, n, err := in.target(ctx)
	if err != nil {
		return nil, err
	}
	state, err := a.query(ctx, s, n)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("encode the state: %w", err)
	}
	sum := sha256.Sum256(body)
	out := &stateAnswer{
		Status: http.StatusOK, ContentType: "application/json", Body: body,
		ETag: `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`, CacheControl: "private, no-cache",
	}
	if matches(in.IfNoneMatch, out.ETag) {
		out.Status, out.ContentType, out.Body = http.StatusNotModified, "", nil
	}
	return out, nil
}

// matches reports whether the header If-None-Match has the ETag.
func matches(header, etag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == etag || one == "*" {
			return true
		}
	}
	return false
}

// query returns the state of an interaction for a caller who may read it.
func (a *api) query(ctx context.Context, s scope, n client.Name) (contract.State, error) {
	own := s.actor()
	state, err := a.Index.Query(ctx, n, &contract.StateRequest{ID: own.ID, Role: own.Role})
	if err != nil {
		return state, unread(err)
	}
	if s.isAgent() && state.EndedAt != nil {
		return state, a.hadBy(ctx, n, own.ID)
	}
	return state, nil
}

// hadBy returns an error unless an agent had a part in an interaction that has ended.
func (a *api) hadBy(ctx context.Context, n client.Name, agent string) error {
	involved, err := a.Client.Involved(ctx, n)
	if err != nil {
		return err
	}
	if !slices.Contains(involved, contract.Keyword(agent)) {
		return fail(problem.NotPermitted, "the interaction has ended, and the agent had no part in it")
	}
	return nil
}

func (a *api) timeline(ctx context.Context, in *Targeted) (*timeline, error) {
	s, n, err := in.target(ctx)
	if err != nil {
		return nil, err
	}
	if s.isAgent() {
		if _, err := a.query(ctx, s, n); err != nil {
			return nil, err
		}
	}
	spans, err := a.Client.Timeline(ctx, n)
	if err != nil {
		return nil, unread(err)
	}
	return &timeline{Body: listOf(spans)}, nil
}

func (a *api) deliveries(ctx context.Context, in *Targeted) (*deliveries, error) {
	_, records, err := a.records(ctx, in)
	if err != nil {
		return nil, err
	}
	return &deliveries{Body: listOf(records)}, nil
}

// records returns an interaction's deliveries, to those who may see them.
func (a *api) records(ctx context.Context, in *Targeted) (client.Name, []contract.DeliveryRecord, error) {
	s, n, err := in.target(ctx)
	if err == nil {
		err = s.mayInspect()
	}
	if err != nil {
		return n, nil, err
	}
	records, err := a.Client.Deliveries(ctx, n)
	return n, records, unread(err)
}

func (a *api) rejected(ctx context.Context, in *Targeted) (*rejections, error) {
	s, n, err := in.target(ctx)
	if err == nil {
		err = s.mayInspect()
	}
	if err != nil {
		return nil, err
	}
	refused, err := a.Client.Rejected(ctx, n)
	if err != nil {
		return nil, unread(err)
	}
	return &rejections{Body: listOf(refused)}, nil
}

// unread returns the error of a query. An interaction whose start was refused does not exist.
func unread(err error) error {
	var refused *client.RefusedError
	if errors.As(err, &refused) {
		return fail(problem.NotFound, refused.Message)
	}
	return err
}

// mayInspect returns an error for agents, who read neither deliveries nor refusals.
func (s scope) mayInspect() error {
	if s.isAgent() {
		return fail(problem.NotPermitted, "agents read neither deliveries nor refused commands")
	}
	return nil
}

// listOf returns a list that JSON writes as [] if it is empty.
func listOf[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
