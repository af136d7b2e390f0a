package delivery_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

const canary = "s3cr3t-canary-0001"

func TestCredentials(t *testing.T) {
	t.Setenv("SEGUE_TEST_USER", "agent")
	t.Setenv("SEGUE_TEST_SECRET", canary)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(canary+"\n"), 0o600))

	for name, tc := range map[string]struct {
		auth  delivery.Auth
		check func(*http.Request) bool
	}{
		"basic": {
			delivery.Auth{Basic: &delivery.BasicAuth{Username: "env:SEGUE_TEST_USER", Password: "env:SEGUE_TEST_SECRET"}},
			func(r *http.Request) bool {
				user, password, _ := r.BasicAuth()
				return user == "agent" && password == canary
			},
		},
		"bearer from a file": {
			delivery.Auth{Bearer: delivery.SecretRef("file:" + file)},
			func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+canary },
		},
		"key in a header": {
			delivery.Auth{APIKey: &delivery.APIKeyAuth{In: "header", Name: "X-Api-Key", Key: "env:SEGUE_TEST_SECRET"}},
			func(r *http.Request) bool { return r.Header.Get("X-Api-Key") == canary },
		},
		"key in the query": {
			delivery.Auth{APIKey: &delivery.APIKeyAuth{In: "query", Name: "key", Key: "env:SEGUE_TEST_SECRET"}},
			func(r *http.Request) bool { return r.URL.RawQuery == "z=1&a=2&key="+canary },
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if !tc.check(r) {
					w.WriteHeader(401)
				}
				// A receiver that repeats what it was sent.
				w.WriteHeader(500)
				fmt.Fprintln(w, r.URL.String(), r.Header)
			})
			policy := newPolicy()
			policy.Auth = tc.auth
			o := newSender(t).Send(context.Background(), policy, newRequest(server.URL+"/?z=1&a=2"), 1)
			assert.Equal(t, 500, o.Code)
			assert.NotEmpty(t, o.Excerpt)
			everything := fmt.Sprintf("%+v", o)
			assert.NotContains(t, everything, canary)
			assert.NotContains(t, everything, base64.StdEncoding.EncodeToString([]byte("agent:"+canary)))
		})
	}
}

func TestWithoutCredentialsNothingIsSent(t *testing.T) {
	t.Setenv("SEGUE_TEST_EMPTY", "")
	t.Setenv("SEGUE_TEST_SECRET", canary)
	var requests atomic.Int32
	server := serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	for name, policy := range map[string]delivery.Policy{
		"unset":       {Auth: delivery.Auth{Bearer: "env:SEGUE_TEST_UNSET"}},
		"empty":       {Auth: delivery.Auth{Bearer: "env:SEGUE_TEST_EMPTY"}},
		"no file":     {Auth: delivery.Auth{Bearer: "file:/nowhere/token"}},
		"no ref":      {Auth: delivery.Auth{Bearer: canary}},
		"password":    {Auth: delivery.Auth{Basic: &delivery.BasicAuth{Username: "env:SEGUE_TEST_SECRET", Password: "env:SEGUE_TEST_UNSET"}}},
		"key":         {Auth: delivery.Auth{APIKey: &delivery.APIKeyAuth{In: "header", Name: "X", Key: "env:SEGUE_TEST_UNSET"}}},
		"place":       {Auth: delivery.Auth{APIKey: &delivery.APIKeyAuth{In: "cookie", Name: "X", Key: "env:SEGUE_TEST_SECRET"}}},
		"oauth2":      {Auth: delivery.Auth{OAuth2: &delivery.OAuth2Auth{TokenURL: "https://x", ClientID: "env:SEGUE_TEST_SECRET", ClientSecret: "env:SEGUE_TEST_UNSET"}}},
		"mtls":        {Auth: delivery.Auth{MTLS: &delivery.MTLSAuth{}}},
		"signing":     {Sign: []delivery.SecretRef{"env:SEGUE_TEST_UNSET"}},
		"signing key": {Sign: []delivery.SecretRef{"env:SEGUE_TEST_SECRET"}},
	} {
		t.Run(name, func(t *testing.T) {
			policy.Call, policy.Retry = "crm", newPolicy().Retry
			o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
			assert.Equal(t, "auth", o.Class)
			assert.Equal(t, contract.VerdictRetry, o.Verdict)
			assert.Equal(t, 5*time.Second, o.RetryIn)
			assert.NotEmpty(t, o.Message)
			assert.NotContains(t, o.Message, canary)
		})
	}
	assert.Zero(t, requests.Load())
}

func TestStandardWebhooks(t *testing.T) {
	keys := [][]byte{[]byte("newest-signing-secret-24"), []byte("older--signing-secret-24")}
	t.Setenv("SEGUE_TEST_NEW", "whsec_"+base64.StdEncoding.EncodeToString(keys[0]))
	t.Setenv("SEGUE_TEST_OLD", "whsec_"+base64.StdEncoding.EncodeToString(keys[1]))
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		signatures := strings.Fields(r.Header.Get("webhook-signature"))
		if len(signatures) != len(keys) || r.Header.Get("Idempotency-Key") != r.Header.Get("webhook-id") {
			w.WriteHeader(400)
			return
		}
		for i, key := range keys {
			mac := hmac.New(sha256.New, key)
			fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
			if signatures[i] != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
				w.WriteHeader(401)
			}
		}
	})
	policy := newPolicy()
	policy.Sign = []delivery.SecretRef{"env:SEGUE_TEST_NEW", "env:SEGUE_TEST_OLD"}
	o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
	assert.Equal(t, "ok", o.Class, "%d", o.Code)
}

// The example in the libraries of Standard Webhooks.
func TestStandardWebhooksVector(t *testing.T) {
	t.Setenv("SEGUE_TEST_SIGN", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	req, err := http.NewRequest(http.MethodPost, "http://receiver.invalid", nil)
	require.NoError(t, err)
	err = delivery.Sign(req, "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`,
		[]delivery.SecretRef{"env:SEGUE_TEST_SIGN"}, time.Unix(1614265330, 0))
	require.NoError(t, err)
	sent := map[string][]string(req.Header) // the specification writes these names in lower case
	assert.Equal(t, []string{"1614265330"}, sent["webhook-timestamp"])
	assert.Equal(t, []string{"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, sent["webhook-signature"])
}

func TestInvalidRequestsAreNotSent(t *testing.T) {
	var requests atomic.Int32
	server := serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	send := func(p delivery.Policy, change func(*contract.Request)) contract.Outcome {
		r := newRequest(server.URL)
		change(&r)
		return newSender(t).Send(context.Background(), p, r, 1)
	}
	dry := newPolicy()
	dry.DryRun = true
	o := send(dry, func(*contract.Request) {})
	assert.Equal(t, "config", o.Class, "a request that was rendered to be sent is parked, not counted as sent")
	assert.Equal(t, contract.VerdictFinal, o.Verdict)
	for name, change := range map[string]func(*contract.Request){
		"fault":        func(r *contract.Request) { r.Fault = "json.x has no value" },
		"method":       func(r *contract.Request) { r.Method = "PO ST" },
		"header name":  func(r *contract.Request) { r.Headers = []contract.Header{{Name: "a b", Value: "x"}} },
		"header value": func(r *contract.Request) { r.Headers = []contract.Header{{Name: "a", Value: "x\r\nb: y"}} },
		"url":          func(r *contract.Request) { r.URL = "http://a b/%zz" },
	} {
		o := send(newPolicy(), change)
		assert.Equal(t, "render", o.Class, name)
		assert.Equal(t, contract.VerdictFinal, o.Verdict, name)
	}
	assert.Zero(t, requests.Load())
}

func TestAHeaderCountsTheAttempts(t *testing.T) {
	var got []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("X-Try")+" "+r.Header.Get("webhook-id"))
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	r := newRequest(server.URL)
	r.Headers = append(r.Headers, contract.Header{Name: "X-Try", Value: "no. ", Attempt: true, After: " of 3"})
	sender := newSender(t)
	for attempt := 1; attempt <= 3; attempt++ {
		require.Equal(t, "http_5xx", sender.Send(context.Background(), newPolicy(), r, attempt).Class)
	}
	assert.Equal(t, []string{"no. 1 of 3 msg_1", "no. 2 of 3 msg_1", "no. 3 of 3 msg_1"}, got)

	r.Headers = []contract.Header{{Name: "X-Try", Attempt: true, After: "\r\nX-Evil: 1"}}
	assert.Equal(t, "render", sender.Send(context.Background(), newPolicy(), r, 4).Class)
	assert.Len(t, got, 3)
}

func TestHeadersThatACallCannotSet(t *testing.T) {
	var got http.Header
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	r := newRequest(server.URL)
	for _, name := range []string{"webhook-id", "Idempotency-Key", "connection", "Content-length", "accept-encoding", "WEBHOOK-SIGNATURE"} {
		r.Headers = append(r.Headers, contract.Header{Name: name, Value: "7"})
	}
	r.Headers = append(r.Headers, contract.Header{Name: "user-agent", Value: "segue"}, contract.Header{Name: "SOAPAction", Value: "op"})
	o := newSender(t).Send(context.Background(), newPolicy(), r, 1)
	require.Equal(t, "ok", o.Class, o.Message)
	assert.Equal(t, []string{"msg_1"}, got["Webhook-Id"])
	assert.Equal(t, []string{"msg_1"}, got["Idempotency-Key"])
	assert.Equal(t, []string{"segue"}, got["User-Agent"])
	assert.Equal(t, []string{"op"}, got["Soapaction"])
	assert.Empty(t, got["Webhook-Signature"])
	assert.Equal(t, []string{"gzip"}, got["Accept-Encoding"])
}
