package auth_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/gateway/auth"
	"segue/gateway/limits"
)

// reached sends a request through the middleware of CometD, and reports whether it came through, and whose
// it is.
func (f *fixture) reached(r *http.Request) (answer, bool) {
	f.t.Helper()
	var got answer
	reached := false
	handler := f.For(auth.CometD())(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reached, got.caller = true, auth.From(r.Context())
	}))
	return f.record(handler, r, &got), reached
}

// A client without a credential gets a Bayeux message. What a foreign page makes a browser send, and what
// cannot be read, is refused as everywhere.
func TestWithoutACredentialARequestOfCometDPassesWithoutACaller(t *testing.T) {
	f := newFixture(t, configured())
	cookie, token := f.desktop(bearer(agentKey)...)
	for name, row := range map[string]struct {
		headers []string
		status  int
		caller  string
	}{
		"nothing":                  {nil, 200, ""},
		"an unknown key":           {bearer("guess"), 200, ""},
		"a wrong password":         {basic("bob", "guess"), 200, ""},
		"a cookie of nobody":       {[]string{"Cookie", "JSESSIONID=forged"}, 200, ""},
		"a key":                    {bearer(agentKey), 200, "key:agent"},
		"a password":               {basic("bob", "open sesame"), 200, "user:bob"},
		"a cookie":                 {[]string{"Cookie", cookie}, 200, "key:agent"},
		"a cookie with its token":  {[]string{"Cookie", cookie, "X-CSRF-TOKEN", token}, 200, "key:agent"},
		"a cookie, a wrong token":  {[]string{"Cookie", cookie, "X-CSRF-TOKEN", "forged"}, 403, ""},
		"a cookie, a foreign page": {[]string{"Cookie", cookie, "Origin", "https://evil.example"}, 403, ""},
		"two credentials":          {append(bearer(agentKey), "X-API-Key", adminKey), 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, reached := f.reached(request("POST", "/api/v2/notifications", row.headers...))
			require.Equal(t, row.status, got.StatusCode)
			require.Equal(t, row.status == 200, reached)
			if row.caller == "" {
				require.Nil(t, got.caller)
			} else {
				require.Equal(t, row.caller, got.caller.Name)
			}
		})
	}
	got, _ := f.reached(request("POST", "/api/v2/notifications", basic("bob", "open sesame")...))
	require.NotEmpty(t, cookieOf(t, got, auth.GWSCookie).Value, "a handshake opens the session, too")
}

func TestGuessesAtTheNotificationsAreThrottled(t *testing.T) {
	now := newClock()
	l := limits.New(limits.Options{Now: now.Now})
	f := newFixture(t, configured(), func(o *auth.Options) { o.Throttle, o.Failed = l.Throttle, l.Failed })
	statuses := map[int]int{}
	for range 30 {
		got, _ := f.reached(request("POST", "/api/v2/notifications", bearer("guess")...))
		statuses[got.StatusCode]++
	}
	require.Equal(t, map[int]int{200: 20, 429: 10}, statuses)
	_, reached := f.reached(request("POST", "/api/v2/notifications"))
	require.True(t, reached, "who shows nothing does not guess")
}

func TestTheTokenIsRequiredAsTheConfigurationSays(t *testing.T) {
	g := configured()
	f := newFixture(t, g)
	cookie, token := f.desktop(bearer(agentKey)...)
	post := func(face auth.Face, headers ...string) int {
		return f.send(face, request("POST", "/api/v2/me", append(headers, "Cookie", cookie)...)).StatusCode
	}
	require.Equal(t, 200, post(auth.GWS()))
	g.GWS = config.GWS{CSRF: true}
	require.NoError(t, f.Update(g))
	for _, face := range []auth.Face{auth.GWS(), auth.CometD()} {
		require.Equal(t, 403, post(face))
		require.Equal(t, 403, post(face, "X-CSRF-TOKEN", "forged"))
		require.Equal(t, 200, post(face, "X-CSRF-TOKEN", token))
	}
	require.Equal(t, 200, f.send(auth.GWS(), request("POST", "/api/v2/me", bearer(agentKey)...)).StatusCode, "no browser sends a key of its own accord")
}

func TestACredentialInAMessageOpensTheSession(t *testing.T) {
	f := newFixture(t, configured())
	open := func(r *http.Request, token string) *httptest.ResponseRecorder {
		caller, err := f.Token(r, token)
		require.NoError(t, err)
		w := httptest.NewRecorder()
		require.NoError(t, f.Open(w, r, caller, auth.GWSCookie))
		return w
	}
	cookies := open(request("POST", "/api/v2/notifications"), agentKey).Result().Cookies()
	require.Len(t, cookies, 1)
	own := auth.GWSCookie + "=" + cookies[0].Value
	require.Equal(t, "ann", f.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", own)).caller.Agent)
	require.Empty(t, open(request("POST", "/api/v2/notifications", "Cookie", own), agentKey).Result().Cookies(), "the session goes on")
	require.Len(t, open(request("POST", "/api/v2/notifications", "Cookie", own), adminKey).Result().Cookies(), 1, "the session was another caller's")
	expiring, err := f.Token(request("POST", "/"), shortKey)
	require.NoError(t, err)
	f.clock.add(time.Hour)
	w := httptest.NewRecorder()
	require.NoError(t, f.Open(w, request("POST", "/"), expiring, auth.GWSCookie))
	require.Empty(t, w.Result().Cookies())
}

func TestACookieOfTheBrowserHasTheAttributesOfTheSessions(t *testing.T) {
	g := configured()
	f := newFixture(t, g)
	c := f.Cookie(request("POST", "http://segue.example.com/api/v2/notifications"), "BAYEUX_BROWSER", "x")
	require.Equal(t, "BAYEUX_BROWSER=x; Path=/; HttpOnly; SameSite=Lax", c.String())
	g.CORS = []string{"https://app.example.com"}
	require.NoError(t, f.Update(g))
	c = f.Cookie(request("POST", "https://segue.example.com/api/v2/notifications"), "BAYEUX_BROWSER", "x")
	require.Equal(t, "BAYEUX_BROWSER=x; Path=/; HttpOnly; Secure; SameSite=None", c.String())
}

// An open stream is a use of the session: 8 hours without another request do not end it. What ends the
// credential does.
func TestAStreamOfACookieEndsWithTheCredentialOfTheSession(t *testing.T) {
	f := newFixture(t, configured(), func(o *auth.Options) { o.Sweep = 5 * time.Millisecond })
	cookie, _ := f.desktop(bearer(agentKey)...)
	caller := f.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", cookie)).caller
	strict, release := f.Watch(t.Context(), caller)
	defer release()
	stream, release := f.Watch(t.Context(), caller.ForStream())
	defer release()
	f.clock.add(9 * time.Hour)
	require.Eventually(t, func() bool { return isOver(strict) }, time.Minute, time.Millisecond)
	require.NoError(t, stream.Err())
	g := configured()
	g.Auth.APIKeys = g.Auth.APIKeys[:1]
	require.NoError(t, f.Update(g))
	require.True(t, isOver(stream))
}

func TestAStreamOfACookieEndsWithTheExpiryOfItsKey(t *testing.T) {
	f := newFixture(t, configured(), func(o *auth.Options) { o.Sweep = 5 * time.Millisecond })
	cookie, _ := f.desktop(bearer(shortKey)...)
	stream, release := f.Watch(t.Context(), f.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", cookie)).caller.ForStream())
	defer release()
	require.NoError(t, stream.Err())
	f.clock.add(time.Hour)
	require.Eventually(t, func() bool { return isOver(stream) }, time.Minute, time.Millisecond)
}

// A client gets a new token while its stream is open, and shows it with its next request.
func TestAStreamLastsAsLongAsTheNewestTokenOfItsCaller(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config()), func(o *auth.Options) { o.Sweep = 5 * time.Millisecond }).ready()
	at := func(age time.Duration, claims map[string]any) *auth.Caller {
		given := map[string]any{"exp": start.Add(age).Unix()}
		maps.Copy(given, claims)
		caller, err := f.Token(request("POST", "/"), issuer.token(given))
		require.NoError(t, err)
		return caller
	}
	first := at(10*time.Minute, nil)
	stream, renew, release := f.WatchRenewed(t.Context(), first)
	defer release()
	renew(at(time.Hour, nil))
	renew(at(20*time.Minute, nil)) // an older one comes late
	other, renewOther, release := f.WatchRenewed(t.Context(), first)
	defer release()
	renewOther(at(time.Hour, map[string]any{"role": "supervisor"}))
	f.clock.add(30 * time.Minute)
	require.Eventually(t, func() bool { return isOver(other) }, time.Minute, time.Millisecond, "another grant renews nothing")
	require.NoError(t, stream.Err())
	f.clock.add(time.Hour)
	require.Eventually(t, func() bool { return isOver(stream) }, time.Minute, time.Millisecond)
}
