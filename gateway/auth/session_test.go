package auth_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/delivery"
	"segue/gateway/auth"
	"segue/gateway/problem"
	"segue/interaction"
)

// desktop opens a GWS session with a credential and returns its cookie and CSRF token.
func (f *fixture) desktop(headers ...string) (cookie, token string) {
	f.t.Helper()
	got := f.send(auth.GWS(), request("GET", "/api/v2/me", headers...))
	require.Equal(f.t, 200, got.StatusCode)
	require.Equal(f.t, "X-CSRF-TOKEN", got.Header.Get("X-CSRF-HEADER"))
	require.NotEmpty(f.t, got.Header.Get("X-CSRF-TOKEN"))
	c := cookieOf(f.t, got, auth.GWSCookie)
	return c.Name + "=" + c.Value, got.Header.Get("X-CSRF-TOKEN")
}

// board opens a /v1 session, as POST /v1/session does.
func (f *fixture) board(headers ...string) (cookie, token string) {
	f.t.Helper()
	got := f.openBoard(request("POST", "/v1/session", headers...))
	require.Equal(f.t, 200, got.StatusCode)
	c := cookieOf(f.t, got, auth.PlatformCookie)
	return c.Name + "=" + c.Value, got.Header.Get("X-CSRF-TOKEN")
}

func (f *fixture) openBoard(r *http.Request) answer {
	var got answer
	return f.record(f.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f.Session(w, r); err != nil {
			var p *problem.Problem
			require.ErrorAs(f.t, err, &p)
			auth.Refuse(w, p)
		}
	})), r, &got)
}

func TestTheTokenIsNamedAsGenesysNamesIt(t *testing.T) {
	f := newFixture(t, configured())
	got := f.send(auth.GWS(), request("GET", "/api/v2/me", bearer(agentKey)...))
	names := slices.Collect(maps.Keys(got.wire)) // a client looks them up in a map
	require.Subset(t, names, []string{"X-CSRF-HEADER", "X-CSRF-TOKEN"})
	require.NotContains(t, names, "X-Csrf-Token", "nor does it get them twice")
}

func TestTheCookieOfASession(t *testing.T) {
	overTLS := func(g config.Gateway) config.Gateway { g.PublicURL = "https://segue.example.com"; return g }
	withCORS := func(g config.Gateway) config.Gateway { g.CORS = []string{"https://app.example.com"}; return g }
	rows := map[string]struct {
		config config.Gateway
		secure bool
		site   http.SameSite
	}{
		"plain":            {configured(), false, http.SameSiteLaxMode},
		"https outside":    {overTLS(configured()), true, http.SameSiteLaxMode},
		"cors without TLS": {withCORS(configured()), false, http.SameSiteLaxMode},
		"cors and https":   {withCORS(overTLS(configured())), true, http.SameSiteNoneMode},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, row.config)
			c := cookieOf(t, f.send(auth.GWS(), request("GET", "/api/v2/me", bearer(agentKey)...)), "JSESSIONID")
			require.True(t, c.HttpOnly)
			require.Equal(t, "/", c.Path)
			require.Equal(t, row.secure, c.Secure)
			require.Equal(t, row.site, c.SameSite)
			require.Equal(t, 8*60*60, c.MaxAge)
			require.NotContains(t, c.Value, "ann")
		})
	}
}

func TestTheCookieIsSecureOnATLSConnection(t *testing.T) {
	f := newFixture(t, configured())
	c := cookieOf(t, f.send(auth.GWS(), request("GET", "https://segue.example.com/api/v2/me", bearer(agentKey)...)), "JSESSIONID")
	require.True(t, c.Secure)
}

func TestASessionHasTheCallerOfItsCredential(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	for name, headers := range map[string][]string{"key": bearer(agentKey), "password": basic("bob", "open sesame"), "token": bearer(issuer.token(nil))} {
		t.Run(name, func(t *testing.T) {
			shown := f.send(auth.GWS(), request("GET", "/api/v2/me", headers...)).caller
			cookie, _ := f.desktop(headers...)
			got := f.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", cookie)).caller
			require.NotNil(t, got)
			require.True(t, got.ByCookie)
			require.False(t, shown.ByCookie)
			require.Equal(t, []any{shown.Name, shown.User, shown.Role, shown.Agent, shown.ContactCenters, shown.All, shown.Rate},
				[]any{got.Name, got.User, got.Role, got.Agent, got.ContactCenters, got.All, got.Rate})
		})
	}
}

func TestASessionSlides(t *testing.T) {
	f := newFixture(t, configured())
	cookie, token := f.desktop(bearer(agentKey)...)
	f.clock.add(7 * time.Hour)
	got := f.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", cookie))
	require.Equal(t, token, got.Header.Get("X-CSRF-TOKEN"), "a sliding session keeps its CSRF token")
	renewed := cookieOf(t, got, auth.GWSCookie)
	f.clock.add(7 * time.Hour)
	require.Equal(t, 401, f.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", cookie)).StatusCode, "the old cookie was unused for 14 hours")
	got = f.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", renewed.Name+"="+renewed.Value))
	require.Equal(t, 200, got.StatusCode)
}

func TestARecentCookieIsNotSetAgain(t *testing.T) {
	f := newFixture(t, configured())
	cookie, token := f.desktop(bearer(agentKey)...)
	for _, headers := range [][]string{{"Cookie", cookie}, append(bearer(agentKey), "Cookie", cookie)} {
		got := f.send(auth.GWS(), request("GET", "/api/v2/me", headers...))
		require.Empty(t, got.Cookies())
		require.Equal(t, token, got.Header.Get("X-CSRF-TOKEN"))
	}
}

func TestACredentialPrecedesACookie(t *testing.T) {
	f := newFixture(t, configured())
	cookie, _ := f.desktop(bearer(agentKey)...)
	got := f.send(auth.GWS(), request("GET", "/api/v2/me", append(bearer(adminKey), "Cookie", cookie)...))
	require.Equal(t, "key:admin", got.caller.Name)
	require.NotEmpty(t, got.Cookies(), "another caller gets a session of its own")
	got = f.send(auth.GWS(), request("GET", "/api/v2/me", append(bearer("guess"), "Cookie", cookie)...))
	require.Equal(t, 401, got.StatusCode, "a good cookie must not help a bad credential")
}

func TestCookiesThatDoNotCount(t *testing.T) {
	issuer := newIDP(t)
	keys := func(refs ...delivery.SecretRef) config.Gateway {
		g := configured(issuer.config())
		g.SessionKeys = refs
		return g
	}
	f := newFixture(t, keys("env:OLD")).ready()
	cookie, _ := f.desktop(bearer(agentKey)...)
	byPassword, _ := f.desktop(basic("bob", "open sesame")...)
	byToken, _ := f.desktop(bearer(issuer.token(nil))...)
	board, _ := f.board(bearer(agentKey)...)
	status := func(on *fixture, cookie string) int {
		return on.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", cookie)).StatusCode
	}
	t.Run("another replica accepts it", func(t *testing.T) {
		require.Equal(t, 200, status(newFixture(t, keys("env:OLD")), cookie))
	})
	t.Run("a newer key does, too", func(t *testing.T) {
		require.Equal(t, 200, status(newFixture(t, keys("env:NEW", "env:OLD")), cookie))
	})
	t.Run("other keys do not", func(t *testing.T) {
		require.Equal(t, 401, status(newFixture(t, keys("env:NEW")), cookie))
		require.Equal(t, 401, status(newFixture(t, keys()), cookie))
	})
	t.Run("of another face", func(t *testing.T) {
		_, value, _ := strings.Cut(board, "=")
		require.Equal(t, 401, status(f, board))
		require.Equal(t, 401, status(f, auth.GWSCookie+"="+value))
	})
	t.Run("changed", func(t *testing.T) {
		for n := len("JSESSIONID="); n < len(cookie); n += 7 {
			changed := []byte(cookie)
			if changed[n] = 'A'; cookie[n] == 'A' {
				changed[n] = 'B'
			}
			require.Equal(t, 401, status(f, string(changed)), n)
		}
	})
	t.Run("stolen, after its key was removed", func(t *testing.T) {
		on := newFixture(t, keys("env:OLD"))
		require.Equal(t, 200, status(on, cookie))
		next := keys("env:OLD")
		next.Auth.APIKeys = next.Auth.APIKeys[:1]
		require.NoError(t, on.Update(next))
		require.Equal(t, 401, status(on, cookie))
	})
	t.Run("stolen, after its key was replaced", func(t *testing.T) {
		next := keys("env:OLD")
		next.Auth.APIKeys[1].SHA256 = hashed("the next key of that name")
		require.Equal(t, 401, status(newFixture(t, next), cookie))
	})
	t.Run("after its key has another role", func(t *testing.T) {
		next := keys("env:OLD")
		next.Auth.APIKeys[1].Role = interaction.RoleSupervisor
		on := newFixture(t, next)
		got := on.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", cookie))
		require.Equal(t, interaction.RoleSupervisor, got.caller.Role, "what a key may do is never in the cookie")
	})
	t.Run("after its password has changed", func(t *testing.T) {
		on := newFixture(t, keys("env:OLD"))
		require.Equal(t, 200, status(on, byPassword))
		on.secrets.set("env:PASSWORD", "rotated")
		on.clock.add(11 * time.Second)
		require.Equal(t, 401, status(on, byPassword))
	})
	t.Run("after its token has expired", func(t *testing.T) {
		on := newFixture(t, keys("env:OLD"))
		require.Equal(t, 200, status(on, byToken))
		on.clock.add(time.Hour)
		require.Equal(t, 401, status(on, byToken))
	})
	t.Run("after its issuer was removed", func(t *testing.T) {
		next := keys("env:OLD")
		next.Auth.JWT = nil
		require.Equal(t, 401, status(newFixture(t, next), byToken))
	})
	t.Run("after its issuer may grant less", func(t *testing.T) {
		next := keys("env:OLD")
		next.Auth.JWT[0].ContactCenters = []string{"globex"}
		require.Equal(t, 401, status(newFixture(t, next), byToken))
	})
	t.Run("several, one of which is ours", func(t *testing.T) {
		require.Equal(t, 200, status(f, "JSESSIONID=planted; "+cookie))
	})
}

func TestASessionOfAFreshTokenKeepsItsCSRFToken(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	cookie, token := f.desktop(bearer(issuer.token(nil))...)
	fresh := issuer.token(map[string]any{"exp": start.Add(2 * time.Hour).Unix()})
	got := f.send(auth.GWS(), request("GET", "/api/v2/me", append(bearer(fresh), "Cookie", cookie)...))
	require.Equal(t, token, got.Header.Get("X-CSRF-TOKEN"))
	renewed := cookieOf(t, got, auth.GWSCookie)
	f.clock.add(90 * time.Minute)
	require.Equal(t, 200, f.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", renewed.Name+"="+renewed.Value)).StatusCode)
}

// A token counts for a minute after its exp, since clocks differ. A session of it would have ended.
func TestATokenInItsLeewayOpensNoSession(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	expired := bearer(issuer.token(map[string]any{"exp": start.Add(-30 * time.Second).Unix()}))
	got := f.openBoard(request("POST", "/v1/session", expired...))
	require.Equal(t, 401, got.StatusCode)
	require.Empty(t, got.Cookies())
	got = f.send(auth.GWS(), request("GET", "/api/v2/me", expired...))
	require.Equal(t, 200, got.StatusCode, "a single request counts")
	require.Empty(t, got.Cookies())
}

func TestWhatACookieAloneMaySend(t *testing.T) {
	g := configured()
	g.CORS = []string{"https://app.example.com", "https://*.desk.example.com"}
	f := newFixture(t, g)
	desktop, desktopToken := f.desktop(bearer(agentKey)...)
	_, otherToken := f.desktop(bearer(adminKey)...)
	board, boardToken := f.board(bearer(agentKey)...)
	required := auth.Face{Cookie: auth.GWSCookie, CSRF: auth.CSRFRequired}
	rows := []struct {
		name    string
		face    auth.Face
		method  string
		headers []string
		status  int
		why     string
	}{
		{"GWS GET", required, "GET", nil, 200, ""},
		{"GWS POST without a token", auth.GWS(), "POST", nil, 200, ""},
		{"GWS POST without a token where required", required, "POST", nil, 403, "csrf"},
		{"GWS POST with the token", required, "POST", []string{"X-CSRF-TOKEN", desktopToken}, 200, ""},
		{"GWS POST with a wrong token", auth.GWS(), "POST", []string{"X-CSRF-TOKEN", "forged"}, 403, "csrf"},
		{"GWS POST with an empty token", auth.GWS(), "POST", []string{"X-CSRF-TOKEN", ""}, 403, "csrf"},
		{"GWS POST with another session's token", auth.GWS(), "POST", []string{"X-CSRF-TOKEN", otherToken}, 403, "csrf"},
		{"GWS POST with two tokens", auth.GWS(), "POST", []string{"X-CSRF-TOKEN", desktopToken, "X-CSRF-TOKEN", "forged"}, 403, "csrf"},
		{"GWS PUT of a foreign page", auth.GWS(), "PUT", []string{"Origin", "https://evil.example"}, 403, "origin"},
		{"GWS POST of a foreign page with the token", auth.GWS(), "POST", []string{"Origin", "https://evil.example", "X-CSRF-TOKEN", desktopToken}, 403, "origin"},
		{"GWS POST of a null page", auth.GWS(), "POST", []string{"Origin", "null"}, 403, "origin"},
		{"GWS POST with two origins", auth.GWS(), "POST", []string{"Origin", "http://segue.example.com", "Origin", "http://segue.example.com"}, 403, "origin"},
		{"GWS POST across sites", auth.GWS(), "POST", []string{"Sec-Fetch-Site", "cross-site"}, 403, "origin"},
		{"GWS POST of the site's other host", auth.GWS(), "POST", []string{"Sec-Fetch-Site", "same-site"}, 403, "origin"},
		{"GWS POST of its own page", auth.GWS(), "POST", []string{"Origin", "http://segue.example.com"}, 200, ""},
		{"GWS POST of an allowed page", auth.GWS(), "POST", []string{"Origin", "https://app.example.com", "Sec-Fetch-Site", "cross-site"}, 200, ""},
		{"GWS POST of an allowed subdomain", auth.GWS(), "POST", []string{"Origin", "https://a.desk.example.com"}, 200, ""},
		{"GWS POST of the domain of the subdomains", auth.GWS(), "POST", []string{"Origin", "https://desk.example.com"}, 403, "origin"},
		{"GWS POST of a like-named domain", auth.GWS(), "POST", []string{"Origin", "https://evildesk.example.com"}, 403, "origin"},
		{"GWS POST of an allowed name by http", auth.GWS(), "POST", []string{"Origin", "http://app.example.com"}, 403, "origin"},
		{"GWS POST of an allowed name at another port", auth.GWS(), "POST", []string{"Origin", "https://app.example.com:8443"}, 403, "origin"},
		{"GWS POST of an allowed subdomain by http", auth.GWS(), "POST", []string{"Origin", "http://a.desk.example.com:443"}, 403, "origin"},
		{"WebSocket of a foreign page", auth.GWS(), "GET", []string{"Connection", "Upgrade", "Upgrade", "websocket", "Origin", "https://evil.example"}, 403, "origin"},
		{"WebSocket in other letters of a foreign page", auth.GWS(), "GET", []string{"Connection", "Upgrade", "Upgrade", "h2c, WebSocket", "Origin", "https://evil.example"}, 403, "origin"},
		{"WebSocket of its own page", required, "GET", []string{"Connection", "Upgrade", "Upgrade", "websocket", "Origin", "http://segue.example.com"}, 200, ""},
		{"board GET", auth.Platform(), "GET", nil, 200, ""},
		{"board POST without a token", auth.Platform(), "POST", nil, 403, "csrf"},
		{"board DELETE without a token", auth.Platform(), "DELETE", nil, 403, "csrf"},
		{"board method of no name", auth.Platform(), "PATCH", nil, 403, "csrf"},
		{"board POST with the token", auth.Platform(), "POST", []string{"X-CSRF-TOKEN", boardToken}, 200, ""},
		{"board POST with a desktop's token", auth.Platform(), "POST", []string{"X-CSRF-TOKEN", desktopToken}, 403, "csrf"},
		{"board POST of a foreign page with the token", auth.Platform(), "POST", []string{"Origin", "https://evil.example", "X-CSRF-TOKEN", boardToken}, 403, "origin"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			cookie := desktop
			if row.face.Cookie == auth.PlatformCookie {
				cookie = board
			}
			got := f.send(row.face, request(row.method, "http://segue.example.com/x", append(row.headers, "Cookie", cookie)...))
			require.Equal(t, row.status, got.StatusCode)
			require.Equal(t, row.status == 200, got.caller != nil)
			if row.status != 200 {
				require.Equal(t, row.why, got.body["why"])
				require.Equal(t, "urn:segue:not-permitted", got.body["type"])
			}
		})
	}
}

func TestAKeyNeedsNoCSRFToken(t *testing.T) {
	f := newFixture(t, configured())
	got := f.send(auth.Platform(), request("POST", "/v1/interactions", append(bearer(adminKey), "Origin", "https://evil.example")...))
	require.Equal(t, 200, got.StatusCode, "no browser sends a key of its own accord")
}

func TestAForeignPageMustNotUseThePasswordOfABrowser(t *testing.T) {
	f := newFixture(t, configured())
	got := f.send(auth.GWS(), request("POST", "/api/v2/me", append(basic("bob", "open sesame"), "Origin", "https://evil.example")...))
	require.Equal(t, 403, got.StatusCode)
}

func TestASessionCannotOpenAnother(t *testing.T) {
	f := newFixture(t, configured())
	cookie, token := f.board(bearer(agentKey)...)
	got := f.openBoard(request("POST", "/v1/session", "Cookie", cookie, "X-CSRF-TOKEN", token))
	require.Equal(t, 403, got.StatusCode)
}

func TestEndRemovesTheCookie(t *testing.T) {
	f := newFixture(t, configured())
	var got answer
	got = f.record(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.End(w, r, auth.PlatformCookie) }), request("DELETE", "/v1/session"), &got)
	c := cookieOf(t, got, auth.PlatformCookie)
	require.Empty(t, c.Value)
	require.Negative(t, c.MaxAge)
}

func TestOverTLSAPageWithoutTLSIsForeign(t *testing.T) {
	f := newFixture(t, configured())
	cookie, _ := f.desktop(bearer(agentKey)...)
	for origin, status := range map[string]int{"https://segue.example.com": 200, "http://segue.example.com": 403, "http://segue.example.com:443": 403} {
		r := request("POST", "https://segue.example.com/api/v2/me", "Cookie", cookie, "Origin", origin)
		require.Equal(t, status, f.send(auth.GWS(), r).StatusCode, origin)
	}
}

func TestThePublicURLIsTheServersOwn(t *testing.T) {
	g := configured()
	g.PublicURL = "https://segue.example.com/base"
	f := newFixture(t, g)
	cookie, _ := f.desktop(bearer(agentKey)...)
	r := request("POST", "http://10.0.0.1:8080/api/v2/me", "Cookie", cookie, "Origin", "https://segue.example.com")
	require.Equal(t, 200, f.send(auth.GWS(), r).StatusCode)
}

// A token may grant more than a browser keeps. That is no defect of the gateway.
func TestASessionThatIsTooLargeForACookieIsRefused(t *testing.T) {
	issuer := newIDP(t)
	limits := issuer.config()
	limits.ContactCenters = []string{"*"}
	f := newFixture(t, configured(limits)).ready()
	centers := func(count int) []string {
		var list []string
		for n := range count {
			list = append(list, fmt.Sprintf("contact-center-%d", n))
		}
		return bearer(issuer.token(map[string]any{"contact_centers": list}))
	}
	require.Equal(t, 200, f.openBoard(request("POST", "/v1/session", centers(40)...)).StatusCode)
	got := f.openBoard(request("POST", "/v1/session", centers(300)...))
	require.Equal(t, 413, got.StatusCode)
	require.Empty(t, got.Cookies())
}
