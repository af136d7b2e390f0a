package gateway_test

import (
	"net/http"
	"testing"

	"segue/e2e/stack"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAnOpenGatewayServesThisMachineOnly: without credentials a gateway takes every program of this
// machine for the platform. Pages that a browser of this machine shows must not be such programs.
func TestAnOpenGatewayServesThisMachineOnly(t *testing.T) {
	open := serveOpen(t)
	send := func(o operation, headers ...string) answer {
		json := []string{"Content-Type", "application/json"}
		a, err := stack.Send(t.Context(), client, o.method, open+o.at("open"), o.body, append(json, headers...)...)
		require.NoError(t, err)
		return a
	}
	start := operation{method: http.MethodPost, path: "/interactions", body: `{"id":"open","channel":"inbound"}`}
	require.Equal(t, http.StatusCreated, send(start, "Segue-Contact-Center", "open").Status)
	for _, o := range operations(t) {
		for name, headers := range map[string][]string{
			"a foreign host":           {"Host", "evil.example"},
			"a host that is rebound":   {"Host", "evil.example:8080"},
			"a host like loopback":     {"Host", "127.0.0.1.evil.example"},
			"a host below localhost":   {"Host", "evil.localhost"},
			"a host as a number":       {"Host", "2130706433"},
			"the unspecified address":  {"Host", "0.0.0.0"},
			"a private address":        {"Host", "192.168.1.1"},
			"a foreign origin":         {"Origin", "https://evil.example"},
			"no origin":                {"Origin", "null"},
			"a file":                   {"Origin", "file://"},
			"an extension":             {"Origin", "chrome-extension://abcdef"},
			"loopback at another port": {"Origin", "http://127.0.0.1:1"},
			"localhost by another":     {"Origin", "http://localhost.evil.example"},
			"another site's page":      {"Sec-Fetch-Site", "cross-site"},
			"another site's image":     {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"},
			"a page of the same site":  {"Sec-Fetch-Site", "same-site"},
			"another site's frame":     {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"},
			"a proxy":                  {"X-Forwarded-For", "127.0.0.1"},
			"another proxy":            {"Forwarded", "for=127.0.0.1"},
			"two origins":              {"Origin", open, "Origin", "https://evil.example"},
		} {
			a := send(o, append([]string{"Segue-Contact-Center", "open"}, headers...)...)
			about := name + ": " + o.method + " " + o.path + ": " + string(a.Raw)
			assert.Equal(t, http.StatusForbidden, a.Status, about)
			assert.Equal(t, "not-permitted", a.Problem(), about)
			assert.Empty(t, a.Header.Get("Access-Control-Allow-Origin"), about)
		}
	}
	read := operation{method: http.MethodGet, path: "/interactions/{id}"}
	for _, headers := range [][]string{nil, {"Host", "localhost"}, {"Host", "[::1]:80"}, {"Origin", open}} {
		a := send(read, append([]string{"Segue-Contact-Center", "open"}, headers...)...)
		require.Equal(t, http.StatusOK, a.Status, "%v: %s", headers, a.Raw)
		require.Equal(t, "started", a.Body["state"], "nothing has changed it")
	}
	// What a client shows is never ignored, and an agent is an agent here, too.
	require.Equal(t, http.StatusUnauthorized, send(read, "X-API-Key", "guess").Status)
}
