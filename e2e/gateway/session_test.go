package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// browser is a session as a browser has it.
type browser struct{ cookie, csrf string }

func newBrowser(t *testing.T, c caller) browser {
	t.Helper()
	a := c.must(t, http.StatusOK, http.MethodPost, "/v1/session", "")
	set := a.Header.Get("Set-Cookie")
	require.Contains(t, set, "HttpOnly")
	require.Contains(t, set, "SameSite=Lax")
	cookie, _, _ := strings.Cut(set, ";")
	require.NotEmpty(t, a.Header.Get("X-CSRF-TOKEN"))
	return browser{cookie: cookie, csrf: a.Header.Get("X-CSRF-TOKEN")}
}

// send sends a request with the cookie alone; more are further headers.
func (b browser) send(t *testing.T, method, path, body string, more ...string) answer {
	t.Helper()
	a, err := nobody.send(method, path, body, append([]string{"Cookie", b.cookie}, more...)...)
	require.NoError(t, err)
	return a
}

// TestACookieChangesNothingWithoutItsToken sends every operation that changes something as a page could
// make a browser send it.
func TestACookieChangesNothingWithoutItsToken(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"browsed","channel":"inbound"}`)
	b, other := newBrowser(t, thePlatform), newBrowser(t, thePlatform)
	require.NotEqual(t, b.csrf, other.csrf)
	tried := 0
	for _, o := range operations(t) {
		if o.method == http.MethodGet {
			continue
		}
		tried++
		for name, headers := range map[string][]string{
			"no token":              nil,
			"an empty token":        {"X-CSRF-TOKEN", ""},
			"a forged token":        {"X-CSRF-TOKEN", strings.Repeat("A", len(b.csrf))},
			"another session's":     {"X-CSRF-TOKEN", other.csrf},
			"two tokens":            {"X-CSRF-TOKEN", b.csrf, "X-CSRF-TOKEN", other.csrf},
			"in the query":          nil,
			"a foreign origin":      {"X-CSRF-TOKEN", b.csrf, "Origin", "https://evil.example"},
			"a null origin":         {"X-CSRF-TOKEN", b.csrf, "Origin", "null"},
			"an origin like ours":   {"X-CSRF-TOKEN", b.csrf, "Origin", "https://app.example.com.evil.example"},
			"another scheme":        {"X-CSRF-TOKEN", b.csrf, "Origin", "http://app.example.com"},
			"two origins":           {"X-CSRF-TOKEN", b.csrf, "Origin", "https://app.example.com", "Origin", "https://evil.example"},
			"another site's script": {"X-CSRF-TOKEN", b.csrf, "Sec-Fetch-Site", "cross-site"},
			"a page of the domain":  {"X-CSRF-TOKEN", b.csrf, "Sec-Fetch-Site", "same-site"},
			"another method":        {"X-HTTP-Method-Override", "GET"},
		} {
			path := o.at("browsed")
			if name == "in the query" {
				path += "?X-CSRF-TOKEN=" + b.csrf
			}
			a := b.send(t, o.method, path, o.body, headers...)
			require.Equal(t, http.StatusForbidden, a.Status, "%s: %s %s: %s", name, o.method, o.path, a.Raw)
			require.Equal(t, "not-permitted", a.Problem(), name)
			require.NotEqual(t, "https://evil.example", a.Header.Get("Access-Control-Allow-Origin"))
		}
	}
	require.Greater(t, tried, 30)
	require.EqualValues(t, 1, thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/browsed", "").Body["revision"])
}

func TestACookieWithItsTokenIsTheCaller(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"cookie","channel":"inbound","commands":[`+offered+`]}`)
	b := newBrowser(t, ann)
	read := b.send(t, http.MethodGet, "/v1/interactions/cookie", "")
	require.Equal(t, http.StatusOK, read.Status)
	require.Contains(t, textsOf(read.Body, "capabilities"), "accept")
	require.Equal(t, b.csrf, read.Header.Get("X-CSRF-TOKEN"), "a GET answers it")
	ours := b.send(t, http.MethodPost, "/v1/interactions/cookie/commands/accept", "{}", "X-CSRF-TOKEN", b.csrf, "Origin", "https://app.example.com")
	require.Equal(t, http.StatusOK, ours.Status, "%s", ours.Raw)
	require.Equal(t, "handling", ours.Body["state"])
	require.Equal(t, "https://app.example.com", ours.Header.Get("Access-Control-Allow-Origin"))
	again := b.send(t, http.MethodPost, "/v1/session", "", "X-CSRF-TOKEN", b.csrf)
	require.Equal(t, http.StatusForbidden, again.Status, "a session opens no other")
	// A credential in the headers precedes the cookie, and what it may not is not done by the cookie.
	bad := b.send(t, http.MethodGet, "/v1/interactions/cookie", "", "X-API-Key", "guess")
	require.Equal(t, http.StatusUnauthorized, bad.Status)
	ended := b.send(t, http.MethodDelete, "/v1/session", "", "X-CSRF-TOKEN", b.csrf)
	require.Equal(t, http.StatusNoContent, ended.Status)
	require.Contains(t, ended.Header.Get("Set-Cookie"), "Max-Age=0")
}

func TestAChangedCookieIsNone(t *testing.T) {
	b := newBrowser(t, ann)
	name, value, _ := strings.Cut(b.cookie, "=")
	g := newGuesser(t)
	for i := 0; i < len(value)-1; i += 1 + len(value)/40 {
		changed := []byte(value)
		changed[i] ^= 1
		a := g.send(t, http.MethodGet, "/v1/interactions", "", "Cookie", name+"="+string(changed))
		require.Equal(t, http.StatusUnauthorized, a.Status, "at %d", i)
	}
	for _, cookie := range []string{"JSESSIONID=" + value, "SEGUE_SESSION=" + value, "segue_session=" + value + "x", "segue_session=" + value[:len(value)-4]} {
		require.Equal(t, http.StatusUnauthorized, g.send(t, http.MethodGet, "/v1/interactions", "", "Cookie", cookie).Status, cookie)
	}
}

// A credential that a reload removes ends at once, and so do the sessions that it has opened.
func TestARemovedCredentialEnds(t *testing.T) {
	dora := caller{name: "dora", role: "supervisor", centers: "acme"}
	with := strings.Replace(guarded(), "api_keys:\n", "api_keys:\n"+dora.entry(), 1)
	reloaded(t, with)
	b := newBrowser(t, dora)
	dora.must(t, http.StatusOK, http.MethodGet, "/v1/interactions", "")
	require.Equal(t, http.StatusOK, b.send(t, http.MethodGet, "/v1/interactions", "").Status)
	reloaded(t, guarded())
	dora.must(t, http.StatusUnauthorized, http.MethodGet, "/v1/interactions", "")
	require.Equal(t, http.StatusUnauthorized, b.send(t, http.MethodGet, "/v1/interactions", "").Status)
	// With the same name and another key, the session of the old one stays ended.
	reloaded(t, strings.Replace(with, dora.entry(), strings.Replace(caller{name: "dora2", role: "supervisor", centers: "acme"}.entry(), "dora2", "dora", 1), 1))
	require.Equal(t, http.StatusUnauthorized, b.send(t, http.MethodGet, "/v1/interactions", "").Status)
	// A configuration that is wrong changes nothing.
	reloaded(t, guarded())
	ann.must(t, http.StatusOK, http.MethodGet, "/v1/interactions", "")
}
