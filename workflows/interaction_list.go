package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// The search attributes of an interaction, with which lists find it, are written at once as
// long as they change rarely: listBurst times, and one more each listEvery. A change beyond
// that is written when it is due, together with those that follow it until then. So a list
// lags by listEvery at most, and an interaction with many commands writes few times: each
// write is a history event and an update of the table behind the lists.
const (
	listEvery = 5 * time.Second
	listBurst = 2
)

// listEntry is the interaction as lists show it.
type listEntry struct {
	visibility
	changes []temporal.SearchAttributeUpdate // not written yet
	// full is when listBurst writes may follow each other again.
	full time.Time
}

// due returns when the changes may be written.
func (e *listEntry) due() time.Time { return e.full.Add(-(listBurst - 1) * listEvery) }

func (e *listEntry) write(ctx workflow.Context) {
	now := workflow.Now(ctx)
	if e.full.Before(now) {
		e.full = now
	}
	e.full = e.full.Add(listEvery)
	e.visibility.write(ctx, e.changes)
	e.changes = nil
}

// publish updates what operators see: the search attributes and the current details in the
// Temporal UI.
func (r *run) publish(phase phase) {
	isEnding := false
	if r.changed {
		r.changed = false
		status := r.status()
		before, _ := r.list.written.GetKeyword(contract.AttributeState)
		isEnding = status.State == interaction.StateCompleted && before != string(status.State)
		r.list.changes = r.listChanges(status)
		workflow.SetCurrentDetails(r.ctx, r.details(status))
	}
	if len(r.list.changes) == 0 {
		return
	}
	isLast := phase == phaseSettling || phase == phaseClosing
	if isLast || isEnding || !workflow.Now(r.ctx).Before(r.list.due()) {
		r.list.write(r.ctx)
	}
}

// publishingAt returns when changes are to be written; zero if all are.
func (r *run) publishingAt() (at time.Time) {
	if len(r.list.changes) > 0 {
		at = r.list.due()
	}
	return at
}

// listChanges returns the search attributes that differ from those that were written.
func (r *run) listChanges(status contract.State) []temporal.SearchAttributeUpdate {
	list := &r.list
	return slices.Concat(
		list.keyword(contract.AttributeState, string(status.State)),
		list.keyword(contract.AttributeChannel, string(status.Channel)),
		list.keyword(contract.AttributeQueue, status.Queue),
		list.keyword(contract.AttributeAgent, agentID(status.Agent)),
		list.keywords(contract.AttributeAgents, r.Interaction.Involved()),
		list.keyword(contract.AttributeWorkbin, workbinName(status.Workbin)),
		list.keyword(contract.AttributeOutcome, string(status.Outcome)),
		list.keyword(contract.AttributeContactCenter, status.ContactCenter),
		list.keyword(contract.AttributeInteraction, status.ID),
		// A delivery counts once it is in its lane: first attempts come and go too quickly.
		list.number(contract.AttributeUndelivered, status.Undelivered-r.waitingRequests()),
	)
}

// waitingRequests counts the requests that the interaction itself has to send or hand over.
func (r *run) waitingRequests() int {
	n := 0
	for _, l := range r.Lanes {
		n += len(l.Waiting)
	}
	return n
}

func agentID(agent *interaction.Agent) string {
	if agent == nil {
		return ""
	}
	return agent.ID
}

// workbinName returns the name by which a workbin, a name or an object, is found.
func workbinName(workbin any) string {
	switch w := workbin.(type) {
	case string:
		return w
	case map[string]any:
		for _, key := range []string{"name", "id", "workbinId"} {
			if name, ok := w[key].(string); ok && name != "" {
				return name
			}
		}
		return "unnamed"
	default:
		return ""
	}
}
