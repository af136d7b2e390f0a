package delivery_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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
	"segue/dispatch"
)

// issuer is a token endpoint, and knows which of its tokens are good.
type issuer struct {
	server   *httptest.Server
	requests atomic.Int32
	most     atomic.Int32 // requests at once
	running  atomic.Int32
	answer   atomic.Pointer[http.HandlerFunc] // instead of a token

	mu       sync.Mutex
	valid    string
	expires  int
	inParams bool // the client's secret is taken from the form alone
	secret   string
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{expires: 3600, secret: canary}
	i.server = serve(t, i.serve)
	t.Setenv("SEGUE_TEST_ID", "segue client")
	t.Setenv("SEGUE_TEST_SECRET", canary)
	return i
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	n := i.requests.Add(1)
	if now := i.running.Add(1); now > i.most.Load() {
		i.most.Store(now)
	}
	defer i.running.Add(-1)
	if answer := i.answer.Load(); answer != nil {
		(*answer)(w, r)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	if i.inParams {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	w.Header().Set("Content-Type", "application/json")
	if id != "segue+client" && id != "segue client" || secret != i.secret || r.FormValue("grant_type") != "client_credentials" ||
		r.FormValue("scope") != "calls write" {
		w.WriteHeader(401)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":"not %s"}`, secret)
		return
	}
	i.valid = fmt.Sprintf("token-canary-%d", n)
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":%d}`, i.valid, i.expires)
}

// fails makes the endpoint answer this instead; nil makes it issue again.
func (i *issuer) fails(answer http.HandlerFunc) {
	if answer == nil {
		i.answer.Store(nil)
		return
	}
	i.answer.Store(&answer)
}

func (i *issuer) revoke() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.valid = "none"
}

func (i *issuer) policy() delivery.Policy {
	p := newPolicy()
	p.Auth.OAuth2 = &delivery.OAuth2Auth{TokenURL: i.server.URL, ClientID: "env:SEGUE_TEST_ID", ClientSecret: "env:SEGUE_TEST_SECRET",
		Scopes: []string{"calls", "write"}}
	return p
}

// receiver takes the tokens that are good now, and repeats what it was sent.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string // id and body of each request
	good int
}

func (i *issuer) receiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = serve(t, func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		i.mu.Lock()
		good := req.Header.Get("Authorization") == "Bearer "+i.valid
		i.mu.Unlock()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen = append(r.seen, req.Header.Get("webhook-id")+" "+string(body))
		if !good {
			w.WriteHeader(401)
			fmt.Fprintln(w, req.Header, canary)
			return
		}
		r.good++
	})
	return r
}

func numbered(url string, n int) dispatch.Request {
	r := newRequest(url)
	r.ID = fmt.Sprintf("msg_%d", n)
	return r
}

// Every call has its own gate, so a thousand calls come to the token at once.
func TestAThousandSendsWithoutATokenAskForOne(t *testing.T) {
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
	assert.EqualValues(t, 2, i.requests.Load(), "one token for all that were refused")
	assert.Equal(t, 51, r.good)
	sent := map[string]int{}
	for _, one := range r.seen {
		sent[one]++
	}
	assert.Len(t, sent, 51, "a repeat has the same id and bytes")
	for one, times := range sent {
		assert.LessOrEqual(t, times, 2, one)
	}
}

func TestAReceiverThatTakesNoTokenIsAskedTwiceAtMost(t *testing.T) {
	i := newIssuer(t)
	r, sender := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(401)
		fmt.Fprintln(w, r.Header)
	}), newSender(t)
	first := sender.Send(context.Background(), i.policy(), numbered(r.URL, 1), 1)
	assert.EqualValues(t, 1, i.requests.Load(), "a token that is new already is not the reason")
	second := sender.Send(context.Background(), i.policy(), numbered(r.URL, 2), 1)
	assert.EqualValues(t, 2, i.requests.Load())
	for _, o := range []dispatch.Outcome{first, second} {
		assert.Equal(t, "http_4xx", o.Class)
		assert.Equal(t, 401, o.Code)
		assert.Equal(t, dispatch.VerdictFinal, o.Verdict)
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
		"other type": {answer: writeJSON(`{"access_token":"x","token_type":"mac"}`), message: "not of the type bearer"},
		"odd token":  {answer: writeJSON(`{"access_token":"x\r\ny: z"}`), message: "fits in no header"},
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
			assert.Equal(t, dispatch.VerdictRetry, o.Verdict)
			assert.Contains(t, o.Message, tc.message)
			assert.NotContains(t, fmt.Sprintf("%+v", o), canary)
			assert.Less(t, time.Since(started), policy.Timeout+time.Second)
		})
	}
	assert.Empty(t, r.seen)
}

// A failing endpoint is not run over by those who wait for it, and used again when it is back.
func TestAFailingTokenEndpointIsLeftAloneForAMoment(t *testing.T) {
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
	}, 5*time.Second, 50*time.Millisecond)
}

func TestARefusedTokenWithoutANewOne(t *testing.T) {
	i := newIssuer(t)
	r, sender := i.receiver(t), newSender(t)
	require.Equal(t, "ok", sender.Send(context.Background(), i.policy(), numbered(r.URL, 1), 1).Class)
	i.revoke()
	i.fails(write(500, ""))
	o := sender.Send(context.Background(), i.policy(), numbered(r.URL, 2), 1)
	assert.Equal(t, "auth", o.Class)
	assert.Equal(t, dispatch.VerdictRetry, o.Verdict)
	assert.Equal(t, 401, o.Code)
	assert.Equal(t, "HTTP 401 Unauthorized; the token URL gave no token: HTTP 500 Internal Server Error", o.Message)
	assert.Len(t, r.seen, 2)
}

func TestATokenGoesWithItsSecret(t *testing.T) {
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

// The life of a token, in simulated time and without a network.
func TestATokenIsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
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

func writeJSON(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}
