package gateway_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// idp is an issuer of tokens with discovery and keys.
type idp struct {
	server *httptest.Server
	// asked counts the requests for its keys.
	asked atomic.Int64

	mu   sync.Mutex
	keys []jose.JSONWebKey
}

func newIDP() *idp {
	i := &idp{keys: []jose.JSONWebKey{keyOf("first")}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.server.URL, "jwks_uri": i.server.URL + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		set := jose.JSONWebKeySet{}
		for _, key := range i.keys {
			set.Keys = append(set.Keys, key.Public())
		}
		_ = json.NewEncoder(w).Encode(set)
	})
	i.server = httptest.NewServer(mux)
	return i
}

func keyOf(id string) jose.JSONWebKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: id, Algorithm: "RS256", Use: "sig"}
}

func (i *idp) entry() string {
	return fmt.Sprintf("{name: idp, issuer: %q, audience: segue, contact_centers: [acme, umbrella]}\n", i.server.URL)
}

func (i *idp) key() jose.JSONWebKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[0]
}

// rotate replaces the keys.
func (i *idp) rotate(key jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = []jose.JSONWebKey{key}
}

// claims returns good claims with some replaced; nil removes one.
func (i *idp) claims(changed map[string]any) map[string]any {
	claims := map[string]any{
		"iss": i.server.URL, "aud": "segue", "sub": "ann", "role": "agent", "contact_centers": "acme", "exp": time.Now().Add(time.Hour).Unix(),
	}
	maps.Copy(claims, changed)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

// sign signs claims with any key and headers.
func sign(algorithm jose.SignatureAlgorithm, key any, claims map[string]any, headers map[jose.HeaderKey]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, &jose.SignerOptions{ExtraHeaders: headers})
	if err != nil {
		panic(err)
	}
	content, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(content)
	if err != nil {
		panic(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return token
}

// part encodes a part of a token.
func part(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(content)
}
