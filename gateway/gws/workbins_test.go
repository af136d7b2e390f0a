package gws_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/gws"
)

func TestEachWorkbinHasOneID(t *testing.T) {
	for id, workbin := range map[string]any{
		"later": "later", "a,b/c d": "a,b/c d", `{later`: `{later`,
		`{"name":"later"}`: map[string]any{"name": "later"}, `{"a":1,"b":"x"}`: map[string]any{"b": "x", "a": 1.0},
		`"{\"name\":\"later\"}"`: `{"name":"later"}`, `"\"x\""`: `"x"`, `{"n":12345678901234567890}`: map[string]any{"n": json.Number("12345678901234567890")},
	} {
		require.Equal(t, workbin, gws.WorkbinOf(id))
		require.Equal(t, workbin, gws.WorkbinOf(gws.WorkbinID(workbin)))
	}
	require.Equal(t, `{"a":1,"b":"x"}`, gws.WorkbinID(gws.WorkbinOf(`{ "b":"x", "a":1 }`)))
	for list, want := range map[string][]string{
		"": nil, "a": {"a"}, "a,b": {"a", "b"}, ",a,,b,": {"a", "b"}, `{"a":1,"b":2},c,"x,y"`: {`{"a":1,"b":2}`, "c", `"x,y"`},
		`{"a":1}b,c`: {`{"a":1}b`, "c"}, `{a,b`: {"{a", "b"},
	} {
		require.Equal(t, want, gws.WorkbinIDs(list), list)
	}
}

func FuzzWorkbinIDs(f *testing.F) {
	f.Add("a,b")
	f.Add(`{"a":1,"b":"x,y"},"z",`)
	f.Add("\"0\xa00") // what a path may have, and no text
	f.Fuzz(func(t *testing.T, list string) {
		for _, id := range gws.WorkbinIDs(list) {
			require.NotEmpty(t, id)
			canonical := gws.WorkbinID(gws.WorkbinOf(id))
			require.Equal(t, canonical, gws.WorkbinID(gws.WorkbinOf(canonical)))
		}
	})
}

// parked is a world with three workbins: one that is configured and empty, and two with content.
func parked(t *testing.T) *world {
	w := newWorld(t)
	w.settings.Workbins = []gws.Workbin{{ID: "drafts", Name: "email.drafts", DisplayName: "Drafts"}}
	handled := []string{`offer {"agent":"bert"}`, `accept {"agent":"bert"}`}
	w.start("e1", "email", append(handled, `place_in_workbin {"workbin":"later"}`)...)
	w.start("c1", "chat", append(handled, `place_in_workbin {"workbin":"later"}`)...)
	w.start("e2", "email", append(handled, `place_in_workbin {"workbin":{"name":"mine","place":"p 1"}}`)...)
	w.start("e3", "email", handled...)
	return w
}

const objectBin = `{"name":"mine","place":"p 1"}`

func TestListsOfWorkbins(t *testing.T) {
	w := parked(t)
	object := "http://segue.example/api/v2/workbins/" + url.PathEscape(objectBin)
	for _, path := range []string{"/workbins", "/me/workbins"} {
		a := w.do("anna", "GET /api/v2"+path, "").is(200, 0)
		require.Equal(t, []any{"http://segue.example/api/v2/workbins/drafts", "http://segue.example/api/v2/workbins/later", object}, a.body["uris"])
		a = w.do("anna", "GET /api/v2"+path+"?fields=*", "").is(200, 0)
		require.Equal(t, []any{
			map[string]any{"id": "drafts", "workbinName": "email.drafts", "displayName": "Drafts", "uri": "http://segue.example/api/v2/workbins/drafts", "type": "AgentGroup"},
			map[string]any{"id": "later", "workbinName": "later", "displayName": "later", "uri": "http://segue.example/api/v2/workbins/later", "type": "AgentGroup"},
			map[string]any{"id": objectBin, "workbinName": "mine", "displayName": "mine", "uri": object, "type": "AgentGroup"},
		}, a.body["workbins"])
	}
}

func TestTheContentOfAWorkbin(t *testing.T) {
	w := parked(t)
	a := w.do("anna", "GET /api/v2/me/workbins/later", "").is(200, 0)
	require.Len(t, a.body["workbin"], 5)
	for path, want := range map[string]map[string][]string{
		"/me/workbins/later": {"chats": {"c1"}, "emails": {"e1"}}, "/workbins/" + url.PathEscape(objectBin): {"emails": {"e2"}}, "/workbins/none": {},
	} {
		a := w.do("anna", "GET /api/v2"+path+"?subresources=chats", "").is(200, 0)
		workbin := a.body["workbin"].(map[string]any)
		for _, plural := range []string{"calls", "chats", "emails", "openmedia"} {
			var ids []string
			for _, one := range workbin[plural].([]any) {
				ids = append(ids, one.(map[string]any)["id"].(string))
				require.Equal(t, "InWorkbin", one.(map[string]any)["state"])
			}
			require.Equal(t, want[plural], ids, path)
		}
	}
	a = w.do("anna", "GET /api/v2/workbins/later/emails?fields=*", "").is(200, 0)
	require.Len(t, a.body["emails"], 1)
	a = w.do("anna", "GET /api/v2/me/workbins/later/interactions", "").is(200, 0)
	require.Equal(t, []any{"http://segue.example/api/v2/interactions/c1", "http://segue.example/api/v2/interactions/e1"}, a.body["uris"])
	w.do("anna", "GET /api/v2/workbins/later/none", "").is(404, 6)
}

func TestOperationsOnWorkbins(t *testing.T) {
	later, object := "/api/v2/me/workbins/later", "/api/v2/workbins/"+url.PathEscape(objectBin)
	for name, test := range map[string]struct {
		who, path, body string
		status, code    int
		sends, tells    []string
	}{
		"subscribe":               {"anna", later, `{"operationName":"Subscribe"}`, 200, 0, nil, []string{"watch anna later later 1"}},
		"subscribe to an object":  {"anna", "/api/v2/workbins/" + url.PathEscape(`{"place": "p 1", "name":"mine"}`), `{"operationName":"Subscribe"}`, 200, 0, nil, []string{"watch anna " + objectBin + " map[name:mine place:p 1] 1"}},
		"unsubscribe":             {"anna", later, `{"operationName":"Unsubscribe","referenceId":"x"}`, 200, 0, nil, []string{`unwatch anna later later "x"`}},
		"content":                 {"anna", later, `{"operationName":"GetWorkbinContent"}`, 200, 0, nil, []string{"content anna later 2 false 1"}},
		"content, by interaction": {"anna", "/api/v2/me/interactions/any", `{"operationName":"GetWorkbinContent","workbin":` + objectBin + `}`, 200, 0, nil, []string{"content anna " + objectBin + " 1 false 1"}},
		"content of nothing":      {"anna", "/api/v2/me/interactions/any", `{"operationName":"GetWorkbinContent"}`, 200, 1, nil, nil},
		"pull":                    {"anna", later, `{"operationName":"PullInteraction","id":"e1"}`, 200, 0, []string{"accept {}"}, nil},
		"pull of the medium":      {"anna", later, `{"operationName":"PullChat","id":"c1"}`, 200, 0, []string{"accept {}"}, nil},
		"pull from an object":     {"anna", object, `{"operationName":"PullEmail","id":"e2"}`, 200, 0, []string{"accept {}"}, nil},
		"pull of another medium":  {"anna", later, `{"operationName":"PullChat","id":"e1"}`, 404, 6, nil, nil},
		"pull from elsewhere":     {"anna", later, `{"operationName":"PullEmail","id":"e2"}`, 200, 2, nil, nil},
		"pull what is handled":    {"anna", later, `{"operationName":"PullEmail","id":"e3"}`, 200, 2, nil, nil},
		"pull what one has":       {"bert", later, `{"operationName":"PullEmail","id":"e3"}`, 200, 0, nil, nil},
		"pull nothing":            {"anna", later, `{"operationName":"PullEmail","id":"none"}`, 404, 6, nil, nil},
		"no id":                   {"anna", later, `{"operationName":"PullInteraction"}`, 200, 1, nil, nil},
		"an odd id":               {"anna", later, `{"operationName":"PullInteraction","id":7}`, 200, 10, nil, nil},
		"add":                     {"bert", later, `{"operationName":"AddInteraction","id":"e3"}`, 200, 0, []string{`place_in_workbin {"workbin":"later"}`}, nil},
		"add to an object":        {"bert", object, `{"operationName":"AddEmail","id":"e3"}`, 200, 0, []string{`place_in_workbin {"workbin":` + objectBin + `}`}, nil},
		"add another's":           {"anna", later, `{"operationName":"AddEmail","id":"e3"}`, 200, 5, []string{`place_in_workbin {"workbin":"later"}`}, nil},
		"add of another medium":   {"bert", later, `{"operationName":"AddWorkitem","id":"e3"}`, 404, 6, nil, nil},
		"unknown":                 {"anna", later, `{"operationName":"Accept"}`, 200, 3, nil, nil},
		"no operation":            {"anna", later, `{}`, 200, 1, nil, nil},
		"no workbin":              {"anna", "/api/v2/me/workbins", `{"operationName":"Subscribe"}`, 200, 1, nil, nil},
		"pull from several":       {"anna", later + "?workbinIds=a,b", `{"operationName":"PullInteraction","id":"e1"}`, 200, 10, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := parked(t)
			w.do(test.who, "POST "+test.path, test.body).is(test.status, test.code)
			var sends []string
			for _, one := range w.sent {
				sends = append(sends, one.String())
			}
			require.Equal(t, test.sends, sends)
			require.Equal(t, test.tells, w.told)
		})
	}
}

func TestSeveralWorkbinsHaveTheirOwnReferences(t *testing.T) {
	w := parked(t)
	several := "POST /api/v2/me/workbins/later?workbinIds=b,a," + url.QueryEscape(objectBin)
	a := w.do("anna", several, `{"operationName":"Subscribe"}`).is(200, 0)
	require.Equal(t, map[string]any{"a": 1.0, "b": 2.0, objectBin: 3.0}, a.body["referenceIds"])
	a = w.do("anna", several, `{"operationName":"Unsubscribe","referenceId":"r"}`).is(200, 0)
	require.Equal(t, map[string]any{"a": "r", "b": "r", objectBin: "r"}, a.body["referenceIds"])
	require.Len(t, w.told, 6)
}
