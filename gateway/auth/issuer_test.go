package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"segue/gateway/auth"
)

func (f *fixture) status(token string) int {
	return f.send(auth.Platform(), request("GET", "/v1/interactions", bearer(token)...)).StatusCode
}

func TestARotatedKeyCountsAtOnce(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	before := issuer.token(nil)
	require.Equal(t, 200, f.status(before))
	issuer.rotate("second")
	f.clock.add(6 * time.Second)
	require.Equal(t, 200, f.status(issuer.token(nil)))
	require.Equal(t, 401, f.status(before), "a key that the issuer took away no longer counts once the keys were fetched")
}

func TestAKeyThatTheIssuerTookAwayIsForgotten(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	before := issuer.token(nil)
	issuer.rotate("second")
	f.clock.add(11 * time.Minute)
	require.Eventually(t, func() bool { return f.status(before) == 401 }, time.Minute, 5*time.Millisecond)
}

func TestAStormOfUnknownKeysDoesNotReachTheIssuer(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	tokens := make([]string, 50)
	for n := range tokens {
		tokens[n] = sign(t, jose.RS256, jose.JSONWebKey{Key: stranger, KeyID: fmt.Sprint("storm-", n)}, issuer.claims(nil), nil)
	}
	good := issuer.token(nil)
	before := issuer.asked.Load()
	storm := func() {
		var all sync.WaitGroup
		for _, token := range tokens {
			all.Go(func() { _ = f.status(token) })
		}
		all.Wait()
		require.Equal(t, 200, f.status(good), "good tokens pass during the storm")
	}
	storm()
	require.Equal(t, before, issuer.asked.Load(), "the keys have just been fetched")
	for n := range 3 {
		f.clock.add(6 * time.Second)
		storm()
		storm()
		require.LessOrEqual(t, issuer.asked.Load(), before+int64(n)+1)
	}
	require.Equal(t, before+3, issuer.asked.Load())
}

func TestTokensOfStrangersDoNotReachTheIssuer(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	f.clock.add(time.Minute)
	before := issuer.seen.Load()
	require.Equal(t, 401, f.status(issuer.token(map[string]any{"iss": "https://evil.example"})))
	require.Equal(t, 401, f.status(sign(t, jose.HS256, []byte("a secret of thirty-two bytes or so"), issuer.claims(nil), nil)))
	require.Equal(t, before, issuer.seen.Load())
}

func TestAnIssuerThatIsAwayAtTheStart(t *testing.T) {
	issuer := newIDP(t)
	issuer.down.Store(true)
	f := newFixture(t, configured(issuer.config()))
	token := issuer.token(nil)
	got := f.send(auth.Platform(), request("GET", "/v1/interactions", bearer(token)...))
	require.Equal(t, 503, got.StatusCode)
	require.Equal(t, "5", got.Header.Get("Retry-After"))
	require.Len(t, f.Health(), 1)
	require.Equal(t, 200, f.status(adminKey), "other credentials count meanwhile")
	issuer.down.Store(false)
	f.ready()
	require.Equal(t, 200, f.status(token))
}

func TestAnIssuerThatIsAwayLater(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	token := issuer.token(map[string]any{"exp": start.Add(24 * time.Hour).Unix()})
	issuer.down.Store(true)
	for range 5 {
		f.clock.add(time.Hour)
		require.Equal(t, 200, f.status(token), "the keys known before still count")
	}
}

// TestAnIssuerWhoseKeysAreNotSafe waits until the issuer was asked twice, and still has no key.
func TestAnIssuerWhoseKeysAreNotSafe(t *testing.T) {
	for name, url := range map[string]func(i *idp) string{
		"without TLS":             func(*idp) string { return "http://keys.example/keys" },
		"redirected out of TLS":   func(i *idp) string { return i.server.URL + "/away" },
		"more than can be stored": func(i *idp) string { return i.server.URL + "/huge" },
	} {
		t.Run(name, func(t *testing.T) {
			issuer := newIDP(t)
			issuer.keysURL = url(issuer)
			var log lines
			f := newFixture(t, configured(issuer.config()), func(o *auth.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			require.Eventually(t, func() bool { return strings.Contains(log.text(), "An issuer of tokens does not answer") }, time.Minute, 5*time.Millisecond)
			require.Equal(t, 503, f.status(issuer.token(nil)))
			want := map[string]string{"without TLS": "must begin with https", "redirected out of TLS": "away from https", "more than can be stored": "EOF"}[name]
			require.Contains(t, log.text(), want)
		})
	}
}

// lines keeps what is logged.
type lines struct {
	mutex sync.Mutex
	all   strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.all.Write(p)
}

func (l *lines) text() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.all.String()
}

func TestAKeyForEncryptionSignsNothing(t *testing.T) {
	issuer := newIDP(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	other := jose.JSONWebKey{Key: key, KeyID: "for-encryption", Algorithm: "RS256", Use: "enc"}
	issuer.mutex.Lock()
	issuer.keys = append(issuer.keys, other)
	issuer.mutex.Unlock()
	f := newFixture(t, configured(issuer.config())).ready()
	require.Equal(t, 200, f.status(issuer.token(nil)))
	require.Equal(t, 401, f.status(sign(t, jose.RS256, other, issuer.claims(nil), nil)))
}

func TestNoCredentialIsLogged(t *testing.T) {
	issuer := newIDP(t)
	var log lines
	f := newFixture(t, configured(issuer.config()), func(o *auth.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}).ready()
	expired := issuer.token(map[string]any{"exp": start.Add(-time.Hour).Unix()})
	require.Equal(t, 401, f.status(expired))
	require.Equal(t, 401, f.status("secret-guess"))
	require.Equal(t, 401, f.send(auth.GWS(), request("GET", "/", basic("bob", "secret-guess")...)).StatusCode)
	require.Contains(t, log.text(), "class=token-expired")
	for _, secret := range []string{expired, "secret-guess", "bob", "ann"} {
		require.NotContains(t, log.text(), secret)
	}
}

func TestAReloadKeepsTheKeysOfAnIssuer(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	before := issuer.seen.Load()
	next := configured(issuer.config())
	next.Auth.Users = nil
	require.NoError(t, f.Update(next))
	require.Equal(t, 200, f.status(issuer.token(nil)))
	require.Equal(t, before, issuer.seen.Load())
}

func TestAnIssuerGrantsNoMoreThanItMay(t *testing.T) {
	issuer := newIDP(t)
	limited := func(centers ...string) *fixture {
		c := issuer.config()
		c.ContactCenters = centers
		return newFixture(t, configured(c)).ready()
	}
	centers := func(f *fixture, claim any) ([]string, bool) {
		got := f.send(auth.Platform(), request("GET", "/v1/interactions", bearer(issuer.token(map[string]any{"contact_centers": claim}))...))
		if got.caller == nil {
			require.Equal(t, 401, got.StatusCode)
			return nil, false
		}
		return got.caller.ContactCenters, got.caller.All
	}
	rows := []struct {
		limit []string
		claim any
		want  []string
		all   bool
	}{
		{limit: nil, claim: []string{"acme", "globex"}, want: []string{"acme", "globex"}},
		{limit: nil, claim: "*"},
		{limit: []string{"acme"}, claim: []string{"acme", "globex"}, want: []string{"acme"}},
		{limit: []string{"acme"}, claim: "globex"},
		{limit: []string{"acme"}, claim: "*"},
		{limit: []string{"acme"}, claim: []string{}},
		{limit: []string{"acme"}, claim: 7},
		{limit: []string{"acme"}, claim: nil, want: []string{"acme"}},
		{limit: []string{"*"}, claim: nil, all: true},
		{limit: []string{"*"}, claim: "*", all: true},
		{limit: []string{"*"}, claim: "globex", want: []string{"globex"}},
	}
	for _, row := range rows {
		got, all := centers(limited(row.limit...), row.claim)
		require.Equal(t, row.want, got, "%v %v", row.limit, row.claim)
		require.Equal(t, row.all, all, "%v %v", row.limit, row.claim)
	}
}

func TestClaimsMayBeNestedOrHaveDotsInTheirName(t *testing.T) {
	issuer := newIDP(t)
	c := issuer.config()
	c.RoleClaim, c.ContactCentersClaim, c.AgentClaim = "realm_access.roles", "https://segue.example/centers", "agent.id"
	c.Algorithms = []string{"RS256", "ES256"}
	f := newFixture(t, configured(c)).ready()
	claims := issuer.claims(map[string]any{"role": nil, "contact_centers": nil, "realm_access": map[string]any{"roles": []string{"agent"}},
		"https://segue.example/centers": []string{"acme"}, "agent": map[string]any{"id": "a-1"}})
	got := f.send(auth.Platform(), request("GET", "/v1/interactions", bearer(sign(t, jose.RS256, issuer.key(), claims, nil))...))
	require.Equal(t, 200, got.StatusCode)
	require.Equal(t, "a-1", got.caller.Agent)
	curve := issuer.addEC("curve")
	f.clock.add(6 * time.Second)
	require.Equal(t, 200, f.status(sign(t, jose.ES256, curve, claims, nil)))
}
