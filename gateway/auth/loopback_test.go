package auth_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/gateway/auth"
	"segue/interaction"
)

// local makes a request of a program on this machine.
func local(method, target string, headers ...string) *http.Request {
	r := request(method, target, headers...)
	r.RemoteAddr = "127.0.0.1:4711"
	return r
}

func TestOnLoopbackAProgramIsThePlatform(t *testing.T) {
	f := newFixture(t, config.Gateway{Address: "127.0.0.1:8080"})
	for _, target := range []string{"http://localhost:8080/v1/interactions", "http://127.0.0.1/", "http://127.1.2.3:99/", "http://[::1]:8080/", "http://[::1]/", "http://LOCALHOST/"} {
		got := f.send(auth.Platform(), local("POST", target))
		require.Equal(t, 200, got.StatusCode, target)
		require.Equal(t, interaction.RolePlatform, got.caller.Role)
		require.True(t, got.caller.All)
		require.Zero(t, got.caller.Rate)
	}
}

func TestOnLoopbackBasicNamesAnAgent(t *testing.T) {
	f := newFixture(t, config.Gateway{Address: "127.0.0.1:8080"})
	got := f.send(auth.Platform(), local("GET", "http://localhost/v1/interactions", basic("ann", "any")...))
	require.Equal(t, []any{interaction.RoleAgent, "ann", true}, []any{got.caller.Role, got.caller.Agent, got.caller.All})
	got = f.send(auth.GWS(), local("GET", "http://localhost/api/v2/me", basic("acme/ann", "any")...))
	require.Equal(t, []any{interaction.RoleAgent, "ann", []string{"acme"}, false}, []any{got.caller.Role, got.caller.Agent, got.caller.ContactCenters, got.caller.All})
	require.NotContains(t, got.caller.Name, "ann")
	cookie := cookieOf(t, got, auth.GWSCookie)
	again := f.send(auth.GWS(), local("POST", "http://localhost/api/v2/me", "Cookie", cookie.Name+"="+cookie.Value))
	require.Equal(t, []any{"ann", []string{"acme"}, true}, []any{again.caller.Agent, again.caller.ContactCenters, again.caller.ByCookie})
	for _, name := range []string{"/ann", "acme/", "a b", "acme/ann/x"} {
		require.Equal(t, 401, f.send(auth.GWS(), local("GET", "http://localhost/", basic(name, "any")...)).StatusCode, name)
	}
}

func TestOnLoopbackNobodyElseIsServed(t *testing.T) {
	f := newFixture(t, config.Gateway{Address: "127.0.0.1:8080", CORS: []string{"https://app.example.com"}})
	at := "http://localhost:8080/v1/interactions"
	foreign := local("GET", at)
	foreign.RemoteAddr = "192.0.2.1:4711"
	unknown := local("GET", at)
	unknown.RemoteAddr = "@"
	rows := map[string]*http.Request{
		"another machine":               foreign,
		"no address":                    unknown,
		"a name that is rebound":        local("GET", "http://evil.example:8080/v1/interactions"),
		"a name like localhost":         local("GET", "http://localhost.evil.example/v1/interactions"),
		"an address that is no number":  local("GET", "http://127.0.0.1.nip.io/"),
		"the address of all":            local("GET", "http://0.0.0.0:8080/v1/interactions"),
		"a foreign page":                local("GET", at, "Origin", "https://evil.example"),
		"a page of another port":        local("POST", at, "Origin", "http://localhost:3000"),
		"a null page":                   local("POST", at, "Origin", "null"),
		"a page of gateway.cors":        local("POST", at, "Origin", "https://app.example.com"),
		"an image of a foreign page":    local("GET", at, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"),
		"a form of a foreign page":      local("POST", at, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"),
		"a frame of a foreign page":     local("GET", at, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"),
		"a proxy":                       local("GET", at, "X-Forwarded-For", "203.0.113.7"),
		"a proxy of RFC 7239":           local("GET", at, "Forwarded", "for=203.0.113.7"),
		"a WebSocket of a foreign page": local("GET", at, "Upgrade", "websocket", "Connection", "Upgrade", "Origin", "https://evil.example"),
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			got := f.send(auth.Platform(), r)
			require.Equal(t, 403, got.StatusCode)
			require.Nil(t, got.caller)
			require.Equal(t, "urn:segue:not-permitted", got.body["type"])
			r.Header["Authorization"] = basic("ann", "any")[1:]
			require.Equal(t, 403, f.send(auth.Platform(), r).StatusCode, "a name must not help")
		})
	}
	for name, r := range map[string]*http.Request{
		"its own page":                   local("POST", at, "Origin", "http://localhost:8080", "Sec-Fetch-Site", "same-origin"),
		"a link that a person follows":   local("GET", at, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"),
		"an address that a person types": local("GET", at, "Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"),
	} {
		require.Equal(t, 200, f.send(auth.Platform(), r).StatusCode, name)
	}
}

func TestOnLoopbackACredentialIsNotIgnored(t *testing.T) {
	f := newFixture(t, config.Gateway{})
	require.Equal(t, 401, f.send(auth.Platform(), local("GET", "http://localhost/", bearer(adminKey)...)).StatusCode)
}

func TestALoopbackCallerEndsWhenAuthIsConfigured(t *testing.T) {
	f := newFixture(t, config.Gateway{Address: "127.0.0.1:8080"})
	got := f.send(auth.GWS(), local("GET", "http://localhost/api/v2/me", basic("ann", "any")...))
	cookie := cookieOf(t, got, auth.GWSCookie)
	require.NoError(t, f.Update(configured()))
	require.False(t, got.caller.Counts(f.clock.Now()))
	require.Equal(t, 401, f.send(auth.GWS(), local("GET", "http://localhost/api/v2/me", "Cookie", cookie.Name+"="+cookie.Value)).StatusCode)
	require.Equal(t, 401, f.send(auth.Platform(), local("GET", "http://localhost/v1/interactions")).StatusCode)
}
