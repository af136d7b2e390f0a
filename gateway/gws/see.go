package gws

import (
	"context"
	"errors"
	"slices"

	"segue/client"
	"segue/contract"
	"segue/gateway/gws/view"
	"segue/gateway/index"
	"segue/gateway/problem"
	"segue/interaction"
)

// lists is what the face needs of index.Index; tests replace it.
type lists interface {
	Query(ctx context.Context, n client.Name, actor *contract.StateRequest) (contract.State, error)
	Catch(ctx context.Context)
	List(contactCenter string, match func(*index.Entry) bool) []*index.Entry
	OfAgent(contactCenter, agent string) []*index.Entry
	OfWorkbin(contactCenter string, workbin any) []*index.Entry
	Await(ctx context.Context, n client.Name, runID string, revision int64)
	Answered(n client.Name, runID string, revision int64)
}

// see returns an interaction as it is now, after all commands that were answered before. Agents see
// active ones and those that they had; others see all.
func (f *face) see(q *request, n client.Name) (*contract.State, error) {
	actor := q.actor()
	state, err := f.index.Query(q.Context(), n, &contract.StateRequest{ID: actor.ID, Role: actor.Role, Agents: true})
	var refused *client.RefusedError
	switch {
	case errors.As(err, &refused): // its start was refused: it does not exist
		return nil, problem.NoInteraction()
	case err != nil:
		return nil, err
	case state.EndedAt == nil || q.caller.Role != interaction.RoleAgent:
		return &state, nil
	}
	involved, err := f.involved(q.Context(), n)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(involved, contract.Keyword(q.agent())) {
		return nil, problem.NoInteraction()
	}
	return &state, nil
}

// seeIn is see for a path of one medium; nil for a path of all. Under another medium an interaction does
// not exist.
func (f *face) seeIn(q *request, n client.Name, is kind) (*contract.State, error) {
	state, err := f.see(q, n)
	if err == nil && !is.has(state.Channel) {
		return nil, problem.NoInteraction()
	}
	return state, err
}

// lookAt returns what view needs to show a state that was queried.
func lookAt(state *contract.State) view.Look {
	return view.Look{State: state, CapabilitiesFor: state.CapabilitiesFor}
}

// kind is the interactions of one family of paths.
type kind struct {
	// path is the start of the paths, after Prefix: /interactions, /emails, /openmedia/sms.
	path string
	// one and several are the keys of one resource and of a list.
	one, several string
	has          func(interaction.Channel) bool
}

// kinds are all families of paths, first that of all interactions.
var kinds = makeKinds()

func makeKinds() []kind {
	all := []kind{{path: "/interactions", one: "interaction", several: "interactions", has: func(interaction.Channel) bool { return true }}}
	for _, m := range view.Media {
		all = append(all, kind{path: "/" + m.Plural, one: m.Name, several: m.Plural, has: func(c interaction.Channel) bool { return view.MediumOf(c).Name == m.Name }})
	}
	for _, channel := range interaction.Channels() {
		if m := view.MediumOf(channel); m.Name == "openmedia" {
			all = append(all, kind{
				path: "/" + m.Plural + "/" + string(channel), one: m.Name, several: m.Plural, has: func(c interaction.Channel) bool { return c == channel },
			})
		}
	}
	return all
}
