package auth_test

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/delivery"
)

// idp is an issuer of tokens with discovery and keys, over TLS.
type idp struct {
	t      *testing.T
	server *httptest.Server
	ca     string
	asked  atomic.Int64 // requests for keys
	seen   atomic.Int64 // all requests
	down   atomic.Bool

	mutex sync.Mutex
	keys  []jose.JSONWebKey
	// keysURL replaces where discovery says the keys are.
	keysURL string
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	i := &idp{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.server.URL, "jwks_uri": cmp.Or(i.keysURL, i.server.URL+"/keys"),
			// What the issuer announces must not widen what the configuration accepts.
			"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"}})
	})
	mux.HandleFunc("GET /away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/keys", http.StatusFound)
	})
	mux.HandleFunc("GET /huge", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"padding":"`+strings.Repeat("x", 2<<20)+`",`)
		_ = json.NewEncoder(w).Encode(i.keys)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		i.mutex.Lock()
		defer i.mutex.Unlock()
		set := jose.JSONWebKeySet{}
		for _, key := range i.keys {
			set.Keys = append(set.Keys, key.Public())
		}
		_ = json.NewEncoder(w).Encode(set)
	})
	i.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.seen.Add(1)
		if i.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.server.Close)
	i.ca = filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: i.server.Certificate().Raw}
	require.NoError(t, os.WriteFile(i.ca, pem.EncodeToMemory(block), 0o600))
	i.rotate("first")
	return i
}

// rotate replaces the keys by a new one, which it returns.
func (i *idp) rotate(id string) jose.JSONWebKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(i.t, err)
	made := jose.JSONWebKey{Key: key, KeyID: id, Algorithm: "RS256", Use: "sig"}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.keys = []jose.JSONWebKey{made}
	return made
}

// addEC adds a key for ES256.
func (i *idp) addEC(id string) jose.JSONWebKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(i.t, err)
	made := jose.JSONWebKey{Key: key, KeyID: id, Algorithm: "ES256", Use: "sig"}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.keys = append(i.keys, made)
	return made
}

func (i *idp) key() jose.JSONWebKey {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.keys[0]
}

func (i *idp) config() config.Issuer {
	return config.Issuer{Name: "idp", URL: i.server.URL, Audience: "segue", CA: delivery.SecretRef("file:" + i.ca)}
}

// claims returns good claims with some replaced; nil removes one.
func (i *idp) claims(changed map[string]any) map[string]any {
	claims := map[string]any{"iss": i.server.URL, "aud": "segue", "sub": "ann", "role": "agent", "contact_centers": "acme",
		"exp": start.Add(time.Hour).Unix(), "nbf": start.Unix()}
	maps.Copy(claims, changed)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

func (i *idp) token(changed map[string]any) string {
	return sign(i.t, jose.RS256, i.key(), i.claims(changed), nil)
}

// sign signs claims with any key and headers.
func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, claims map[string]any, headers map[jose.HeaderKey]any) string {
	t.Helper()
	options := &jose.SignerOptions{ExtraHeaders: headers}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	require.NoError(t, err)
	content, err := json.Marshal(claims)
	require.NoError(t, err)
	signed, err := signer.Sign(content)
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)
	return token
}
