package auth_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/gateway/auth"
	"segue/gateway/problem"
)

func TestPagesOfOtherOrigins(t *testing.T) {
	g := configured()
	g.CORS = []string{"https://app.example.com", "https://*.desk.example.com"}
	f := newFixture(t, g)
	reached := false
	h := f.CORS(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	for origin, allowed := range map[string]bool{"https://app.example.com": true, "https://a.desk.example.com": true, "https://a.b.desk.example.com": true,
		"https://evil.example": false, "null": false, "https://desk.example.com": false, "https://evil.example#.desk.example.com": false,
		"https://evil.example/.desk.example.com": false, "https://x@a.desk.example.com": false, "*": false} {
		t.Run(origin, func(t *testing.T) {
			var got answer
			preflight := f.record(h, request("OPTIONS", "/v1/interactions", "Origin", origin, "Access-Control-Request-Method", "POST",
				"Access-Control-Request-Headers", "authorization,contactcenterid,content-type,idempotency-key,segue-contact-center,segue-request-id,x-csrf-token"), &got)
			require.False(t, reached, "a preflight has no credential, and must not reach authentication")
			require.Contains(t, preflight.Header.Values("Vary")[0], "Origin")
			actual := f.record(h, request("POST", "/v1/interactions", "Origin", origin), &got)
			require.True(t, reached)
			reached = false
			require.Equal(t, "Origin", actual.Header.Get("Vary"))
			want := map[bool]string{true: origin}[allowed]
			require.Equal(t, want, preflight.Header.Get("Access-Control-Allow-Origin"))
			require.Equal(t, want, actual.Header.Get("Access-Control-Allow-Origin"))
			if allowed {
				require.Equal(t, "true", actual.Header.Get("Access-Control-Allow-Credentials"))
				require.Equal(t, "POST", preflight.Header.Get("Access-Control-Allow-Methods"))
				for _, name := range []string{"X-Csrf-Header", "X-Csrf-Token", "Idempotency-Key", "Segue-Request-Id"} {
					require.Contains(t, actual.Header.Get("Access-Control-Expose-Headers"), name)
				}
			}
		})
	}
	require.NoError(t, f.Update(configured()))
	var got answer
	require.Empty(t, f.record(h, request("POST", "/v1/interactions", "Origin", "https://app.example.com"), &got).Header.Get("Access-Control-Allow-Origin"))
}

func TestPreflightsInAnyForm(t *testing.T) {
	g := configured()
	g.CORS = []string{"https://app.example.com"}
	f := newFixture(t, g)
	h := f.CORS(http.NotFoundHandler())
	for asked, allowed := range map[string]bool{
		"authorization,contactcenterid,content-type,x-csrf-token":   true,
		"X-CSRF-TOKEN, Content-Type":                                true,
		"content-type,authorization , ContactCenterId,Content-Type": true,
		"x-csrf-token,x-evil":                                       false,
	} {
		var got answer
		preflight := f.record(h, request("OPTIONS", "/api/v2/me", "Origin", "https://app.example.com",
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", asked), &got)
		require.Equal(t, map[bool]string{true: "https://app.example.com"}[allowed], preflight.Header.Get("Access-Control-Allow-Origin"), asked)
	}
}

func TestCredentialsInMessages(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	r := request("GET", "/his")
	good := map[string]func() (*auth.Caller, error){
		"ann": func() (*auth.Caller, error) { return f.Token(r, agentKey) },
		"bob": func() (*auth.Caller, error) { return f.Password(r, "bob", "open sesame") },
		"ida": func() (*auth.Caller, error) {
			return f.Password(r, "whoever", issuer.token(map[string]any{"sub": "ida"}))
		},
		"eva": func() (*auth.Caller, error) { return f.Token(r, issuer.token(map[string]any{"sub": "eva"})) },
	}
	for agent, find := range good {
		caller, err := find()
		require.NoError(t, err)
		require.Equal(t, agent, caller.Agent)
	}
	cookie, _ := f.desktop(bearer(agentKey)...)
	bad := map[string]func() (*auth.Caller, error){
		"wrong token":    func() (*auth.Caller, error) { return f.Token(r, "guess") },
		"no token":       func() (*auth.Caller, error) { return f.Token(r, "") },
		"wrong password": func() (*auth.Caller, error) { return f.Password(r, "bob", "guess") },
		"a key is none":  func() (*auth.Caller, error) { return f.Password(r, "bob", agentKey) },
		"no header":      func() (*auth.Caller, error) { return f.Identify(r) },
		"no face of cookie": func() (*auth.Caller, error) {
			return f.IdentifyAs(auth.Face{}, request("GET", "/his", "Cookie", cookie))
		},
	}
	for name, find := range bad {
		caller, err := find()
		require.Nil(t, caller, name)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, name)
		require.Equal(t, problem.Unauthenticated, p.Type, name)
	}
	caller, err := f.Identify(request("GET", "/api/v2/notifications", "Cookie", cookie))
	require.NoError(t, err)
	require.Equal(t, "ann", caller.Agent)
	caller, err = newFixture(t, config.Gateway{}).Password(local("GET", "http://localhost/his"), "acme/ann", "any")
	require.NoError(t, err)
	require.Equal(t, []string{"acme"}, caller.ContactCenters)
}
