package gateway_test

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/e2e/stack"
)

// secret is what no answer to a stranger may have.
const secret = "the-secret-of-acme"

// guesser sends requests from many addresses, because a gateway throttles who guesses.
type guesser struct {
	sent atomic.Int64
	http *http.Client
}

func newGuesser(t *testing.T) *guesser {
	g := &guesser{}
	g.http = &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			n := g.sent.Add(1) / 10
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 9, byte(n/250), byte(1+n%250))}}
			return dialer.DialContext(ctx, network, address)
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(g.http.CloseIdleConnections)
	return g
}

// send sends a request. It may be called by any goroutine.
func (g *guesser) send(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a, err := stack.Send(ctx, g.http, method, served.url+path, body, append([]string{"Content-Type", "application/json"}, headers...)...)
	assert.NoError(t, err, "a refused stream ends")
	return a
}

// badCredentials are headers that authenticate nobody.
func badCredentials(t *testing.T) map[string][]string {
	t.Helper()
	key, stranger := issuer.key(), keyOf("stranger")
	stranger.KeyID = key.KeyID
	private := key.Key.(*rsa.PrivateKey)
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	require.NoError(t, err)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	good := sign(jose.RS256, key, issuer.claims(nil), nil)
	parts := strings.Split(good, ".")
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	claimed := func(changed map[string]any) []string {
		return bearer(sign(jose.RS256, key, issuer.claims(changed), nil))
	}
	other := keyOf("unknown")
	return map[string][]string{
		"none":                    nil,
		"malformed":               bearer("a.b.c"),
		"unknown key":             {"X-API-Key", "guess"},
		"empty key":               {"X-API-Key", ""},
		"unknown scheme":          {"Authorization", "Digest x"},
		"Basic of a stranger":     {"Authorization", "Basic YW5uOnNlY3JldA=="},
		"alg none":                bearer(part(map[string]any{"alg": "none"}) + "." + parts[1] + "."),
		"alg None":                bearer(part(map[string]any{"alg": "None", "kid": "first"}) + "." + parts[1] + "." + parts[2]),
		"HS256 by the public key": bearer(sign(jose.HS256, public, issuer.claims(nil), nil)),
		"HS256 by the DER":        bearer(sign(jose.HS256, der, issuer.claims(nil), nil)),
		"no signature":            bearer(parts[0] + "." + parts[1] + "."),
		"changed claims":          bearer(parts[0] + "." + part(issuer.claims(map[string]any{"role": "platform"})) + "." + parts[2]),
		"a stranger's key":        bearer(sign(jose.RS256, stranger, issuer.claims(nil), nil)),
		"unknown kid":             bearer(sign(jose.RS256, other, issuer.claims(nil), nil)),
		"jku":                     bearer(sign(jose.RS256, stranger, issuer.claims(nil), map[jose.HeaderKey]any{"jku": "http://127.0.0.1:1/keys"})),
		"x5u":                     bearer(sign(jose.RS256, stranger, issuer.claims(nil), map[jose.HeaderKey]any{"x5u": "http://127.0.0.1:1/chain"})),
		"crit":                    bearer(sign(jose.RS256, key, issuer.claims(nil), map[jose.HeaderKey]any{"crit": []string{"x"}, "x": 1})),
		"expired":                 claimed(map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()}),
		"without exp":             claimed(map[string]any{"exp": nil}),
		"not yet":                 claimed(map[string]any{"nbf": time.Now().Add(2 * time.Minute).Unix()}),
		"wrong audience":          claimed(map[string]any{"aud": "other"}),
		"wrong issuer":            claimed(map[string]any{"iss": "https://evil.example"}),
		"unknown role":            claimed(map[string]any{"role": "root"}),
		"without contact centers": claimed(map[string]any{"contact_centers": []string{}}),
		"foreign contact centers": claimed(map[string]any{"contact_centers": "initech"}),
		"all contact centers":     claimed(map[string]any{"contact_centers": "*"}),
		"an agent that is no id":  claimed(map[string]any{"sub": "ann/../bob"}),
		"a forged cookie":         {"Cookie", "segue_session=forged"},
		"an empty cookie":         {"Cookie", "segue_session="},
		"a cookie of GWS":         {"Cookie", "JSESSIONID=forged"},
		"a key in the query only": nil,
	}
}

// TestBadCredentialsGetInNowhere sends every bad credential to every operation of the document. Each is
// refused in the same shape, whatever is wrong with it.
func TestBadCredentialsGetInNowhere(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"guarded","channel":"inbound","user_data":{"note":"`+secret+`"}}`)
	g := newGuesser(t)
	shape := string(g.send(t, http.MethodGet, "/v1/interactions", "").Raw)
	require.Contains(t, shape, `"urn:segue:unauthenticated"`)
	all := operations(t)
	var asking sync.WaitGroup
	defer asking.Wait()
	for name, headers := range badCredentials(t) {
		asking.Go(func() {
			for _, o := range all {
				path := o.at("guarded")
				if strings.Contains(name, "query") {
					path += "?api_key=" + thePlatform.key() + "&access_token=" + thePlatform.key()
				}
				a := g.send(t, o.method, path, o.body, headers...)
				about := fmt.Sprintf("%s: %s %s: %s", name, o.method, o.path, a.Raw)
				assert.Equal(t, http.StatusUnauthorized, a.Status, about)
				assert.Equal(t, shape, string(a.Raw), about)
				assert.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), about)
				assert.Equal(t, `Bearer realm="segue"`, a.Header.Get("WWW-Authenticate"), about)
				assert.NotEmpty(t, a.Header.Get("Segue-Request-Id"), about)
				assert.Empty(t, a.Header.Get("Set-Cookie"), about)
			}
		})
	}
}

// TestAnotherContactCenterGetsNothing sends every operation with a good credential of another contact
// center, naming ours in every place that an operation has.
func TestAnotherContactCenterGetsNothing(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"coveted","channel":"inbound","user_data":{"note":"`+secret+`"}}`)
	for _, o := range operations(t) {
		if strings.HasPrefix(o.path, "/session") || o.path == "/openapi.json" {
			continue // of no contact center
		}
		for _, path := range []string{o.at("coveted") + "?contact_center=acme", o.at("coveted")} {
			headers := []string{"Segue-Contact-Center", "acme"}
			if strings.Contains(path, "?") {
				headers = nil
			}
			a, err := elsewhere.send(o.method, path, o.body, headers...)
			require.NoError(t, err)
			require.Contains(t, []int{http.StatusForbidden, http.StatusNotFound}, a.Status, "%s %s: %s", o.method, path, a.Raw)
			require.Equal(t, strings.Contains(o.path, "{id}"), a.Status == http.StatusNotFound, "%s %s: an object is not found, a list not permitted", o.method, path)
			require.NotContains(t, string(a.Raw), secret)
		}
	}
	state := thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/coveted", "")
	require.Equal(t, "started", state.Body["state"])
	require.EqualValues(t, 1, state.Body["revision"], "nothing has changed it")
}

// A storm of tokens with unknown keys must not become a storm on the issuer.
func TestUnknownKeysAskTheIssuerSeldom(t *testing.T) {
	g := newGuesser(t)
	before, begun := issuer.asked.Load(), time.Now()
	var asking sync.WaitGroup
	signer := keyOf("storm")
	for worker := range 8 {
		asking.Go(func() {
			for n := range 25 {
				signer := signer
				signer.KeyID = fmt.Sprintf("storm-%d-%d", worker, n)
				a := g.send(t, http.MethodGet, "/v1/interactions", "", "Authorization", "Bearer "+sign(jose.RS256, signer, issuer.claims(nil), nil))
				assert.Equal(t, http.StatusUnauthorized, a.Status)
			}
		})
	}
	asking.Wait()
	require.LessOrEqual(t, issuer.asked.Load()-before, 2+int64(time.Since(begun)/(5*time.Second)), "at most once each five seconds")
}

func TestARotatedKeyCountsNoMore(t *testing.T) {
	old := issuer.key()
	t.Cleanup(func() { issuer.rotate(old) })
	token := func(key jose.JSONWebKey) caller {
		return caller{name: "ann", token: sign(jose.RS256, key, issuer.claims(nil), nil)}
	}
	token(old).must(t, http.StatusOK, http.MethodGet, "/v1/interactions", "")
	next := keyOf("second")
	issuer.rotate(next)
	require.Eventually(t, func() bool {
		a, err := token(next).send(http.MethodGet, "/v1/interactions", "")
		return err == nil && a.Status == http.StatusOK
	}, patience, 500*time.Millisecond, "the gateway asks for an unknown key")
	token(old).must(t, http.StatusUnauthorized, http.MethodGet, "/v1/interactions", "")
	issuer.rotate(old)
	require.Eventually(t, func() bool {
		a, err := token(old).send(http.MethodGet, "/v1/interactions", "")
		return err == nil && a.Status == http.StatusOK
	}, patience, 500*time.Millisecond)
}

// reloaded replaces the configuration of the gateway.
func reloaded(t *testing.T, text string) {
	t.Helper()
	before := served.store.Current()
	require.NoError(t, os.WriteFile(served.file, []byte(text), 0o600))
	select {
	case served.reload <- os.Interrupt:
	default:
	}
	require.Eventually(t, func() bool { return served.store.Current() != before }, patience, pollEvery)
}
