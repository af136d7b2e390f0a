package gateway_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// answers are the status and the statusCode that each request gets. A missing statusCode is 0.
type answers struct {
	list, one, operation, put, me [2]int
}

// gwsAnswers returns what a credential gets for an interaction of acme that ann handles.
func gwsAnswers(s shown) answers {
	refused := func(status, code int) [2]int { return [2]int{status, code} }
	good := refused(200, 0)
	a := answers{list: good, one: good, operation: refused(403, 5), put: good, me: refused(403, 5)}
	if s.agent != "" {
		a.operation, a.me = good, good
	}
	switch {
	case s.role == "":
		a = answers{refused(401, 20), refused(401, 20), refused(401, 20), refused(401, 20), refused(401, 20)}
	case s.center != "acme":
		a.one, a.put = refused(404, 6), refused(404, 6)
		if s.agent != "" {
			a.operation = refused(404, 6)
		}
	case s.agent != "" && s.agent != "ann":
		a.operation, a.put = refused(200, 5), refused(200, 5) // it is not this agent's
	}
	return a
}

// TestEveryCredentialAtGWS sends the requests of an agent's desktop with every kind of credential, and none.
func TestEveryCredentialAtGWS(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions",
		`{"id":"gws-matrix","channel":"chat","user_data":{"note":"visible"},"commands":[`+offered+`,`+accepted+`]}`)
	list := append(credentials(t), shown{name: "none"}, shown{name: "forged cookie", headers: []string{"Cookie", "JSESSIONID=forged"}},
		shown{name: "cookie of the board", headers: []string{"Cookie", newBrowser(t, ann).cookie}})
	for _, s := range list {
		t.Run(s.name, func(t *testing.T) {
			want := gwsAnswers(s)
			for _, r := range []struct {
				method, path, body string
				want               [2]int
			}{
				{"GET", "/api/v2/interactions", "", want.list},
				{"GET", "/api/v2/interactions?fields=*", "", want.list},
				{"GET", "/api/v2/interactions/gws-matrix", "", want.one},
				{"GET", "/api/v2/chats/gws-matrix", "", want.one},
				{"POST", "/api/v2/me/interactions/gws-matrix", `{"operationName":"UpdateUserData","userData":{"a":1}}`, want.operation},
				{"POST", "/api/v2/me/chats/gws-matrix", `{"operationName":"UpdateUserData","userData":{"a":1}}`, want.operation},
				{"PUT", "/api/v2/interactions/gws-matrix", `{"userData":{"a":1}}`, want.put},
				{"GET", "/api/v2/me", "", want.me},
				{"GET", "/api/v2/me/interactions", "", want.me},
			} {
				a := gwsAt(t, served.url, r.method, r.path, r.body, s.headers...)
				requireGWS(t, r.want[0], r.want[1], a, r.method+" "+r.path)
				if r.want[0] == http.StatusUnauthorized {
					require.Equal(t, `Bearer realm="segue"`, a.Header.Get("WWW-Authenticate"))
				}
			}
		})
	}
}

// Naming a contact center that is not one's own gives nothing of it.
func TestAnotherContactCenterAtGWS(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions",
		`{"id":"gws-foreign","channel":"chat","user_data":{"note":"`+secret+`"},"commands":[`+offered+`]}`)
	stranger := bearer(token(map[string]any{"contact_centers": "umbrella"}))
	for _, named := range [][]string{{"ContactCenterId", "acme"}, {"Segue-Contact-Center", "acme"}} {
		headers := append(append([]string{}, stranger...), named...)
		requireGWS(t, 403, 5, gwsAt(t, served.url, "GET", "/api/v2/interactions?fields=*", "", headers...), "list")
		requireGWS(t, 403, 5, gwsAt(t, served.url, "GET", "/api/v2/me/interactions?fields=*", "", headers...), "own list")
		requireGWS(t, 404, 6, gwsAt(t, served.url, "GET", "/api/v2/interactions/gws-foreign", "", headers...), "object")
		requireGWS(t, 404, 6, gwsAt(t, served.url, "POST", "/api/v2/me/chats/gws-foreign", `{"operationName":"Accept"}`, headers...), "operation")
		requireGWS(t, 404, 6, gwsAt(t, served.url, "PUT", "/api/v2/interactions/gws-foreign", `{"userData":{"a":1}}`, headers...), "put")
	}
	requireGWS(t, 403, 5, gwsAt(t, served.url, "GET", "/api/v2/interactions?contact_center=acme", "", stranger...), "query")
	missing := gwsAt(t, served.url, "GET", "/api/v2/interactions", "", anywhere.headers()...)
	requireGWS(t, 400, 10, missing, "a credential of several contact centers names none")
	requireGWS(t, 200, 0, gwsAt(t, served.url, "GET", "/api/v2/interactions", "", append(anywhere.headers(), "ContactCenterId", "acme")...), "named")
	state := thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/gws-foreign", "")
	require.Equal(t, string(interaction.StateOffered), state.Body["state"])
}

// pages are what a page makes a browser send with its session's cookie, and why it is refused.
func pages(own, other desktop) map[string][]string {
	return map[string][]string{
		"a forged token":        {"X-CSRF-TOKEN", "forged"},
		"an empty token":        {"X-CSRF-TOKEN", ""},
		"another session's":     {"X-CSRF-TOKEN", other.csrf},
		"two tokens":            {"X-CSRF-TOKEN", own.csrf, "X-CSRF-TOKEN", other.csrf},
		"a foreign origin":      {"X-CSRF-TOKEN", own.csrf, "Origin", "https://evil.example"},
		"a null origin":         {"Origin", "null"},
		"another scheme":        {"Origin", "http://app.example.com"},
		"two origins":           {"Origin", "https://app.example.com", "Origin", "https://evil.example"},
		"another site's script": {"Sec-Fetch-Site", "cross-site"},
	}
}

// TestWhatAPageMaySendToGWS: a foreign page, or one with a wrong token, changes nothing, and opens neither a
// session nor a socket.
func TestWhatAPageMaySendToGWS(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"gws-paged","channel":"chat","commands":[`+offered+`]}`)
	own, other := newDesktop(t, ann.headers()...), newDesktop(t, bob.headers()...)
	require.NotEqual(t, own.csrf, other.csrf)
	for name, more := range pages(own, other) {
		headers := append([]string{"Cookie", own.cookie}, more...)
		requireGWS(t, 403, 3, gwsAt(t, served.url, "POST", "/api/v2/me/chats/gws-paged", `{"operationName":"Accept"}`, headers...), name)
		requireGWS(t, 403, 3, gwsAt(t, served.url, "PUT", "/api/v2/interactions/gws-paged", `{"userData":{"a":1}}`, headers...), name)
		requireGWS(t, 403, 3, gwsAt(t, served.url, "POST", notifications, `[]`, headers...), name)
		requireGWS(t, 200, 0, gwsAt(t, served.url, "GET", "/api/v2/me", "", "Cookie", own.cookie), name)
		if _, isToken := map[string]bool{"a forged token": true, "an empty token": true, "another session's": true, "two tokens": true}[name]; !isToken {
			s, refused := openSocket(t, served.url, headers...)
			require.Nil(t, s, name)
			require.Equal(t, http.StatusForbidden, refused.StatusCode, name)
		}
	}
	// A password that a browser sends of its own accord is as a cookie.
	foreign := append(basic(userName, userPassword), "Origin", "https://evil.example")
	requireGWS(t, 403, 3, gwsAt(t, served.url, "POST", "/api/v2/me/chats/gws-paged", `{"operationName":"Accept"}`, foreign...), "password")
	requireGWS(t, 403, 3, gwsAt(t, served.url, "POST", notifications, `[]`, foreign...), "password")
	state := thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/gws-paged", "")
	require.EqualValues(t, "offered", state.Body["state"])
}

// TestTheConfigurationRequiresTokens: gateway.gws.csrf takes effect with a reload.
func TestTheConfigurationRequiresTokens(t *testing.T) {
	own := newDesktop(t, ann.headers()...)
	post := func(more ...string) answer {
		return gwsAt(t, served.url, "POST", "/api/v2/me/interactions/gws-none", `{"operationName":"Accept"}`, append([]string{"Cookie", own.cookie}, more...)...)
	}
	requireGWS(t, 404, 6, post(), "optional")
	reloaded(t, guarded()+"  gws: {csrf: required}\n")
	t.Cleanup(func() { reloaded(t, guarded()) })
	requireGWS(t, 403, 3, post(), "required")
	requireGWS(t, 404, 6, post("X-CSRF-TOKEN", own.csrf), "required and given")
	requireGWS(t, 404, 6, gwsAt(t, served.url, "POST", "/api/v2/me/interactions/gws-none", `{"operationName":"Accept"}`, ann.headers()...), "no cookie")
	requireGWS(t, 403, 3, gwsAt(t, served.url, "POST", notifications, `[]`, "Cookie", own.cookie), "a handshake")
	newBayeux(t, served.url, "Cookie", own.cookie, "X-CSRF-TOKEN", own.csrf).handshake().disconnect()
	s, _ := openSocket(t, served.url, "Cookie", own.cookie)
	require.NotNil(t, s, "browsers' sockets have no headers, and their origin is checked")
	s.handshake()
}

// Paths that no face has, and answers before a face is reached, have the form of GWS below its path.
func TestErrorsOfGWSPathsHaveItsForm(t *testing.T) {
	for _, path := range []string{"/api/v2//me", "/api/v2/./me", "/api/v2/me/../me"} {
		requireGWS(t, 404, 6, gwsAt(t, served.url, "GET", path, "", ann.headers()...), path)
	}
	requireGWS(t, 401, 20, gwsAt(t, served.url, "GET", "/api/v2", ""), "its root, to nobody")
	requireGWS(t, 404, 6, gwsAt(t, served.url, "GET", "/api/v2", "", ann.headers()...), "its root")
	requireGWS(t, 400, 10, gwsAt(t, served.url, "GET", "/api/v2/me", "", append(ann.headers(), "Authorization", "Bearer other")...), "two credentials")
}
