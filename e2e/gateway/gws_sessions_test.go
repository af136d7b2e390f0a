package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEveryCredentialAtCometD: a handshake succeeds with any good credential; topics are of an agent's own.
func TestEveryCredentialAtCometD(t *testing.T) {
	for _, s := range credentials(t) {
		t.Run(s.name, func(t *testing.T) {
			b := newBayeux(t, served.url, s.headers...).handshake()
			defer b.disconnect()
			for topic, granted := range map[string]bool{
				"/v2/me/interactions": true, "/v2/me/interactions/": true, "/v2/me/chats": true, "/v2/me/workbins": true, "/v2/me": true,
				"/**": true, "/v2/**": true, "/v2/me/*": true, "/v2/me/**": true, "/v2/me/outbound": true, "/notifications/services": true,
				"/*": false, "/v2/*": false, "/v2/me/interactions/*": false, "/v2/users/bob/interactions": false, "/v2/users": false, "/v2/users/**": false,
				"/v2/me/unknown": false, "/v2/me/../users": false, "/umbrella/**": false, "/v2/me%2finteractions": false,
			} {
				reply := b.subscribe(topic)
				require.Equal(t, granted && s.agent != "", reply["successful"], "%s: %v", topic, reply)
				if reply["successful"] == false {
					require.True(t, strings.HasPrefix(reply.text("error"), "403:"), "%v", reply)
					require.True(t, strings.HasSuffix(reply.text("error"), ":subscribe_denied"), "%v", reply)
				}
				require.Equal(t, topic, reply["subscription"])
			}
			require.Equal(t, true, b.now()["successful"])
		})
	}
}

// TestNobodyGetsASession: Bayeux has its own answer for who has no good credential, and it is never a 401.
func TestNobodyGetsASession(t *testing.T) {
	g := newGuesser(t)
	board := newBrowser(t, ann).cookie
	for name, headers := range map[string][]string{
		"none": nil, "unknown key": {"X-API-Key", "guess"}, "wrong password": basic(userName, "guess"), "unknown name": basic("nobody", "guess"),
		"expired token": bearer(token(map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()})), "forged token": bearer(token(nil) + "x"),
		"forged cookie": {"Cookie", "JSESSIONID=forged"}, "cookie of the board": {"Cookie", board},
	} {
		a := g.send(t, http.MethodPost, notifications, `[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"],"id":"7"}]`, headers...)
		require.Equal(t, http.StatusOK, a.Status, "%s: %s", name, a.Raw)
		require.Contains(t, string(a.Raw), `"403::handshake_denied"`, name)
		require.Contains(t, string(a.Raw), `"reconnect":"none"`, name)
		require.Contains(t, string(a.Raw), `"successful":false`, name)
		require.Contains(t, string(a.Raw), `"id":"7"`, name)
		require.NotContains(t, a.Header.Get("Set-Cookie"), "JSESSIONID", name)
	}
	for _, bad := range []string{"guess", token(map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()}), strings.Repeat("x", 20_000)} {
		a := g.send(t, http.MethodPost, notifications,
			`[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"],"ext":{"authentication":{"token":"`+bad+`"}}}]`)
		require.Equal(t, http.StatusOK, a.Status)
		require.Contains(t, string(a.Raw), `"403::handshake_denied"`)
	}
	s, _ := openSocket(t, served.url)
	require.NotNil(t, s, "a handshake may have a credential itself")
	reply := s.one(handshakeMessage())
	require.Equal(t, false, reply["successful"])
	require.Equal(t, "none", reply.reconnect())
	requireGWS(t, 400, 10, gwsAt(t, served.url, "POST", notifications, "[]", append(ann.headers(), "Authorization", "Bearer other")...), "two credentials")
}

// TestGuessesAtHandshakesAreThrottled: the token of a message is a guess as that of a header is.
func TestGuessesAtHandshakesAreThrottled(t *testing.T) {
	denied := map[string]int{}
	var last answer
	for n := range 80 {
		last = gwsFrom(t, "127.9.255.1", notifications, fmt.Sprintf(`[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"],"ext":{"authentication":{"token":"guess-%d"}}}]`, n))
		require.Equal(t, http.StatusOK, last.Status)
		switch {
		case strings.Contains(string(last.Raw), `"403::handshake_denied"`):
			denied["denied"]++
		case strings.Contains(string(last.Raw), `"429::`):
			denied["throttled"]++
		}
	}
	require.Equal(t, 80, denied["denied"]+denied["throttled"])
	require.Positive(t, denied["throttled"])
	throttled := 0
	for range 80 {
		a := gwsFrom(t, "127.9.255.1", notifications, `[]`, "X-API-Key", "guess")
		if a.Status == http.StatusTooManyRequests {
			throttled++
			requireGWS(t, 429, 4, a, "a guess in a header")
			require.NotEmpty(t, a.Header.Get("Retry-After"))
		}
	}
	require.Positive(t, throttled)
	good := gwsFrom(t, "127.9.255.1", notifications, `[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}]`, ann.headers()...)
	require.Contains(t, string(good.Raw), `"successful":true`, "a good credential is no guess")
}

// TestAKnownClientIdIsOfNoUse: it is a secret, but nobody else's requests reach the session.
func TestAKnownClientIdIsOfNoUse(t *testing.T) {
	own := newBayeux(t, served.url, ann.headers()...).handshake().subscribed("/v2/me/interactions")
	defer own.disconnect()
	others := map[string][]string{
		"another agent": bob.headers(), "a cookie of another agent": {"Cookie", newDesktop(t, bob.headers()...).cookie}, "an admin": theAdmin.headers(),
		"the platform": thePlatform.headers(), "another contact center": elsewhere.headers(), "nobody": nil, "another credential of ann": basic(userName, userPassword),
		"ann elsewhere": bearer(token(map[string]any{"contact_centers": "umbrella"})),
	}
	for name, headers := range others {
		b := newBayeux(t, served.url, headers...)
		b.id = own.id
		for _, m := range []message{
			{"channel": "/meta/connect", "connectionType": "long-polling", "clientId": own.id, "advice": message{"timeout": 0}},
			{"channel": "/meta/subscribe", "clientId": own.id, "subscription": "/v2/me/chats"},
			{"channel": "/meta/unsubscribe", "clientId": own.id, "subscription": "/v2/me/interactions"},
			{"channel": "/meta/disconnect", "clientId": own.id},
		} {
			reply := b.one(m)
			require.Equal(t, false, reply["successful"], "%s: %v", name, reply)
			require.Equal(t, "402::session_unknown", reply["error"], "%s: %v", name, reply)
		}
	}
	require.Equal(t, true, own.now()["successful"], "the session is as it was")
	byCookie := newBayeux(t, served.url, "Cookie", newDesktop(t, ann.headers()...).cookie)
	byCookie.id = own.id
	require.Equal(t, true, byCookie.now()["successful"], "the cookie of the same credential")
}

// TestATokenInTheHandshakeOpensTheSession: the client may go on with the cookie, or with the clientId alone.
func TestATokenInTheHandshakeOpensTheSession(t *testing.T) {
	b := newBayeux(t, served.url)
	m := handshakeMessage()
	m["ext"] = message{"ack": true, "authentication": message{"token": token(map[string]any{"sub": "ann"})}}
	body := `[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"],"ext":{"authentication":{"token":"` + token(nil) + `"}}}]`
	a, messages := b.post(body)
	require.Equal(t, true, messages[0]["successful"], "%s", a.Raw)
	require.NotContains(t, string(a.Raw), "authentication", "a token is never repeated")
	b.id = messages[0].text("clientId")
	b.subscribed("/v2/me/interactions")
	require.Equal(t, true, b.now()["successful"])
	session := cookieNamed(t, a, "JSESSIONID")
	requireGWS(t, 200, 0, gwsAt(t, served.url, "GET", "/api/v2/me", "", "Cookie", session), "the cookie is the agent's")
	require.NotEmpty(t, cookieNamed(t, a, "BAYEUX_BROWSER"))
	s, _ := openSocket(t, served.url)
	reply := s.one(m)
	require.Equal(t, true, reply["successful"], "%v", reply)
	s.id = reply.text("clientId")
	require.Equal(t, true, s.one(message{"channel": "/meta/subscribe", "clientId": s.id, "subscription": "/v2/me/calls"})["successful"])
	b.disconnect()
}

// TestTheContactCenterOfASession: the handshake names it if the credential has several.
func TestTheContactCenterOfASession(t *testing.T) {
	reply := newBayeux(t, served.url, anywhere.headers()...).one(handshakeMessage())
	require.Equal(t, false, reply["successful"])
	require.Equal(t, "400::contact-center-required", reply["error"])
	for _, name := range []string{"ContactCenterId", "Segue-Contact-Center"} {
		newBayeux(t, served.url, append(anywhere.headers(), name, "acme")...).handshake().disconnect()
	}
	a := gwsAt(t, served.url, "POST", notifications+"?contact_center=acme", `{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}`, anywhere.headers()...)
	require.Contains(t, string(a.Raw), `"successful":true`)
	reply = newBayeux(t, served.url, append(ann.headers(), "ContactCenterId", "umbrella")...).one(handshakeMessage())
	require.Equal(t, false, reply["successful"])
	require.Equal(t, "403::handshake_denied", reply["error"])
}

// TestAnAgentOfAnotherContactCenterHearsNothing: two agents of different contact centers may have one id.
func TestAnAgentOfAnotherContactCenterHearsNothing(t *testing.T) {
	here := newBayeux(t, served.url, ann.headers()...).handshake().subscribed("/**")
	there := newBayeux(t, served.url, bearer(token(map[string]any{"contact_centers": "umbrella"}))...).handshake().subscribed("/**")
	aside := newBayeux(t, served.url, bob.headers()...).handshake().subscribed("/**")
	defer here.disconnect()
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"gws-heard","channel":"chat","user_data":{"note":"`+secret+`"},"commands":[`+offered+`]}`)
	require.Eventually(t, func() bool {
		for _, m := range here.connect() {
			if strings.HasPrefix(m.text("channel"), "/v2/me/chats") {
				return true
			}
		}
		return false
	}, patience, pollEvery)
	for name, b := range map[string]*bayeux{"there": there, "aside": aside} {
		body := `[{"channel":"/meta/connect","connectionType":"long-polling","clientId":"` + b.id + `","advice":{"timeout":500}}]`
		a, messages := b.post(body)
		require.Len(t, messages, 1, "%s: %s", name, a.Raw)
		require.NotContains(t, string(a.Raw), secret)
		b.disconnect()
	}
}

// requireGone checks that a session does not exist: its client is advised to handshake again.
func requireGone(t *testing.T, reply message) {
	t.Helper()
	require.Equal(t, false, reply["successful"], "%v", reply)
	require.Equal(t, "402::session_unknown", reply["error"])
	require.Equal(t, "handshake", reply.reconnect())
}

// A held connect and a socket end soon after their credential, whatever ended it.
func TestSessionsEndWithTheirCredential(t *testing.T) {
	const within = time.Minute // as is promised
	eve := caller{name: "eve", role: "agent", centers: "acme"}
	with := strings.Replace(guarded(), "api_keys:\n", "api_keys:\n"+eve.entry(), 1)
	current := guarded()
	set := func(text string) {
		if text != current {
			reloaded(t, text)
			current = text
		}
	}
	set(with)
	expiring := func() []string {
		return bearer(token(map[string]any{"sub": "eve", "exp": time.Now().Add(8 * time.Second).Unix()}))
	}
	for name, row := range map[string]struct {
		headers []string
		end     func()
	}{
		"an expiring token":         {nil, nil},
		"a cookie of an expiring":   {nil, nil},
		"a removed key":             {eve.headers(), func() { set(guarded()) }},
		"a cookie of a removed key": {[]string{"Cookie", newDesktop(t, eve.headers()...).cookie}, func() { set(guarded()) }},
		"a key of another role": {eve.headers(), func() {
			set(strings.Replace(with, "role: agent, contact_centers: [\"acme\"], rate: 100000, agent: eve", "role: supervisor, contact_centers: [\"acme\"]", 1))
		}},
		"a key of another contact": {eve.headers(), func() {
			set(strings.Replace(with, eve.entry(), strings.Replace(eve.entry(), "acme", "umbrella", 1), 1))
		}},
		"a token in the handshake": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if row.end == nil {
				t.Parallel() // it waits until the token expires
				row.end = func() {}
			} else {
				set(with)
			}
			headers := row.headers
			if strings.Contains(name, "expiring token") {
				headers = expiring()
			}
			if strings.Contains(name, "a cookie of an expiring") {
				headers = []string{"Cookie", newDesktop(t, expiring()...).cookie}
			}
			b, hello := newBayeux(t, served.url, headers...), handshakeMessage()
			if headers == nil {
				hello["ext"] = message{"authentication": message{"token": strings.TrimPrefix(expiring()[1], "Bearer ")}}
			}
			reply := b.one(hello)
			require.Equal(t, true, reply["successful"], "%v", reply)
			b.id = reply.text("clientId")
			s, response := openSocket(t, served.url, headers...)
			require.NotNil(t, s, "%v", response)
			opened := s.one(hello)
			require.Equal(t, true, opened["successful"], "%v", opened)
			s.id = opened.text("clientId")
			require.Equal(t, true, b.now()["successful"])
			s.write(s.connectMessage())
			held := make(chan []message, 1)
			go func() {
				_, messages := b.post(`[{"channel":"/meta/connect","connectionType":"long-polling","clientId":"` + b.id + `"}]`)
				held <- messages
			}()
			begun := time.Now()
			row.end()
			select {
			case messages := <-held:
				require.NotEmpty(t, messages)
			case <-time.After(within):
				require.Fail(t, "the connect is held still")
			}
			// The socket is closed once its connect is answered: its credential was that of the upgrade. With a
			// credential in the handshake it may stay open for another.
			for messages, err := s.read(within); err == nil && time.Since(begun) < within; messages, err = s.read(within) {
				require.NotEmpty(t, messages)
				if headers == nil {
					break
				}
			}
			require.Less(t, time.Since(begun), within)
			requireGone(t, b.now())
			if headers != nil {
				again := b.one(handshakeMessage())
				if name != "a key of another role" && name != "a key of another contact" {
					require.Equal(t, "403::handshake_denied", again["error"], "%v", again)
				}
			}
		})
	}
	set(guarded())
}

// TestSessionsOfAUserAreBounded: ten of one user, and more once one has ended.
func TestSessionsOfAUserAreBounded(t *testing.T) {
	headers := bearer(token(map[string]any{"sub": "many"}))
	var open []*bayeux
	for range 10 {
		open = append(open, newBayeux(t, served.url, headers...).handshake())
	}
	refused := newBayeux(t, served.url, headers...).one(handshakeMessage())
	require.Equal(t, false, refused["successful"])
	require.Equal(t, "429::too_many_sessions", refused["error"])
	require.Equal(t, "handshake", refused.reconnect())
	require.EqualValues(t, 10_000, refused["advice"].(map[string]any)["interval"])
	newBayeux(t, served.url, bearer(token(map[string]any{"sub": "few"}))...).handshake().disconnect()
	open[0].disconnect()
	open[0] = newBayeux(t, served.url, headers...).handshake()
	for _, b := range open {
		b.disconnect()
	}
}

// TestSessionCookiesCountOnEveryReplica: replicas share their session keys, and a session of CometD is in one.
func TestSessionCookiesCountOnEveryReplica(t *testing.T) {
	t.Setenv("SEGUE_TEST_SESSION_KEY", "a session key of the tests with 32 bytes or more")
	shared := guarded() + "  session_keys: [env:SEGUE_TEST_SESSION_KEY]\n"
	one, other := serveAlso(t, shared), serveAlso(t, shared)
	own := newDesktopAt(t, one, ann.headers()...)
	cookie := []string{"Cookie", own.cookie}
	requireGWS(t, 200, 0, gwsAt(t, other, "GET", "/api/v2/me", "", cookie...), "the other replica")
	requireGWS(t, 404, 6, gwsAt(t, other, "POST", "/api/v2/me/calls/none", `{"operationName":"Answer"}`, append(cookie, "X-CSRF-TOKEN", own.csrf)...), "its token counts, too")
	requireGWS(t, 403, 3, gwsAt(t, other, "POST", "/api/v2/me/calls/none", `{"operationName":"Answer"}`, append(cookie, "X-CSRF-TOKEN", "forged")...), "forged")
	requireGWS(t, 401, 20, gwsAt(t, served.url, "GET", "/api/v2/me", "", cookie...), "a gateway with other session keys")
	b := newBayeux(t, one, cookie...).handshake()
	moved := newBayeux(t, other, cookie...)
	moved.id = b.id
	reply := moved.now()
	require.Equal(t, "402::session_unknown", reply["error"], "the session is the first replica's")
	require.Equal(t, "handshake", reply.reconnect())
	moved.handshake().disconnect()
	b.disconnect()
}

// TestAnAgentOfAnOpenGatewayHasSessions: without gateway.auth, HTTP basic names the agent. Sockets of
// browsers, which have no such header, have the cookie.
func TestAnAgentOfAnOpenGatewayHasSessions(t *testing.T) {
	open := serveOpen(t)
	for _, name := range []string{"acme/ann", "ann"} {
		b := newBayeux(t, open, basic(name, "any")...)
		a, messages := b.post(`[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling","websocket"]}]`)
		require.Equal(t, true, messages[0]["successful"], "%s", a.Raw)
		b.id = messages[0].text("clientId")
		b.subscribed("/v2/me/interactions")
		cookie := cookieNamed(t, a, "JSESSIONID")
		s, response := openSocket(t, open, "Cookie", cookie, "Origin", open)
		require.NotNil(t, s, "%v", response)
		s.handshake()
		require.Equal(t, true, s.one(message{"channel": "/meta/subscribe", "clientId": s.id, "subscription": "/v2/me/interactions"})["successful"])
		require.Equal(t, "ann", gwsAt(t, open, "GET", "/api/v2/me", "", "Cookie", cookie).Body["user"].(map[string]any)["id"])
		foreign, refused := openSocket(t, open, "Cookie", cookie, "Origin", "https://evil.example")
		require.Nil(t, foreign)
		require.Equal(t, http.StatusForbidden, refused.StatusCode)
		b.disconnect()
	}
	// Without a name the client is the platform, which has no topics.
	b := newBayeux(t, open).handshake()
	require.Equal(t, false, b.subscribe("/v2/me/interactions")["successful"])
	for _, headers := range [][]string{{"Origin", "https://evil.example"}, {"Host", "evil.example"}} {
		requireGWS(t, 403, 3, gwsAt(t, open, "POST", notifications, `[]`, headers...), headers[1])
	}
}
