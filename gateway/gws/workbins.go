package gws

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"

	"segue/client"
	"segue/gateway/gws/notify"
	"segue/gateway/gws/view"
	"segue/gateway/index"
	"segue/interaction"
)

var errTrailing = errors.New("the workbin is more than one JSON value")

// contentLimit is how many interactions of a workbin one message has.
const contentLimit = 500

// workbinRoutes registers workbins, which all agents of a contact center share.
func workbinRoutes(f *face) {
	for _, prefix := range []string{"", "/me"} {
		f.get(prefix+"/workbins", f.listWorkbins)
		f.get(prefix+"/workbins/{id}", f.oneWorkbin)
		for _, is := range kinds {
			f.get(prefix+"/workbins/{id}"+is.path, func(q *request) (any, error) { return f.listWorkbin(q, is) })
		}
		f.post(prefix+"/workbins", f.operateWorkbin)
		f.post(prefix+"/workbins/{id}", f.operateWorkbin)
	}
}

// workbinShown is a workbin as GWS shows it.
type workbinShown struct {
	ID          string `json:"id"`
	WorkbinName string `json:"workbinName"`
	DisplayName string `json:"displayName"`
	URI         string `json:"uri"`
	// Type is the kind of its owners: workbins are shared.
	Type string `json:"type"`
}

const workbinType = "AgentGroup"

// show returns a workbin as it is shown: with the configured names, or else those that it has itself.
func (f *face) show(q *request, workbin any) workbinShown {
	id := workbinID(workbin)
	shown := workbinShown{ID: id, WorkbinName: nameOf(workbin, id), URI: view.URI(q.base, "workbins", id), Type: workbinType}
	for _, configured := range f.Settings().Workbins {
		if configured.ID == id {
			shown.WorkbinName, shown.DisplayName = configured.Name, configured.DisplayName
		}
	}
	if shown.WorkbinName == "" {
		shown.WorkbinName = id
	}
	if shown.DisplayName == "" {
		shown.DisplayName = shown.WorkbinName
	}
	return shown
}

// nameOf returns the name that a workbin has itself.
func nameOf(workbin any, id string) string {
	if object, ok := workbin.(map[string]any); ok {
		for _, key := range []string{"workbinName", "name", "id", "workbinId"} {
			if name, ok := object[key].(string); ok && name != "" {
				return name
			}
		}
		return id
	}
	text, _ := workbin.(string)
	return text
}

// listWorkbins lists the configured workbins, and those that hold something.
func (f *face) listWorkbins(q *request) (any, error) {
	f.index.Catch(q.Context())
	found := map[string]any{}
	for _, configured := range f.Settings().Workbins {
		found[configured.ID] = workbinOf(configured.ID)
	}
	for _, e := range f.index.List(q.contactCenter, holds) {
		found[workbinID(e.State.Workbin)] = e.State.Workbin
	}
	list := newListWriter(q)
	wantsAll := q.wantsAll("fields")
	if wantsAll {
		list.begin("workbins")
	} else {
		list.begin("uris")
	}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		if shown := f.show(q, found[id]); wantsAll {
			list.element(shown)
		} else {
			list.element(shown.URI)
		}
	}
	return nil, list.end()
}

// holds reports whether an interaction is in a workbin.
func holds(e *index.Entry) bool {
	return e.State.State == interaction.StateInWorkbin && e.State.Workbin != nil
}

// content returns the interactions in a workbin that are of a kind.
func (f *face) content(q *request, workbin any, is kind) []*index.Entry {
	f.index.Catch(q.Context())
	entries := f.index.OfWorkbin(q.contactCenter, workbin)
	return slices.DeleteFunc(entries, func(e *index.Entry) bool { return !holds(e) || !is.has(e.State.Channel) })
}

// oneWorkbin answers with a workbin, and with its content if the query has subresources.
func (f *face) oneWorkbin(q *request) (any, error) {
	workbin := workbinOf(q.PathValue("id"))
	shown := f.show(q, workbin)
	if !q.wantsAll("subresources") {
		return found{"workbin", shown}, nil
	}
	entries := f.content(q, workbin, kinds[0])
	encoded, err := json.Marshal(shown)
	if err != nil {
		return nil, err
	}
	list := newListWriter(q)
	list.text(`{"statusCode":` + strconv.Itoa(codeOK) + `,"workbin":` + string(encoded[:len(encoded)-1]))
	for _, m := range view.Media {
		list.text(`,"` + m.Plural + `":[`)
		list.count = 0
		for _, e := range entries {
			if view.MediumOf(e.State.Channel).Name == m.Name {
				list.element(q.resource(e))
			}
		}
		list.text("]")
	}
	return nil, list.close("}}")
}

// listWorkbin lists the interactions of a kind in a workbin.
func (f *face) listWorkbin(q *request, is kind) (any, error) {
	return f.writeList(q, is, f.content(q, workbinOf(q.PathValue("id")), is))
}

// tellContent sends the content of a workbin to the agent's sessions.
func (f *face) tellContent(q *request) (any, error) {
	workbin, err := q.workbin()
	if err != nil {
		return nil, err
	}
	f.sendContent(q, workbin)
	return q.done(), nil
}

func (f *face) sendContent(q *request, workbin any) {
	entries := f.content(q, workbin, kinds[0])
	more := len(entries) > contentLimit
	f.watchers.WorkbinContent(q.asAgent(), workbinID(workbin), entries[:min(len(entries), contentLimit)], more, q.reference)
}

func (q *request) asAgent() notify.Agent {
	return notify.Agent{ContactCenter: q.contactCenter, ID: q.agent()}
}

// target names the interaction in the field id of a body.
func (q *request) inBody() (client.Name, error) {
	id, err := q.text("id")
	if err == nil && id == "" {
		err = refuse(codeMissing, "id: is missing; send the id of the interaction")
	}
	if err != nil {
		return client.Name{}, err
	}
	return q.target(id)
}
