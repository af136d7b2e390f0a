package gws

import (
	"segue/client"
	"segue/contract"
	"segue/gateway/gws/view"
	"segue/gateway/index"
	"segue/gateway/problem"
	"segue/interaction"
)

// interactionRoutes registers interactions under each of their paths.
func interactionRoutes(f *face) {
	for _, is := range kinds {
		f.get(is.path, func(q *request) (any, error) { return f.listAll(q, is) })
		f.get("/me"+is.path, func(q *request) (any, error) { return f.listMine(q, is) })
		f.object(is.path, is)
		f.object("/me"+is.path, is)
		f.post("/me"+is.path+"/{id}", func(q *request) (any, error) { return f.operate(q, is) })
	}
	// Some pages of the documentation write this path so.
	all := kinds[0]
	f.object("/me/interaction", all)
	f.post("/me/interaction/{id}", func(q *request) (any, error) { return f.operate(q, all) })
}

// object registers the GET and the PUT of one interaction.
func (f *face) object(path string, is kind) {
	f.get(path+"/{id}", func(q *request) (any, error) { return f.one(q, is) })
	f.put(path+"/{id}", func(q *request) (any, error) { return f.update(q, is) })
}

// one answers with one interaction.
func (f *face) one(q *request, is kind) (any, error) {
	n, err := q.target(q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	state, err := f.seeIn(q, n, is)
	if err != nil {
		return nil, err
	}
	return found{is.one, view.Of(lookAt(state), q.agent(), q.base)}, nil
}

// listAll lists the active interactions of the contact center.
func (f *face) listAll(q *request, is kind) (any, error) {
	f.index.Catch(q.Context())
	return f.writeList(q, is, f.index.List(q.contactCenter, is.shows))
}

// listMine lists the active interactions in which the agent has an open leg, offers too.
func (f *face) listMine(q *request, is kind) (any, error) {
	f.index.Catch(q.Context())
	var mine []*index.Entry
	for _, e := range f.index.OfAgent(q.contactCenter, q.agent()) {
		if is.shows(e) {
			mine = append(mine, e)
		}
	}
	return f.writeList(q, is, mine)
}

// shows reports whether a list has an interaction: an active one of this kind.
func (k kind) shows(e *index.Entry) bool {
	return e.State.EndedAt == nil && e.State.State != interaction.StateCompleted && k.has(e.State.Channel)
}

// operate does the operation of a POST.
func (f *face) operate(q *request, is kind) (any, error) {
	if name, _ := q.body.Text("operationName"); name == view.OperationGetWorkbinContent {
		return f.tellContent(q)
	}
	n, err := q.target(q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	state, err := f.seeIn(q, n, is)
	if err != nil {
		return nil, err
	}
	name, err := q.operationName()
	if err != nil {
		return nil, err
	}
	op, known := view.FindOperation(name, view.MediumOf(state.Channel))
	if !known {
		return nil, refuse(codeForbidden, "operationName: %.64q is no operation of %s; use one of the capabilities", name, view.MediumOf(state.Channel).Plural)
	}
	if err := f.do(q, n, op, state); err != nil {
		return nil, ofOperation(name, err)
	}
	done := q.done()
	if name == operationCancel {
		done.Status = 0
	}
	return done, nil
}

// ofOperation names the operation in a refusal of the interaction, which speaks of commands.
func ofOperation(name string, err error) error {
	if !isRefusal(err) {
		return err
	}
	p := problem.Of(err)
	p.Detail = name + ": " + messageOf(p)
	return p
}

// operationName returns the name of the operation, which is required.
func (q *request) operationName() (string, error) {
	name, err := q.text("operationName")
	if err == nil && name == "" {
		err = refuse(codeMissing, "operationName: is missing; name the operation")
	}
	return name, err
}

// do gives the commands of an operation.
func (f *face) do(q *request, n client.Name, op *view.Operation, state *contract.State) error {
	name := op.CommandFor(lookAt(state), q.agent())
	if op.Name == operationSend && state.State != interaction.StateComposing {
		return refuse(codeState, "operationName: Send is for drafts, and the interaction is %s; use Complete", state.State)
	}
	given, err := inputs[op.Name](q, name)
	switch {
	case err != nil:
		return err
	case len(given) == 0 && state.EndedAt != nil:
		return problem.New(problem.Completed, "the interaction has ended")
	case name == commandAccept:
		return f.accept(q, n, given, state)
	}
	return f.give(q, n, given)
}

// accept gives an accept. GWS has no key to repeat a request with, so a client that got no answer sends
// it again: if the agent has the interaction already, that is a success, also if another request has
// just done it.
func (f *face) accept(q *request, n client.Name, given []command, state *contract.State) error {
	if isOwned(state, q.agent()) {
		return nil
	}
	err := f.give(q, n, given)
	if !isRefusal(err) {
		return err
	}
	if now, unseen := f.see(q, n); unseen == nil && isOwned(now, q.agent()) {
		return nil
	}
	return err
}
