package gws

import (
	"encoding/json"
	"slices"
	"strings"

	"segue/gateway/gws/notify"
	"segue/gateway/gws/view"
	"segue/gateway/index"
	"segue/gateway/problem"
)

// watchers is what the face needs of notify.Notifier; tests replace it.
type watchers interface {
	WatchWorkbin(a notify.Agent, id string, workbin any, referenceID json.RawMessage)
	UnwatchWorkbin(a notify.Agent, id string, workbin any, referenceID json.RawMessage)
	WorkbinContent(a notify.Agent, id string, entries []*index.Entry, more bool, referenceID json.RawMessage)
}

// pulls and additions are the operations on an interaction in a workbin, by the plural of the medium
// that they are for.
var (
	pulls     = map[string]string{"PullInteraction": "", "PullChat": "chats", "PullEmail": "emails", "PullWorkitem": "openmedia"}
	additions = map[string]string{
		"AddInteraction": "", "AddChat": "chats", "AddEmail": "emails", "AddOpenmedia": "openmedia", "AddWorkitem": "openmedia",
	}
)

// operateWorkbin does an operation of a POST to a workbin, which is an agent's under any path.
func (f *face) operateWorkbin(q *request) (any, error) {
	if q.agent() == "" {
		return nil, problem.New(problem.NotPermitted, "operations on workbins are for agents; use a credential that has an agent")
	}
	ids, isSeveral, err := q.addressed()
	if err != nil {
		return nil, err
	}
	name, err := q.operationName()
	if err != nil {
		return nil, err
	}
	switch name {
	case "Subscribe":
		return f.watch(q, ids, isSeveral, f.watchers.WatchWorkbin), nil
	case "Unsubscribe":
		return f.watch(q, ids, isSeveral, f.watchers.UnwatchWorkbin), nil
	}
	if len(ids) > 1 {
		return nil, refuse(codeInvalid, "workbinIds: %q is for Subscribe and Unsubscribe; name one workbin", name)
	}
	workbin := workbinOf(ids[0])
	if name == view.OperationGetWorkbinContent {
		f.sendContent(q, workbin)
		return q.done(), nil
	}
	if plural, known := pulls[name]; known {
		return f.pull(q, workbin, plural)
	}
	if plural, known := additions[name]; known {
		return f.add(q, workbin, plural)
	}
	return nil, refuse(codeForbidden, "operationName: %.64q is no operation of workbins; use Subscribe, Unsubscribe, GetWorkbinContent, PullInteraction or AddInteraction", name)
}

// workbinsAtOnce bounds the workbins that one request names.
const workbinsAtOnce = 100

// addressed returns the ids of the workbins that a request is about: those of workbinIds, or else the
// one of the path.
func (q *request) addressed() (ids []string, isSeveral bool, err error) {
	ids = workbinIDs(strings.Join(q.URL.Query()["workbinIds"], ","))
	if isSeveral = len(ids) > 0; !isSeveral && q.PathValue("id") != "" {
		ids = []string{q.PathValue("id")}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	switch {
	case len(ids) == 0:
		return nil, false, refuse(codeMissing, "workbinIds: is missing; name the workbin in the path, or several as workbinIds=a,b")
	case len(ids) > workbinsAtOnce:
		return nil, false, refuse(codeInvalid, "workbinIds: has %d workbins; name at most %d at once", len(ids), workbinsAtOnce)
	}
	return ids, isSeveral, nil
}

// watch begins or ends what the agent's sessions are notified of. Without a referenceId in the body,
// each of several workbins has one of its own.
func (f *face) watch(q *request, ids []string, isSeveral bool, do func(notify.Agent, string, any, json.RawMessage)) any {
	references := map[string]json.RawMessage{}
	for i, id := range ids {
		reference := q.reference
		if i > 0 && isNone(q.body.Values["referenceId"]) {
			reference = f.nextReference()
		}
		references[id] = reference
		workbin := workbinOf(id)
		do(q.asAgent(), workbinID(workbin), workbin, reference) // however the client writes its id
	}
	if !isSeveral {
		return q.done()
	}
	return struct {
		StatusCode   int                        `json:"statusCode"`
		Status       string                     `json:"status"`
		ReferenceIDs map[string]json.RawMessage `json:"referenceIds"`
	}{codeOK, "ok", references}
}

// pull gives the agent an interaction out of the workbin.
func (f *face) pull(q *request, workbin any, plural string) (any, error) {
	n, err := q.inBody()
	if err != nil {
		return nil, err
	}
	state, err := f.seeIn(q, n, kindOf(plural))
	if err != nil {
		return nil, err
	}
	isThere := state.Workbin != nil && workbinID(state.Workbin) == workbinID(workbin)
	if !isThere && !isOwned(state, q.agent()) {
		return nil, refuse(codeState, "id: the interaction is not in this workbin (its state is %s); read the content of the workbin again", state.State)
	}
	if err := f.accept(q, n, []command{{name: commandAccept}}, state); err != nil {
		return nil, err
	}
	return q.done(), nil
}

// add places an interaction of the agent in the workbin.
func (f *face) add(q *request, workbin any, plural string) (any, error) {
	n, err := q.inBody()
	if err != nil {
		return nil, err
	}
	if _, err := f.seeIn(q, n, kindOf(plural)); err != nil {
		return nil, err
	}
	if err := f.give(q, n, []command{{"place_in_workbin", fields{"workbin": workbin}}}); err != nil {
		return nil, err
	}
	return q.done(), nil
}

// kindOf returns the kind of interactions of a medium; all for none.
func kindOf(plural string) kind {
	for _, is := range kinds {
		if is.path == "/"+plural {
			return is
		}
	}
	return kinds[0]
}
