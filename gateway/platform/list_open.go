package platform

import (
	"cmp"
	"context"
	"slices"

	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/index"
	"segue/interaction"
)

// listOpen lists open interactions from the index, the newest first.
func (a *api) listOpen(ctx context.Context, s scope, in *listInput, from cursor) ([]listItem, *cursor, error) {
	a.Index.Catch(ctx)
	entries := slices.Clone(a.openOf(s, in))
	entries = slices.DeleteFunc(entries, func(e *index.Entry) bool { return !in.matches(e.State) || isBefore(e.State, from) })
	slices.SortFunc(entries, func(x, y *index.Entry) int {
		return cmp.Or(y.State.StartedAt.Compare(x.State.StartedAt), cmp.Compare(x.State.ID, y.State.ID))
	})
	var next *cursor
	if len(entries) > in.Limit {
		entries = entries[:in.Limit]
		last := entries[in.Limit-1].State
		next = &cursor{StartedAt: last.StartedAt, ID: last.ID}
	}
	items := make([]listItem, len(entries))
	for i, e := range entries {
		if in.Fields != "" {
			items[i] = listItem{state: stateFor(s, e)}
		} else {
			items[i] = listItem{summary: summaryOf(e.State)}
		}
	}
	return items, next, nil
}

// openOf returns the open interactions of an agent, of a queue, or of the contact center.
func (a *api) openOf(s scope, in *listInput) []*index.Entry {
	switch {
	case in.Agent != "":
		return a.Index.OfAgent(s.contactCenter, in.Agent)
	case in.Queue != "":
		return a.Index.OfQueue(s.contactCenter, in.Queue)
	}
	return a.Index.List(s.contactCenter, func(e *index.Entry) bool { return in.matches(e.State) })
}

// isBefore reports whether an interaction is on one of the pages before the cursor.
func isBefore(state *contract.State, from cursor) bool {
	if from.ID == "" {
		return false
	}
	return cmp.Or(from.StartedAt.Compare(state.StartedAt), cmp.Compare(state.ID, from.ID)) <= 0
}

// matches reports whether an open interaction fits the filters, apart from the agent.
func (in *listInput) matches(state *contract.State) bool {
	return state.EndedAt == nil && state.State != interaction.StateCompleted &&
		has(in.State, string(state.State)) && has(in.Channel, string(state.Channel)) &&
		(in.Queue == "" || in.Queue == state.Queue) &&
		(in.Workbin == "" || in.Workbin == workbinOf(state)) &&
		has(in.Outcome, string(state.Outcome)) &&
		(in.StartedAfter.IsZero() || !state.StartedAt.Before(in.StartedAfter)) &&
		(in.StartedBefore.IsZero() || state.StartedAt.Before(in.StartedBefore))
}

// workbinOf returns the name of the workbin in which an interaction is; empty if it is in none. The
// interaction may name it by a text or by an object.
func workbinOf(state *contract.State) string {
	switch workbin := state.Workbin.(type) {
	case string:
		return workbin
	case map[string]any:
		for _, key := range []string{"name", "id", "workbinId"} {
			if name, ok := workbin[key].(string); ok && name != "" {
				return name
			}
		}
		return "unnamed"
	}
	return ""
}

// stateFor returns the state with what the caller may do. The index has the capabilities of the
// platform and of agents; those of others are the platform's that their role may give.
func stateFor(s scope, e *index.Entry) *contract.State {
	state := *e.State
	if s.isAgent() {
		state.Capabilities = listOf(e.CapabilitiesFor[s.caller.Agent])
		return &state
	}
	state.Capabilities = []string{}
	for _, command := range e.State.Capabilities {
		if auth.MayCommand(s.caller, command) {
			state.Capabilities = append(state.Capabilities, command)
		}
	}
	return &state
}

func summaryOf(state *contract.State) *summary {
	item := &summary{
		ID: state.ID, ContactCenter: state.ContactCenter, State: state.State, Channel: state.Channel, Queue: state.Queue,
		Workbin: workbinOf(state), Outcome: state.Outcome, StartedAt: state.StartedAt, EndedAt: state.EndedAt,
		Revision: state.Revision, Sequence: state.Sequence, Undelivered: int64(state.Undelivered),
	}
	if state.Agent != nil {
		item.Agent = state.Agent.ID
	}
	return item
}
