package gws_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// media are all media, with a channel of each.
var media = map[medium]interaction.Channel{mediumCall: interaction.ChannelInbound, mediumChat: interaction.ChannelChat,
	mediumEmail: interaction.ChannelEmail, mediumOpenmedia: interaction.ChannelSMS}

// must sends a request that must be answered with a status and a statusCode.
func (c caller) must(t *testing.T, status, code int, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := c.send(method, path, body, headers...)
	require.NoError(t, err)
	require.Equal(t, status, a.Status, "%s %s by %s: %s", method, path, c.name, a.Raw)
	require.Equal(t, code, a.code(), "%s %s by %s: %s", method, path, c.name, a.Raw)
	require.True(t, strings.HasPrefix(a.Header.Get("Content-Type"), "application/json"), "%s %s: %s", method, path, a.Header.Get("Content-Type"))
	return a
}

// handled starts an interaction that ann handles.
func handled(t *testing.T, id string, channel interaction.Channel) scene {
	t.Helper()
	s := scene{situation{"handling", "", []string{offer, accept}}, channel}
	_, err := s.begin(id)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ended(id)) })
	return s
}

func TestAnInteractionIsReadByEachOfItsPaths(t *testing.T) {
	for m, channel := range media {
		t.Run(m.name, func(t *testing.T) {
			id := "paths-" + m.name
			s := handled(t, id, channel)
			twin, err := s.twin(id)
			require.NoError(t, err)
			l := twin.seenBy("ann")
			read := func(path, key string) {
				resource, _ := ann.must(t, 200, 0, http.MethodGet, path, "").Body[key].(map[string]any)
				require.NoError(t, l.checkResource(resource, l.shownNames(), l.shownCapabilities()), path)
			}
			for _, me := range []string{"", "/me"} {
				for _, slash := range []string{"", "/", "?fields=*", "/?subresources=*", "?fields=id,state"} {
					read("/api/v2"+me+"/interactions/"+id+slash, "interaction")
					read("/api/v2"+me+"/"+m.plural+"/"+id+slash, m.name)
				}
				for other := range media {
					if other != m {
						ann.must(t, 404, 6, http.MethodGet, "/api/v2"+me+"/"+other.plural+"/"+id, "")
						if me != "" {
							ann.must(t, 404, 6, http.MethodPost, "/api/v2"+me+"/"+other.plural+"/"+id, `{"operationName":"Complete"}`)
						}
					}
				}
			}
			read("/api/v2/me/interaction/"+id, "interaction")
			resource, _ := ann.must(t, 200, 0, http.MethodGet, "/api/v2/interactions/"+id, "").Body["interaction"].(map[string]any)
			uri, _ := resource["uri"].(string)
			require.Equal(t, 200, ann.must(t, 200, 0, http.MethodGet, uri, "").Status, "the uri of a resource is one of its paths")
		})
	}
}

func TestOpenmediaHasATypeInItsPath(t *testing.T) {
	handled(t, "typed", interaction.ChannelSMS)
	for _, me := range []string{"", "/me"} {
		ann.must(t, 200, 0, http.MethodGet, "/api/v2"+me+"/openmedia/sms/typed", "")
	}
	ann.must(t, 200, 0, http.MethodPost, "/api/v2/me/openmedia/sms/typed", `{"operationName":"AddComment","comment":"by its type"}`)
}

func TestListsHaveURIsOrResources(t *testing.T) {
	for m, channel := range media {
		handled(t, "list-"+m.name, channel)
	}
	_, err := start("list-of-nobody", `"channel":"chat"`)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ended("list-of-nobody")) })
	for _, path := range []string{"/me/interactions", "/interactions", "/me/calls", "/me/chats", "/me/emails", "/me/openmedia"} {
		key := path[strings.LastIndex(path, "/")+1:]
		var want []string
		for m := range media {
			if key == "interactions" || key == m.plural {
				want = append(want, "list-"+m.name)
			}
		}
		if path == "/interactions" {
			want = append(want, "list-of-nobody")
		}
		for _, slash := range []string{"", "/"} {
			plain := ann.must(t, 200, 0, http.MethodGet, "/api/v2"+path+slash, "")
			full := ann.must(t, 200, 0, http.MethodGet, "/api/v2"+path+slash+"?fields=*", "")
			require.NotContains(t, plain.Body, key)
			uris := ids(t, plain.Body["uris"], func(element any) string { return fmt.Sprint(element) })
			resources := ids(t, full.Body[key], func(element any) string {
				fields, _ := element.(map[string]any)
				return fmt.Sprint(fields["uri"])
			})
			require.ElementsMatch(t, want, uris, path)
			require.ElementsMatch(t, want, resources, path)
		}
	}
	for _, c := range []caller{theAdmin, theSupervisor, thePlatform, bob} {
		list := c.must(t, 200, 0, http.MethodGet, "/api/v2/interactions?fields=*", "")
		elements, _ := list.Body["interactions"].([]any)
		for _, element := range elements {
			fields, _ := element.(map[string]any)
			require.Equal(t, []any{}, fields["capabilities"], "%s has no part of %v", c.name, fields["id"])
		}
	}
	require.Empty(t, bob.must(t, 200, 0, http.MethodGet, "/api/v2/me/interactions?fields=*", "").Body["interactions"])
	require.Empty(t, eve.must(t, 200, 0, http.MethodGet, "/api/v2/interactions", "").Body["uris"])
}

// ids returns the ids of those elements of a list that this test has made. An element is named by its URI,
// which must be absolute.
func ids(t *testing.T, list any, uriOf func(any) string) []string {
	t.Helper()
	elements, isList := list.([]any)
	require.True(t, isList, "%v", list)
	found := []string{}
	for _, element := range elements {
		uri := uriOf(element)
		require.True(t, strings.HasPrefix(uri, base+"/api/v2/"), uri)
		if id := uri[strings.LastIndex(uri, "/")+1:]; strings.HasPrefix(id, "list-") {
			found = append(found, id)
		}
	}
	return found
}

func TestMeIsForAgents(t *testing.T) {
	for _, path := range []string{"/me", "/me/interactions", "/me/calls", "/me/interactions/none", "/me/workbins", "/me/workbins/drafts"} {
		for _, c := range []caller{theAdmin, theSupervisor, thePlatform} {
			c.must(t, 403, 5, http.MethodGet, "/api/v2"+path, "")
		}
		nobody.must(t, 401, 20, http.MethodGet, "/api/v2"+path, "")
	}
	for _, path := range []string{"/me", "/me/interactions", "/me/workbins"} {
		ann.withPassword().must(t, 200, 0, http.MethodGet, "/api/v2"+path, "")
		ann.must(t, 403, 5, http.MethodGet, "/api/v2"+path, "", "ContactCenterId", "umbrella")
	}
}

func TestWhatThereIsNot(t *testing.T) {
	handled(t, "here", interaction.ChannelInbound)
	for _, path := range []string{"/interactions/none", "/me/interactions/none", "/calls/none", "/me/interaction/none", "/interactions/%2e%2e", "/nothing", "/me/nothing"} {
		ann.must(t, 404, 6, http.MethodGet, "/api/v2"+path, "")
	}
	for _, headers := range [][]string{nil, {"ContactCenterId", "acme"}, {"Segue-Contact-Center", "acme"}} {
		for _, c := range []caller{eve, elsewhere} {
			c.must(t, 404, 6, http.MethodGet, "/api/v2/interactions/here", "", headers...)
			c.must(t, 404, 6, http.MethodPut, "/api/v2/interactions/here", `{"comment":"mine"}`, headers...)
		}
		eve.must(t, 404, 6, http.MethodGet, "/api/v2/me/calls/here", "", headers...)
	}
	for _, wrong := range []struct{ method, path string }{
		{http.MethodPost, "/interactions/here"}, {http.MethodPost, "/calls/here"}, {http.MethodDelete, "/interactions/here"},
		{http.MethodPut, "/interactions"}, {http.MethodPost, "/me/interactions"}, {http.MethodDelete, "/me"},
	} {
		a := ann.must(t, 405, 3, wrong.method, "/api/v2"+wrong.path, `{"operationName":"Accept"}`)
		require.Contains(t, a.Header.Get("Allow"), http.MethodGet, "%s %s", wrong.method, wrong.path)
	}
}

func TestUnreadableBodiesAreRefused(t *testing.T) {
	handled(t, "unreadable", interaction.ChannelInbound)
	path := "/api/v2/me/interactions/unreadable"
	for _, body := range []string{"{", "[]", "null", "7", `"Accept"`, `{"operationName":"Accept"}}`, `{"a":1,"a":2}`} {
		ann.must(t, 400, 10, http.MethodPost, path, body, "Content-Type", "application/json")
	}
	ann.must(t, 415, 10, http.MethodPost, path, `{"operationName":"Accept"}`, "Content-Type", "text/plain")
	ann.must(t, 413, 10, http.MethodPost, path, `{"operationName":"AddComment","comment":"`+strings.Repeat("x", 300<<10)+`"}`)
	ann.must(t, 200, 10, http.MethodPost, path, `{"operationName":7}`)
	for _, reference := range []string{`true`, `{}`, `[1]`, `"a\u0000b"`, `"` + strings.Repeat("x", 200) + `"`} {
		ann.must(t, 400, 10, http.MethodPost, path, `{"operationName":"AddComment","comment":"c","referenceId":`+reference+`}`)
	}
}

func TestReferencesRise(t *testing.T) {
	handled(t, "rising", interaction.ChannelInbound)
	last := 0.0
	for range 3 {
		a := ann.must(t, 200, 0, http.MethodPost, "/api/v2/me/interactions/rising", `{"operationName":"AddComment","comment":"c"}`)
		reference, isNumber := a.Body["referenceId"].(float64)
		require.True(t, isNumber, "%s", a.Raw)
		require.Greater(t, reference, last)
		last = reference
	}
	given := ann.must(t, 200, 0, http.MethodPost, "/api/v2/me/interactions/rising", `{"operationName":"AddComment","comment":"c","referenceId":"mine-1"}`)
	require.Equal(t, "mine-1", given.Body["referenceId"])
}

func TestAWorkbinShowsWhatIsInIt(t *testing.T) {
	for m, channel := range media {
		id := "binned-" + m.name
		revision, err := start(id, fmt.Sprintf(`"channel":%q`, channel), offer, accept, `{"command":"place_in_workbin","workbin":"Ann's drafts"}`)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, ended(id)) })
		// Ann's lists have her own commands at once; these are the platform's.
		require.NotEmpty(t, changes.after(id, revision-1, 1))
	}
	for _, me := range []string{"", "/me"} {
		list := ann.must(t, 200, 0, http.MethodGet, "/api/v2"+me+"/workbins?fields=*", "")
		workbins, _ := list.Body["workbins"].([]any)
		at := slices.IndexFunc(workbins, func(element any) bool {
			fields, _ := element.(map[string]any)
			return fields["id"] == "Ann's drafts"
		})
		require.GreaterOrEqual(t, at, 0, "%s", list.Raw)
		workbin, _ := workbins[at].(map[string]any)
		uri, _ := workbin["uri"].(string)
		require.True(t, strings.HasPrefix(uri, base), uri)
		ann.must(t, 200, 0, http.MethodGet, uri, "")
		require.Contains(t, ann.must(t, 200, 0, http.MethodGet, "/api/v2"+me+"/workbins", "").Body["uris"], uri)
		full := ann.must(t, 200, 0, http.MethodGet, "/api/v2"+me+"/workbins/Ann's%20drafts?subresources=*", "")
		whole, _ := full.Body["workbin"].(map[string]any)
		for m := range media {
			elements, _ := whole[m.plural].([]any)
			require.Len(t, elements, 1, "%s: %s", m.plural, full.Raw)
			fields, _ := elements[0].(map[string]any)
			require.Equal(t, "binned-"+m.name, fields["id"])
			require.Equal(t, "InWorkbin", fields["state"])
			part := ann.must(t, 200, 0, http.MethodGet, "/api/v2"+me+"/workbins/Ann's%20drafts/"+m.plural, "")
			require.Contains(t, string(part.Raw), "binned-"+m.name)
		}
	}
}
