package gws_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/gws"
	"segue/gateway/problem"
	"segue/interaction"
)

func TestAnInteractionIsAtEachOfItsPaths(t *testing.T) {
	w := newWorld(t)
	w.start("c1", "inbound", `offer {"agent":"anna"}`)
	w.start("s1", "sms", `offer {"agent":"anna"}`)
	for path, key := range map[string]string{
		"/interactions/c1": "interaction", "/me/interactions/c1": "interaction", "/me/interaction/c1": "interaction",
		"/calls/c1": "call", "/me/calls/c1/": "call", "/calls/c1//": "call",
		"/openmedia/s1": "openmedia", "/openmedia/sms/s1": "openmedia", "/me/openmedia/sms/s1": "openmedia",
	} {
		a := w.do("anna", "GET /api/v2"+path, "").is(200, 0)
		require.Len(t, a.body, 2, path)
		resource, _ := a.body[key].(map[string]any)
		require.Contains(t, []any{"c1", "s1"}, resource["id"], path)
		w.do("anna", "PUT /api/v2"+path, `{}`).is(200, 1)
		if strings.HasPrefix(path, "/me/") {
			w.do("anna", "POST /api/v2"+path, `{}`).is(200, 1)
			continue
		}
		a = w.do("anna", "POST /api/v2"+path, `{"operationName":"Accept"}`).is(405, 3)
		require.Equal(t, "GET, HEAD, PUT", a.Header().Get("Allow"))
	}
	for _, path := range []string{
		"/chats/c1", "/emails/c1", "/openmedia/c1", "/me/chats/c1", "/calls/s1", "/openmedia/web/s1", "/openmedia/other/s1", "/calls/none", "/calls/a%2Fb",
		"/interactions/none", "/interactions/a%20b",
	} {
		w.do("anna", "GET /api/v2"+path, "").is(404, 6)
		w.do("anna", "PUT /api/v2"+path, `{"comment":"c"}`).is(404, 6)
	}
	w.do("anna", "POST /api/v2/me/chats/c1", `{"operationName":"Accept"}`).is(404, 6)
	for _, path := range []string{"", "/", "/none", "/me/none/c1", "/calls/c1/more", "/interactions//c1", "/interactions/../calls/c1", "/interaction/c1", "/me/interaction"} {
		w.do("anna", "GET /api/v2"+path, "").is(404, 6)
	}
	w.do("anna", "DELETE /api/v2/interactions/c1", "").is(405, 3)
	w.do("anna", "POST /api/v2/me/interactions", "{}").is(405, 3)
	require.Equal(t, "1.2.3", w.do("anna", "GET /api/v2/diagnostics/version", "").is(200, 0).body["version"])
	require.Empty(t, w.sent)
}

func TestHeadIsLikeGet(t *testing.T) {
	w := newWorld(t)
	w.start("c1", "inbound")
	for _, path := range []string{"/interactions", "/interactions/c1", "/workbins"} {
		w.do("anna", "HEAD /api/v2"+path, "").is(200, 0) // the server drops the body
	}
}

func TestListsOfInteractions(t *testing.T) {
	w := newWorld(t)
	w.start("c1", "inbound", `offer {"agent":"anna"}`)
	w.start("c2", "outbound", `offer {"agent":"bert"}`)
	w.start("e1", "email", `offer {"agent":"anna"}`, `accept {"agent":"anna"}`)
	w.start("e2", "email", `offer {"agent":"anna"}`, `accept {"agent":"anna"}`, `complete`)
	w.start("s1", "sms")
	w.start("w1", "web")
	for path, want := range map[string][]any{
		"/interactions": {"c1", "c2", "e1", "s1", "w1"}, "/me/interactions/": {"c1", "e1"}, "/calls": {"c1", "c2"}, "/me/calls": {"c1"},
		"/emails": {"e1"}, "/chats": {}, "/openmedia": {"s1", "w1"}, "/openmedia/sms": {"s1"}, "/me/openmedia/sms": {}, "/openmedia/web": {"w1"},
	} {
		collection := strings.TrimSuffix(strings.TrimPrefix(path, "/me"), "/")
		uris := []any{}
		for _, id := range want {
			uris = append(uris, "http://segue.example/api/v2"+collection+"/"+id.(string))
		}
		a := w.do("anna", "GET /api/v2"+path, "").is(200, 0)
		require.Equal(t, map[string]any{"statusCode": 0.0, "uris": uris}, a.body, path)

		a = w.do("anna", "GET /api/v2"+path+"?fields=id", "").is(200, 0)
		ids := []any{}
		for _, one := range a.body[strings.Split(collection, "/")[1]].([]any) {
			ids = append(ids, one.(map[string]any)["id"])
			require.Equal(t, capabilitiesOf(w, "anna", one), one.(map[string]any)["capabilities"])
		}
		require.Equal(t, want, ids, path)
	}
	for _, who := range []string{"supervisor", "admin", "platform"} {
		a := w.do(who, "GET /api/v2/interactions?fields=*", "").is(200, 0)
		require.Len(t, a.body["interactions"], 5)
		for _, one := range a.body["interactions"].([]any) {
			require.Empty(t, one.(map[string]any)["capabilities"])
		}
	}
}

// capabilitiesOf returns the capabilities of a listed interaction when it is read alone.
func capabilitiesOf(w *world, who string, listed any) any {
	id := listed.(map[string]any)["id"].(string)
	one := w.do(who, "GET /api/v2/interactions/"+id, "").is(200, 0).body["interaction"].(map[string]any)
	return one["capabilities"]
}

func TestMeIsForAgents(t *testing.T) {
	w := newWorld(t)
	w.start("c1", "inbound", `offer {"agent":"anna"}`)
	for _, who := range []string{"supervisor", "admin", "platform"} {
		for _, request := range []string{
			"GET /api/v2/me/interactions", "GET /api/v2/me/interactions/c1", "POST /api/v2/me/interactions/c1", "POST /api/v2/me/interactions/none",
			"GET /api/v2/me/workbins", "POST /api/v2/workbins/later",
		} {
			body := ""
			if strings.HasPrefix(request, "POST") {
				body = `{"operationName":"Accept"}`
			}
			w.do(who, request, body).is(403, 5)
		}
	}
	w.as(nil, "GET /api/v2/interactions", "").is(401, 20)
}

func TestContactCenters(t *testing.T) {
	w := newWorld(t)
	w.start("c1", "inbound", `offer {"agent":"anna"}`)
	several := caller("anna")
	several.ContactCenters = []string{cc, "paris"}
	get := "GET /api/v2/interactions"
	w.as(several, get, "").is(400, 10)
	w.as(several, get, "", "ContactCenterId", cc).is(200, 0)
	w.as(several, get, "", "Segue-Contact-Center", cc).is(200, 0)
	w.as(several, get+"?contact_center="+cc, "").is(200, 0)
	w.as(several, get, "", "Segue-Contact-Center", cc, "ContactCenterId", "paris").is(400, 10)
	w.as(several, get, "", "Segue-Contact-Center", "rome").is(403, 5)
	w.as(several, get+"/c1", "", "ContactCenterId", cc).is(200, 0)
	w.as(several, get+"/c1", "", "ContactCenterId", "paris").is(404, 6)
	w.as(several, get+"/c1", "", "ContactCenterId", "rome").is(404, 6)
	w.as(several, "GET /api/v2/openmedia/sms", "", "ContactCenterId", "rome").is(403, 5)
	w.as(several, "POST /api/v2/me/interactions/c1", `{"operationName":"Accept","contact_center":"rome"}`).is(404, 6)
	w.as(several, "POST /api/v2/me/interactions/c1", `{"operationName":"Accept","contact_center":"`+cc+`"}`).is(200, 0)
	require.Len(t, w.sent, 1)
}

// Every problem has a status code, and both styles of GWS.
func TestProblemsInTheStyleOfGWS(t *testing.T) {
	csrf := problem.New(problem.NotPermitted, "token")
	csrf.Why = "csrf"
	missing := problem.New(problem.InvalidPayload, "queue")
	missing.Why = string(interaction.WhyMissing)
	large := problem.New(problem.TooLarge, "payload")
	large.Why = string(interaction.WhyTooLarge)
	role := problem.New(problem.NotPermitted, "role")
	role.Why = string(interaction.WhyRole)
	for _, test := range []struct {
		p            *problem.Problem
		status, code int
	}{
		{problem.New(problem.IllegalCommand, ""), 200, 2}, {problem.New(problem.OutOfOrder, ""), 200, 2}, {problem.New(problem.Completed, ""), 200, 2},
		{problem.New(problem.InvalidPayload, ""), 200, 10}, {missing, 200, 1}, {large, 200, 10}, {role, 200, 5},
		{problem.New(problem.UnknownCommand, ""), 200, 3}, {problem.New(problem.AlreadyExists, ""), 200, 18},
		{problem.New(problem.NotPermitted, ""), 403, 5}, {csrf, 403, 3}, {problem.New(problem.NotFound, ""), 404, 6},
		{problem.New(problem.Malformed, ""), 400, 10}, {problem.New(problem.ContactCenterRequired, ""), 400, 10},
		{problem.New(problem.TooLarge, ""), 413, 10}, {problem.New(problem.UnsupportedMediaType, ""), 415, 10}, {problem.New(problem.Timeout, ""), 408, 10},
		{problem.New(problem.MethodNotAllowed, ""), 405, 3}, {problem.New(problem.Unauthenticated, ""), 401, 20},
		{problem.New(problem.RateLimited, ""), 429, 4}, {problem.New(problem.Overloaded, ""), 429, 4},
		{problem.Of(client.ErrUnreachable), 503, 4}, {problem.Of(errors.New("secret")), 500, 4},
	} {
		out := httptest.NewRecorder()
		gws.Refuse(out, httptest.NewRequest(http.MethodGet, "/api/v2/me", nil), test.p)
		a := decoded(t, out).is(test.status, test.code)
		require.NotContains(t, a.body["statusMessage"], "secret")
		require.Equal(t, test.status == 401, out.Header().Get("WWW-Authenticate") != "")
		require.Equal(t, test.status == 503, out.Header().Get("Retry-After") != "")
	}
}

// sizes notes the size of each write.
type sizes struct {
	*httptest.ResponseRecorder
	largest int
}

func (s *sizes) Write(p []byte) (int, error) {
	s.largest = max(s.largest, len(p))
	return s.ResponseRecorder.Write(p)
}

func TestALongListIsWrittenInParts(t *testing.T) {
	w := newWorld(t)
	for n := range 700 {
		w.start(fmt.Sprintf("c%d", n), "inbound")
	}
	r := httptest.NewRequest(http.MethodGet, "/api/v2/interactions?fields=*", nil)
	out := &sizes{ResponseRecorder: httptest.NewRecorder()}
	w.face.ServeHTTP(out, r.WithContext(auth.With(r.Context(), caller("anna"))))
	require.Len(t, decoded(t, out.ResponseRecorder).is(200, 0).body["interactions"], 700)
	require.Greater(t, out.Body.Len(), 3*out.largest)
}
