package delivery_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/delivery"
)

// Waiting attempts do not overload a failing endpoint, and use it again once it works.
func TestAFailingTokenEndpointIsNotAskedAgainAtOnce(t *testing.T) {
	i := newIssuer(t)
	r, sender := i.receiver(t), newSender(t)
	i.fails(write(503, ""))
	var sends sync.WaitGroup
	for n := range 200 {
		sends.Go(func() {
			policy := i.policy()
			policy.Call = fmt.Sprintf("crm-%d", n)
			assert.Equal(t, "auth", sender.Send(context.Background(), policy, numbered(r.URL, n), 1).Class)
		})
	}
	sends.Wait()
	assert.LessOrEqual(t, i.requests.Load(), int32(5), "of 200")
	assert.EqualValues(t, 1, i.most.Load(), "one at a time")
	i.fails(nil)
	n := 200
	require.Eventually(t, func() bool {
		n++
		return sender.Send(context.Background(), i.policy(), numbered(r.URL, n), 1).Class == "ok"
	}, time.Minute, 50*time.Millisecond)
}

func TestAChangedSecretGetsANewToken(t *testing.T) {
	i := newIssuer(t)
	r, sender := i.receiver(t), newSender(t)
	file := filepath.Join(t.TempDir(), "secret")
	policy := i.policy()
	policy.Auth.OAuth2.ClientSecret = delivery.SecretRef("file:" + file)
	for n, secret := range []string{canary, canary, "another-canary"} {
		require.NoError(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
		i.mu.Lock()
		i.secret = secret
		i.mu.Unlock()
		require.Equal(t, "ok", sender.Send(context.Background(), policy, numbered(r.URL, n), 1).Class)
	}
	assert.EqualValues(t, 2, i.requests.Load())
}

func TestAnEndpointThatWantsTheSecretInTheForm(t *testing.T) {
	i := newIssuer(t)
	i.inParams = true
	r, sender := i.receiver(t), newSender(t)
	for n := range 2 {
		require.Equal(t, "ok", sender.Send(context.Background(), i.policy(), numbered(r.URL, n+1), 1).Class)
	}
	assert.EqualValues(t, 2, i.requests.Load(), "header, form")
	i.revoke()
	require.Equal(t, "ok", sender.Send(context.Background(), i.policy(), numbered(r.URL, 3), 1).Class)
	assert.EqualValues(t, 3, i.requests.Load(), "form at once")
}

// If a receiver rejects every token, another one does not help: the endpoint is asked for one
// more, not for one each attempt. Once the receiver accepts the token, a later rejection gets
// a new one again.
func TestARejectedReplacementIsKeptForAMinute(t *testing.T) {
	i := newIssuer(t)
	var refuses atomic.Bool
	refuses.Store(true)
	r, sender := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if refuses.Load() {
			w.WriteHeader(401)
		}
	}), newSender(t)
	send := func(n int) string { return sender.Send(context.Background(), i.policy(), numbered(r.URL, n), 1).Class }
	for n := range 40 {
		require.Equal(t, "http_4xx", send(n))
	}
	assert.EqualValues(t, 2, i.requests.Load())
	refuses.Store(false)
	require.Equal(t, "ok", send(40))
	assert.EqualValues(t, 2, i.requests.Load(), "the token is as good as another")
	refuses.Store(true)
	require.Equal(t, "http_4xx", send(41))
	assert.EqualValues(t, 3, i.requests.Load(), "it may have been revoked")
}

// Two calls may have different secrets for one client, as during a rotation.
func TestTwoSecretsOfOneClientHaveSeparateTokens(t *testing.T) {
	i := newIssuer(t)
	i.fails(func(w http.ResponseWriter, r *http.Request) {
		_, secret, _ := r.BasicAuth()
		writeJSON(fmt.Sprintf(`{"access_token":"of-%s","token_type":"Bearer"}`, secret))(w, r)
	})
	t.Setenv("SEGUE_TEST_OLD", "old-secret")
	r, sender := serve(t, answer(200)), newSender(t)
	for n := range 20 {
		policy := i.policy()
		if n%2 == 1 {
			policy.Auth.OAuth2.ClientSecret = "env:SEGUE_TEST_OLD"
		}
		require.Equal(t, "ok", sender.Send(context.Background(), policy, numbered(r.URL, n), 1).Class)
	}
	assert.EqualValues(t, 2, i.requests.Load())
}

// The lifetime of a token, in virtual time and without a network.
func TestATokenIsCachedUntilShortlyBeforeItsExpiry(t *testing.T) {
	t.Setenv("SEGUE_TEST_ID", "id")
	t.Setenv("SEGUE_TEST_SECRET", canary)
	for life, kept := range map[string]time.Duration{
		`,"expires_in":3600`: time.Hour - 30*time.Second,
		`,"expires_in":"60"`: 54 * time.Second,
		`,"expires_in":-5`:   time.Second,
		``:                   time.Hour,
	} {
		synctest.Test(t, func(t *testing.T) {
			requests := 0
			get := delivery.NewTokens(func(*http.Request) (*http.Response, error) {
				requests++
				return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"access_token":"x"` + life + `}`))}, nil
			}, delivery.OAuth2Auth{TokenURL: "https://id.example.com/", ClientID: "env:SEGUE_TEST_ID", ClientSecret: "env:SEGUE_TEST_SECRET"})
			require.NoError(t, get())
			time.Sleep(kept - time.Millisecond) // simulated
			require.NoError(t, get())
			assert.Equal(t, 1, requests, life)
			time.Sleep(2 * time.Millisecond)
			require.NoError(t, get())
			assert.Equal(t, 2, requests, life)
		})
	}
}
