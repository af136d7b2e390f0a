package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"segue/gateway/auth"
	"segue/interaction"
)

func segment(t *testing.T, value any) string {
	t.Helper()
	content, err := json.Marshal(value)
	require.NoError(t, err)
	return base64.RawURLEncoding.EncodeToString(content)
}

// TestCredentialsThatDoNotCount sends every kind of bad credential. All that are a guess have the same
// answer, and only the log and the metrics know the class.
func TestCredentialsThatDoNotCount(t *testing.T) {
	issuer := newIDP(t)
	elliptic := issuer.addEC("curve")
	f := newFixture(t, configured(issuer.config())).ready()
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	good := issuer.token(nil)
	parts := strings.Split(good, ".")
	private, ok := issuer.key().Key.(*rsa.PrivateKey)
	require.True(t, ok)
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	require.NoError(t, err)
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	signed := func(key any, changed map[string]any, headers map[jose.HeaderKey]any) []string {
		return bearer(sign(t, jose.RS256, key, issuer.claims(changed), headers))
	}
	strangerKey := jose.JSONWebKey{Key: stranger, KeyID: "first"}
	rows := []struct {
		name    string
		headers []string
		status  int
		class   string
	}{
		{"none", nil, 401, "none"},
		{"empty bearer", []string{"Authorization", "Bearer "}, 401, "token-form"},
		{"no scheme", []string{"Authorization", adminKey}, 401, "scheme"},
		{"other scheme", []string{"Authorization", "Digest " + adminKey}, 401, "scheme"},
		{"unknown key", bearer("guess"), 401, "key-unknown"},
		{"prefix of a key", bearer(adminKey[:8]), 401, "key-unknown"},
		{"hash of a key", bearer(hashed(adminKey)), 401, "key-unknown"},
		{"empty X-API-Key", []string{"X-API-Key", ""}, 401, "token-form"},
		{"huge key", bearer(strings.Repeat("k", 600)), 401, "token-size"},
		{"huge token", bearer("a." + strings.Repeat("b", 17<<10) + ".c"), 401, "token-size"},
		{"key with a control character", bearer(adminKey + "\x01"), 401, "token-form"},
		{"two Authorization headers", append(bearer(adminKey), bearer(adminKey)...), 400, "repeated"},
		{"two X-API-Key headers", []string{"X-API-Key", adminKey, "X-API-Key", agentKey}, 400, "repeated"},
		{"key and other key", append(bearer(adminKey), "X-API-Key", agentKey), 400, "contradicting"},
		{"token and key", append(bearer(good), "X-API-Key", adminKey), 400, "contradicting"},
		{"password and key", append(basic("bob", "open sesame"), "X-API-Key", adminKey), 400, "contradicting"},
		{"not base64", []string{"Authorization", "Basic ???"}, 401, "basic-form"},
		{"no colon", []string{"Authorization", "Basic Ym9i"}, 401, "basic-form"},
		{"unknown user", basic("eve", "open sesame"), 401, "password"},
		{"wrong password", basic("bob", "guess"), 401, "password"},
		{"wrong bcrypted password", basic("sue", "guess"), 401, "password"},
		{"the bcrypt hash itself", basic("sue", passwordHash), 401, "password"},
		{"password over what bcrypt reads", basic("sue", "bcrypted"+strings.Repeat("x", 100)), 401, "password"},
		{"unknown user with a known password", basic("eve", "bcrypted"), 401, "password"},
		{"password that begins with what bcrypt reads", basic("long", longPassword+"x"), 401, "password"},
		{"huge password", basic("bob", strings.Repeat("x", 2000)), 401, "basic-size"},
		{"three dots of nothing", bearer(".."), 401, "token-form"},
		{"alg none", bearer(segment(t, map[string]any{"alg": "none"}) + "." + parts[1] + "."), 401, "token-algorithm"},
		{"alg None", bearer(segment(t, map[string]any{"alg": "None", "kid": "first"}) + "." + parts[1] + "." + parts[2]), 401, "token-algorithm"},
		{"alg empty", bearer(segment(t, map[string]any{}) + "." + parts[1] + "." + parts[2]), 401, "token-algorithm"},
		{"HS256 with the public key in PEM", bearer(sign(t, jose.HS256, publicPEM, issuer.claims(nil), nil)), 401, "token-algorithm"},
		{"HS256 with the public key in DER", bearer(sign(t, jose.HS256, der, issuer.claims(nil), nil)), 401, "token-algorithm"},
		{"algorithm that is not configured", bearer(sign(t, jose.ES256, elliptic, issuer.claims(nil), nil)), 401, "token-algorithm"},
		{"other RSA algorithm", bearer(sign(t, jose.PS256, jose.JSONWebKey{Key: private, KeyID: "first"}, issuer.claims(nil), nil)), 401, "token-algorithm"},
		{"key of a stranger", signed(strangerKey, nil, nil), 401, "token-unverified"},
		{"unknown kid", signed(jose.JSONWebKey{Key: stranger, KeyID: "other"}, nil, nil), 401, "token-unverified"},
		{"kid with a path", signed(jose.JSONWebKey{Key: stranger, KeyID: "../../dev/null"}, nil, nil), 401, "token-unverified"},
		{"jku of a stranger", signed(strangerKey, nil, map[jose.HeaderKey]any{"jku": "https://evil.example/keys"}), 401, "token-unverified"},
		{"x5u of a stranger", signed(strangerKey, nil, map[jose.HeaderKey]any{"x5u": "https://evil.example/chain"}), 401, "token-unverified"},
		{"own jwk", bearer(withOwnKey(t, stranger, issuer.claims(nil))), 401, "token-unverified"},
		{"crit", signed(issuer.key(), nil, map[jose.HeaderKey]any{"crit": []string{"b64"}, "b64": true}), 401, "token-crit"},
		{"changed claims", bearer(parts[0] + "." + segment(t, issuer.claims(map[string]any{"role": "admin"})) + "." + parts[2]), 401, "token-unverified"},
		{"no signature", bearer(parts[0] + "." + parts[1] + "."), 401, "token-unverified"},
		{"expired", bearer(issuer.token(map[string]any{"exp": start.Add(-61 * time.Second).Unix()})), 401, "token-expired"},
		{"without exp", bearer(issuer.token(map[string]any{"exp": nil})), 401, "token-without-exp"},
		{"exp as text", bearer(issuer.token(map[string]any{"exp": "never"})), 401, "token-unverified"},
		{"not yet", bearer(issuer.token(map[string]any{"nbf": start.Add(62 * time.Second).Unix()})), 401, "token-early"},
		{"wrong audience", bearer(issuer.token(map[string]any{"aud": "other"})), 401, "token-unverified"},
		{"without audience", bearer(issuer.token(map[string]any{"aud": nil})), 401, "token-unverified"},
		{"wrong issuer", bearer(issuer.token(map[string]any{"iss": "https://evil.example"})), 401, "token-issuer"},
		{"issuer with a slash more", bearer(issuer.token(map[string]any{"iss": issuer.server.URL + "/"})), 401, "token-issuer"},
		{"without issuer", bearer(issuer.token(map[string]any{"iss": nil})), 401, "token-issuer"},
		{"unknown role", bearer(issuer.token(map[string]any{"role": "root"})), 401, "token-role"},
		{"role in other letters", bearer(issuer.token(map[string]any{"role": "ADMIN"})), 401, "token-role"},
		{"without role", bearer(issuer.token(map[string]any{"role": nil})), 401, "token-role"},
		{"agent outside the alphabet", bearer(issuer.token(map[string]any{"sub": "ann/../bob"})), 401, "token-agent"},
		{"without contact center", bearer(issuer.token(map[string]any{"contact_centers": nil})), 401, "token-contact-centers"},
		{"all contact centers by claim", bearer(issuer.token(map[string]any{"contact_centers": "*"})), 401, "token-contact-centers"},
		{"no cookie of ours", []string{"Cookie", "JSESSIONID=guess"}, 401, "cookie-foreign"},
	}
	shape := f.send(auth.GWS(), request("GET", "/api/v2/me")).body
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := f.send(auth.GWS(), request("GET", "/api/v2/me", row.headers...))
			require.Equal(t, row.status, got.StatusCode)
			require.Nil(t, got.caller, "the handler must not be reached")
			require.Equal(t, row.class, f.lastClass())
			require.Empty(t, got.Cookies())
			if row.status == http.StatusUnauthorized {
				require.Equal(t, shape, got.body, "a 401 must not say which check failed")
				require.Equal(t, `Bearer realm="segue"`, got.Header.Get("WWW-Authenticate"))
			}
		})
	}
}

// withOwnKey signs with a key that the token itself brings in its header jwk.
func withOwnKey(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, &jose.SignerOptions{EmbedJWK: true})
	require.NoError(t, err)
	content, err := json.Marshal(claims)
	require.NoError(t, err)
	signed, err := signer.Sign(content)
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)
	return token
}

func TestCredentialsThatCount(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	rows := []struct {
		name    string
		headers []string
		want    auth.Caller
	}{
		{"key", bearer(adminKey), auth.Caller{Name: "key:admin", User: "admin", Role: interaction.RoleAdmin, ContactCenters: []string{"acme", "globex"}, Rate: 50}},
		{"key as X-API-Key", []string{"X-API-Key", agentKey}, auth.Caller{Name: "key:agent", User: "ann", Agent: "ann", Role: interaction.RoleAgent, ContactCenters: []string{"acme"}, Rate: 200}},
		{"key twice the same", append(bearer(agentKey), "X-API-Key", agentKey), auth.Caller{Name: "key:agent", User: "ann", Agent: "ann", Role: interaction.RoleAgent, ContactCenters: []string{"acme"}, Rate: 200}},
		{"scheme in other letters", []string{"Authorization", "bEARER " + shortKey}, auth.Caller{Name: "key:short", User: "short", Role: interaction.RolePlatform, All: true, Rate: 200}},
		{"password", basic("bob", "open sesame"), auth.Caller{Name: "user:bob", User: "bob", Agent: "bob", Role: interaction.RoleAgent, ContactCenters: []string{"acme"}, Rate: 200}},
		{"bcrypted password", basic("sue", "bcrypted"), auth.Caller{Name: "user:sue", User: "sue", Role: interaction.RoleSupervisor, ContactCenters: []string{"acme"}, Rate: 200}},
		{"token", bearer(issuer.token(nil)), auth.Caller{User: "ann", Agent: "ann", Role: interaction.RoleAgent, ContactCenters: []string{"acme"}, Rate: 200}},
		{"token with lists", bearer(issuer.token(map[string]any{"aud": []string{"x", "segue"}, "role": []string{"offline", "agent", "supervisor"}, "contact_centers": []string{"acme", "globex"}})),
			auth.Caller{User: "ann", Role: interaction.RoleSupervisor, ContactCenters: []string{"acme", "globex"}, Rate: 200}},
		{"token that expired within the leeway", bearer(issuer.token(map[string]any{"exp": start.Add(-59 * time.Second).Unix()})),
			auth.Caller{User: "ann", Agent: "ann", Role: interaction.RoleAgent, ContactCenters: []string{"acme"}, Rate: 200}},
		{"token that begins within the leeway", bearer(issuer.token(map[string]any{"nbf": start.Add(59 * time.Second).Unix()})),
			auth.Caller{User: "ann", Agent: "ann", Role: interaction.RoleAgent, ContactCenters: []string{"acme"}, Rate: 200}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := f.send(auth.GWS(), request("GET", "/api/v2/me", row.headers...))
			require.Equal(t, 200, got.StatusCode)
			c := got.caller
			if row.want.Name == "" {
				require.Regexp(t, `^jwt:[0-9a-f]{24}$`, c.Name)
				row.want.Name = c.Name
			}
			require.Equal(t, row.want, auth.Caller{Name: c.Name, User: c.User, Role: c.Role, Agent: c.Agent, ContactCenters: c.ContactCenters, All: c.All, Rate: c.Rate})
		})
	}
}

func TestAKeyEndsWhenItExpires(t *testing.T) {
	f := newFixture(t, configured())
	f.clock.add(time.Hour - time.Second)
	require.Equal(t, 200, f.send(auth.Platform(), request("GET", "/v1/interactions", bearer(shortKey)...)).StatusCode)
	f.clock.add(time.Second)
	require.Equal(t, 401, f.send(auth.Platform(), request("GET", "/v1/interactions", bearer(shortKey)...)).StatusCode)
}

func TestAPasswordOnlyOpensASessionOfThePlatformAPI(t *testing.T) {
	f := newFixture(t, configured())
	require.Equal(t, 401, f.send(auth.Platform(), request("GET", "/v1/interactions", basic("bob", "open sesame")...)).StatusCode)
	require.Equal(t, 200, f.send(auth.Platform(), request("POST", "/v1/session", basic("bob", "open sesame")...)).StatusCode)
}

func TestAPasswordIsReadAgainAfterItsRotation(t *testing.T) {
	f := newFixture(t, configured())
	send := func(password string) int {
		return f.send(auth.GWS(), request("GET", "/api/v2/me", basic("bob", password)...)).StatusCode
	}
	require.Equal(t, 200, send("open sesame"))
	f.secrets.set("env:PASSWORD", "rotated")
	f.clock.add(11 * time.Second)
	require.Equal(t, 401, send("open sesame"), "a password that was verified before must not outlive its rotation")
	require.Equal(t, 200, send("rotated"))
}

func TestAReloadReplacesCredentials(t *testing.T) {
	f := newFixture(t, configured())
	next := configured()
	next.Auth.APIKeys = next.Auth.APIKeys[1:]
	require.NoError(t, f.Update(next))
	require.Equal(t, 401, f.send(auth.Platform(), request("GET", "/v1/interactions", bearer(adminKey)...)).StatusCode)
	require.Equal(t, 200, f.send(auth.Platform(), request("GET", "/v1/interactions", bearer(agentKey)...)).StatusCode)
	next.Auth.APIKeys[0].SHA256 = "nonsense"
	require.Error(t, f.Update(next))
	require.Equal(t, 200, f.send(auth.Platform(), request("GET", "/v1/interactions", bearer(agentKey)...)).StatusCode, "a refused reload must change nothing")
}
