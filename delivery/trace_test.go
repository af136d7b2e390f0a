package delivery_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

// names are the headers of a watched request, in the order of the wire.
func names(headers []contract.Header) []string {
	var list []string
	for _, h := range headers {
		list = append(list, h.Name)
	}
	return list
}

func TestAWatchedAttemptShowsWhatWasWritten(t *testing.T) {
	var got http.Header
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		_, _ = io.WriteString(w, "fine")
	})
	r := newRequest(server.URL + "/x?a=1")
	r.Headers = append(r.Headers, contract.Header{Name: "x-try", Value: "no. ", Attempt: true})
	o, seen := newSender(t).SendTraced(context.Background(), newPolicy(), r)
	require.Equal(t, "ok", o.Class, o.Message)
	assert.True(t, seen.Written)
	assert.Equal(t, "HTTP/1.1", seen.Protocol)
	assert.Equal(t, "fine", seen.Response, "also of a success, whose outcome keeps none")
	assert.Equal(t, server.URL+"/x?a=1", seen.Request.URL)
	assert.Equal(t, `{"id":"i-1"}`, seen.Request.Body)
	written := seen.Request.Headers
	assert.Equal(t, "Host", written[0].Name)
	assert.ElementsMatch(t, []string{"Host", "User-Agent", "Content-Length", "Content-Type", "Accept-Encoding", "Idempotency-Key",
		"webhook-id", "webhook-timestamp", "x-try"}, names(written))
	for _, h := range written {
		if h.Name != "Host" {
			assert.Equal(t, got.Get(h.Name), h.Value, h.Name)
		}
	}
}

func TestAWatchedAttemptShowsNoSecret(t *testing.T) {
	t.Setenv("SEGUE_TEST_SECRET", canary)
	t.Setenv("SEGUE_TEST_SHORT", "abc") // too short to be looked for in text
	t.Setenv("SEGUE_TEST_SIGN", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "you sent "+r.Header.Get("Authorization")+r.Header.Get("X-Key")+r.URL.RawQuery)
	})
	issuer := newIssuer(t)
	for name, auth := range map[string]delivery.Auth{
		"basic":            {Basic: &delivery.BasicAuth{Username: "env:SEGUE_TEST_SHORT", Password: "env:SEGUE_TEST_SECRET"}},
		"basic, short":     {Basic: &delivery.BasicAuth{Username: "env:SEGUE_TEST_SHORT", Password: "env:SEGUE_TEST_SHORT"}},
		"bearer":           {Bearer: "env:SEGUE_TEST_SECRET"},
		"header key":       {APIKey: &delivery.APIKeyAuth{In: "header", Name: "x-key", Key: "env:SEGUE_TEST_SECRET"}},
		"header key short": {APIKey: &delivery.APIKeyAuth{In: "header", Name: "x-key", Key: "env:SEGUE_TEST_SHORT"}},
		"query key":        {APIKey: &delivery.APIKeyAuth{In: "query", Name: "k", Key: "env:SEGUE_TEST_SECRET"}},
		"query key, short": {APIKey: &delivery.APIKeyAuth{In: "query", Name: "k", Key: "env:SEGUE_TEST_SHORT"}},
		"oauth2":           issuer.policy().Auth,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPolicy()
			p.Auth, p.Sign = auth, []delivery.SecretRef{"env:SEGUE_TEST_SIGN"}
			r := newRequest(server.URL + "/?k=mine")
			r.ID += name
			o, seen := newSender(t).SendTraced(context.Background(), p, r)
			require.Equal(t, "ok", o.Class, o.Message)
			text := seen.Request.URL + seen.Request.Body
			for _, h := range seen.Request.Headers {
				text += " " + h.Name + ": " + h.Value
			}
			for _, secret := range []string{canary, "abc", "YWJjOmFiYw", "token-", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
				assert.NotContains(t, text, secret)
			}
			assert.Contains(t, text, "webhook-signature: v1,")
			assert.Contains(t, text, "?k=mine")
			assert.Contains(t, text, "***")
			assert.NotContains(t, seen.Response, canary)
		})
	}
}

func TestAWatchedAttemptThatIsNotSent(t *testing.T) {
	for name, change := range map[string]func(*delivery.Policy, *contract.Request){
		"render":  func(_ *delivery.Policy, r *contract.Request) { r.Fault = "no value" },
		"auth":    func(p *delivery.Policy, _ *contract.Request) { p.Auth.Bearer = "env:SEGUE_TEST_NOT_SET" },
		"blocked": func(_ *delivery.Policy, r *contract.Request) { r.URL = "http://169.254.169.254/" },
		"refused": func(_ *delivery.Policy, r *contract.Request) { r.URL = "http://127.0.0.1:1/" },
	} {
		t.Run(name, func(t *testing.T) {
			p, r := newPolicy(), newRequest("http://127.0.0.1:1/")
			change(&p, &r)
			o, seen := newSender(t).SendTraced(context.Background(), p, r)
			assert.Equal(t, name, o.Class, o.Message)
			assert.False(t, seen.Written)
			assert.Empty(t, seen.Protocol)
			assert.Equal(t, r.URL, seen.Request.URL)
			assert.Contains(t, names(seen.Request.Headers), "Content-Type")
		})
	}
}

// A caller that does not wait leaves the request alone.
func TestAWatchedAttemptGoesOnWithoutItsWatcher(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	server := serve(t, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-arrived
		cancel()
	}()
	o, seen := newSender(t).SendTraced(ctx, newPolicy(), newRequest(server.URL))
	assert.Equal(t, "in_flight", o.Class)
	assert.NotEmpty(t, seen.Request.URL)
	close(release)
}

func TestAWatchedAttemptOverHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(answer(200))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	o, seen := newSender(t, server.Certificate()).SendTraced(context.Background(), newPolicy(), newRequest(server.URL))
	require.Equal(t, "ok", o.Class, o.Message)
	assert.Equal(t, "HTTP/2.0", seen.Protocol)
	assert.Contains(t, names(seen.Request.Headers), "webhook-id")
	assert.NotContains(t, names(seen.Request.Headers), ":path")
}
