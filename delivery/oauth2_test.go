package delivery_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

// Every call has limits of its own, so a thousand attempts need the token at once.
func TestAThousandAttemptsFetchOneToken(t *testing.T) {
	i := newIssuer(t)
	r, sender := i.receiver(t), newSender(t)
	var sends sync.WaitGroup
	for n := range 1000 {
		sends.Go(func() {
			policy := i.policy()
			policy.Call, policy.Timeout = fmt.Sprintf("crm-%d", n), 30*time.Second
			o := sender.Send(context.Background(), policy, numbered(r.URL, n), 1)
			assert.Equal(t, "ok", o.Class, o.Message)
		})
	}
	sends.Wait()
	assert.EqualValues(t, 1, i.requests.Load())
	assert.Equal(t, 1000, r.good)
	assert.Len(t, r.seen, 1000)
}

func TestARevokedTokenIsRefreshedOnce(t *testing.T) {
	i := newIssuer(t)
	r, sender := i.receiver(t), newSender(t)
	policy := i.policy()
	require.Equal(t, "ok", sender.Send(context.Background(), policy, numbered(r.URL, 1), 1).Class)
	i.revoke()
	var sends sync.WaitGroup
	for n := range 50 {
		sends.Go(func() {
			o := sender.Send(context.Background(), policy, numbered(r.URL, n+2), 1)
			assert.Equal(t, "ok", o.Class, o.Message)
			assert.Equal(t, 200, o.Code)
		})
	}
	sends.Wait()
	assert.EqualValues(t, 2, i.requests.Load(), "one token for all rejected requests")
	assert.Equal(t, 51, r.good)
	sent := map[string]int{}
	for _, one := range r.seen {
		sent[one]++
	}
	assert.Len(t, sent, 51, "the second request has the same id and bytes")
	for one, times := range sent {
		assert.LessOrEqual(t, times, 2, one)
	}
}

func TestAReceiverThatRejectsEveryTokenGetsTwoRequests(t *testing.T) {
	i := newIssuer(t)
	r, sender := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(401)
		fmt.Fprintln(w, r.Header)
	}), newSender(t)
	first := sender.Send(context.Background(), i.policy(), numbered(r.URL, 1), 1)
	assert.EqualValues(t, 1, i.requests.Load(), "a token that is new is not the reason")
	second := sender.Send(context.Background(), i.policy(), numbered(r.URL, 2), 1)
	assert.EqualValues(t, 2, i.requests.Load())
	for _, o := range []contract.Outcome{first, second} {
		assert.Equal(t, "http_4xx", o.Class)
		assert.Equal(t, 401, o.Code)
		assert.Equal(t, contract.VerdictFinal, o.Verdict)
		assert.NotContains(t, fmt.Sprintf("%+v", o), "canary")
	}
}

func TestWithoutATokenNothingIsSent(t *testing.T) {
	i := newIssuer(t)
	r := i.receiver(t)
	gone := httptest.NewServer(answer(200))
	gone.Close()
	elsewhere := serve(t, answer(200))
	for name, tc := range map[string]struct {
		change  func(*delivery.Policy)
		answer  http.HandlerFunc
		message string
	}{
		"500":        {answer: write(500, canary), message: "HTTP 500 Internal Server Error"},
		"redirect":   {answer: http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect).ServeHTTP, message: "redirects are not followed"},
		"no JSON":    {answer: write(200, canary), message: "no token that can be read"},
		"no token":   {answer: writeJSON(`{"access_token":""}`), message: "no token that can be read"},
		"other type": {answer: writeJSON(`{"access_token":"x","token_type":"mac"}`), message: "type is not Bearer"},
		"odd token":  {answer: writeJSON(`{"access_token":"x\r\ny: z"}`), message: "characters that a header cannot contain"},
		"endless": {answer: func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, message: "no token that can be read"},
		"slow": {answer: func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, message: "in time", change: func(p *delivery.Policy) { p.Timeout = 100 * time.Millisecond }},
		"down":      {message: "connection refused", change: func(p *delivery.Policy) { p.Auth.OAuth2.TokenURL = gone.URL }},
		"blocked":   {message: "guard.allow", change: func(p *delivery.Policy) { p.Auth.OAuth2.TokenURL = "http://169.254.169.254/token" }},
		"no URL":    {message: "token_url", change: func(p *delivery.Policy) { p.Auth.OAuth2.TokenURL = "file:///token" }},
		"no id":     {message: "client_id", change: func(p *delivery.Policy) { p.Auth.OAuth2.ClientID = "env:SEGUE_TEST_UNSET" }},
		"no secret": {message: "client_secret", change: func(p *delivery.Policy) { p.Auth.OAuth2.ClientSecret = "env:SEGUE_TEST_UNSET" }},
		"refused":   {message: "401 Unauthorized, invalid_client", change: func(p *delivery.Policy) { p.Auth.OAuth2.Scopes = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			i.fails(tc.answer)
			policy := i.policy()
			if tc.change != nil {
				tc.change(&policy)
			}
			started := time.Now()
			o := newSender(t).Send(context.Background(), policy, newRequest(r.URL), 1)
			assert.Equal(t, "auth", o.Class, o.Message)
			assert.Equal(t, contract.VerdictRetry, o.Verdict)
			assert.Contains(t, o.Message, tc.message)
			assert.NotContains(t, fmt.Sprintf("%+v", o), canary)
			assert.Less(t, time.Since(started), policy.Timeout+lateness)
		})
	}
	assert.Empty(t, r.seen)
}

func TestARejectedTokenThatCannotBeReplaced(t *testing.T) {
	i := newIssuer(t)
	r, sender := i.receiver(t), newSender(t)
	require.Equal(t, "ok", sender.Send(context.Background(), i.policy(), numbered(r.URL, 1), 1).Class)
	i.revoke()
	i.fails(write(500, ""))
	o := sender.Send(context.Background(), i.policy(), numbered(r.URL, 2), 1)
	assert.Equal(t, "auth", o.Class)
	assert.Equal(t, contract.VerdictRetry, o.Verdict)
	assert.Equal(t, 401, o.Code)
	assert.Equal(t, "HTTP 401 Unauthorized; the token URL returned no token: HTTP 500 Internal Server Error", o.Message)
	assert.Len(t, r.seen, 2)
}

// A receiver that rejects the cached token with an endless response does not use up the time
// of the second request.
func TestAnEndlessRejectionIsNotRead(t *testing.T) {
	i := newIssuer(t)
	var requests atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 2 {
			w.WriteHeader(401)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	})
	sender := newSender(t)
	for n := range 2 {
		o := sender.Send(context.Background(), i.policy(), numbered(server.URL, n), 1)
		assert.Equal(t, "ok", o.Class, o.Message)
	}
	assert.EqualValues(t, 3, requests.Load())
}

// A server that gets a secret may repeat it, in what Segue records or logs.
func TestNeitherSecretNorTokenIsRecorded(t *testing.T) {
	i := newIssuer(t)
	var log bytes.Buffer
	guard, err := delivery.NewGuard([]string{"127.0.0.0/8"})
	require.NoError(t, err)
	sender := delivery.New(delivery.Options{Guard: guard, Log: slog.New(slog.NewTextHandler(&log, nil))})
	t.Cleanup(func() { require.NoError(t, sender.Close(context.Background())) })
	echo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		fmt.Fprintln(w, r.Header)
	})
	policy := i.policy()
	policy.Returns = []delivery.Return{{From: "a", To: "b"}}
	o := sender.Send(context.Background(), policy, numbered(echo.URL, 1), 1)
	assert.Equal(t, "http_5xx", o.Class)
	assert.Contains(t, o.Excerpt, "Bearer [secret]")
	everything := fmt.Sprintf("%+v", o)

	policy.Success = []delivery.StatusRange{{From: 500, To: 500}}
	back := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		fmt.Fprintf(w, `{"a":%q}`, r.Header.Get("Authorization"))
	})
	o = sender.Send(context.Background(), policy, numbered(back.URL, 2), 1)
	assert.Equal(t, map[string]any{"b": "Bearer [secret]"}, o.Returns)
	everything += fmt.Sprintf("%+v", o)

	i.revoke()
	i.fails(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(400)
		fmt.Fprintln(w, r.Header, string(body), canary)
	})
	o = sender.Send(context.Background(), i.policy(), numbered(i.receiver(t).URL, 3), 1)
	assert.Equal(t, "auth", o.Class)
	everything += fmt.Sprintf("%+v", o) + log.String()
	assert.NotContains(t, everything, "canary")
}

// Responses that token endpoints send and other clients can read.
func TestTokenResponses(t *testing.T) {
	const bearer = `{"token_type":"Bearer","expires_in":1799,"access_token":"t-o.k_e~n"}`
	for name, tc := range map[string]struct {
		kind, body string
		code       int
		message    string // of a failure; empty is a token
	}{
		"JSON":                            {"application/json;charset=UTF-8", bearer, 200, ""},
		"JSON as text":                    {"text/plain", bearer, 200, ""},
		"JSON as a page":                  {"text/html; charset=utf-8", "\r\n" + bearer + "\n", 200, ""},
		"JSON as a form":                  {"application/x-www-form-urlencoded", bearer, 200, ""},
		"JSON as script":                  {"text/javascript", bearer, 200, ""},
		"JSON without a type":             {"", bearer, 200, ""},
		"JSON with a broken type":         {"application/json; charset", bearer, 200, ""},
		"JSON with a byte order mark":     {"application/json", "\ufeff" + bearer, 200, ""},
		"JSON in UTF-16":                  {"application/json", utf16LE(bearer), 200, ""},
		"a form":                          {"application/x-www-form-urlencoded", "access_token=t-o.k_e~n&token_type=bearer&expires_in=1799", 200, ""},
		"a form as text":                  {"text/plain", "access_token=t-o.k_e~n&expires=1799", 200, ""},
		"a form as JSON":                  {"application/json", "access_token=t-o.k_e~n", 200, ""},
		"created":                         {"application/json", bearer, 201, ""},
		"no kind of token":                {"application/json", `{"access_token":"t-o.k_e~n"}`, 200, ""},
		"a kind that is null":             {"application/json", `{"access_token":"t-o.k_e~n","token_type":null}`, 200, ""},
		"a kind in capitals":              {"application/json", `{"access_token":"t-o.k_e~n","token_type":"BEARER"}`, 200, ""},
		"a kind of Apigee":                {"application/json", `{"access_token":"t-o.k_e~n","token_type":"BearerToken"}`, 200, ""},
		"a life as text":                  {"application/json", `{"access_token":"t-o.k_e~n","expires_in":"1799"}`, 200, ""},
		"a life with a fraction":          {"application/json", `{"access_token":"t-o.k_e~n","expires_in":1799.0}`, 200, ""},
		"a life that is empty":            {"application/json", `{"access_token":"t-o.k_e~n","expires_in":""}`, 200, ""},
		"a life that is a word":           {"application/json", `{"access_token":"t-o.k_e~n","expires_in":"never"}`, 200, ""},
		"a life that is huge":             {"application/json", `{"access_token":"t-o.k_e~n","expires_in":1e300}`, 200, ""},
		"a scope that is a list":          {"application/json", `{"access_token":"t-o.k_e~n","scope":["a","b"],"refresh_token":null,"error":null,"error_description":7}`, 200, ""},
		"an error as text":                {"text/plain", `{"error":"invalid_scope","error_description":"` + canary + `"}`, 400, "HTTP 400 Bad Request, invalid_scope"},
		"an error with a byte order mark": {"application/json", "\ufeff" + `{"error":"unauthorized_client"}`, 403, "HTTP 403 Forbidden, unauthorized_client"},
		"an error that is a form":         {"application/json", `error=invalid_client`, 403, "HTTP 403 Forbidden, invalid_client"},
		"an error behind a 200":           {"application/json", `{"error":"invalid_grant"}`, 200, "no token"},
		"another kind of token":           {"text/plain", `{"access_token":"t-o.k_e~n","token_type":"mac"}`, 200, "type is not Bearer"},
		"a number for a token":            {"application/json", `{"access_token":7}`, 200, "no token that can be read"},
		"a page":                          {"text/html", `<html>` + canary, 200, "no token that can be read"},
		"nothing":                         {"application/json", ``, 200, "no token that can be read"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.fails(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{tc.kind}
				w.WriteHeader(tc.code)
				_, _ = io.WriteString(w, tc.body)
			})
			var got atomic.Value
			r := serve(t, func(_ http.ResponseWriter, r *http.Request) { got.Store(r.Header.Get("Authorization")) })
			o := newSender(t).Send(context.Background(), i.policy(), newRequest(r.URL), 1)
			if tc.message == "" {
				assert.Equal(t, "ok", o.Class, o.Message)
				assert.Equal(t, "Bearer t-o.k_e~n", got.Load())
				return
			}
			assert.Equal(t, "auth", o.Class)
			assert.Contains(t, o.Message, tc.message)
			assert.NotContains(t, o.Message, canary)
			assert.Nil(t, got.Load())
		})
	}
}
