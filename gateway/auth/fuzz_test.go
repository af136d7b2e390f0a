package auth_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/gateway/auth"
)

// FuzzAuthorization sends any header values. Whatever they are, the answer is 400 or 401 unless they
// have a good credential, and it does not take long.
func FuzzAuthorization(f *testing.F) {
	for _, seed := range [][2]string{{"", ""}, {"Bearer " + adminKey, ""}, {"", agentKey}, {"Bearer a.b.c", "x"}, {"Basic Ym9iOng=", ""},
		{"Bearer eyJhbGciOiJub25lIn0.e30.", ""}, {"bearer\t" + adminKey, ""}, {"Bearer " + adminKey + ", Basic x", ""}, {"Basic", "\x00"},
		{"Bearer " + base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","crit":null}`)) + ".e30.AA", ""},
		{"Bearer " + strings.Repeat(".", 3), ""}} {
		f.Add(seed[0], seed[1])
	}
	g := configured()
	made, err := auth.New(g, auth.Options{Resolve: newSecrets().resolve})
	require.NoError(f, err)
	f.Cleanup(made.Close)
	f.Fuzz(func(t *testing.T, authorization, key string) {
		r := httptest.NewRequest(http.MethodGet, "/api/v2/me", nil)
		if authorization != "" {
			r.Header["Authorization"] = []string{authorization}
		}
		if key != "" {
			r.Header["X-Api-Key"] = []string{key}
		}
		reached := false
		recorder := httptest.NewRecorder()
		begin := time.Now()
		made.For(auth.GWS())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })).ServeHTTP(recorder, r)
		require.Less(t, time.Since(begin), 20*time.Second)
		if reached {
			known := []string{adminKey, agentKey, shortKey, "open sesame", "bcrypted"}
			_, rest, _ := strings.Cut(strings.TrimSpace(authorization), " ")
			decoded, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
			require.True(t, slices.ContainsFunc(known, func(k string) bool {
				return strings.Contains(authorization, k) || strings.Contains(key, k) || strings.Contains(string(decoded), k)
			}))
			return
		}
		require.Contains(t, []int{400, 401}, recorder.Code)
	})
}

// TestManyAtOnceWhileTheConfigurationChanges is for the race detector. Each request is judged by one
// configuration, the old one or the new one.
func TestManyAtOnceWhileTheConfigurationChanges(t *testing.T) {
	issuer := newIDP(t)
	with := configured(issuer.config())
	without := configured(issuer.config())
	without.Auth.APIKeys = without.Auth.APIKeys[:1]
	f := newFixture(t, with, func(o *auth.Options) { o.Sweep = time.Millisecond }).ready()
	cookie, _ := f.desktop(bearer(agentKey)...)
	token := issuer.token(nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				for _, headers := range [][]string{bearer(agentKey), {"Cookie", cookie}} {
					got := f.send(auth.GWS(), request("GET", "/api/v2/me", headers...))
					if got.StatusCode != 200 {
						require.Equal(t, 401, got.StatusCode)
						continue
					}
					require.Equal(t, "ann", got.caller.Agent)
					_, release := f.Watch(t.Context(), got.caller)
					release()
				}
				require.Equal(t, 200, f.status(token), "a reload must not lose the keys of an issuer")
				require.Equal(t, 200, f.send(auth.GWS(), request("GET", "/", basic("sue", "bcrypted")...)).StatusCode)
			}
		})
	}
	for n := range 20 {
		next := with
		if n%2 == 0 {
			next = without
		}
		require.NoError(t, f.Update(next))
	}
	all.Wait()
}
