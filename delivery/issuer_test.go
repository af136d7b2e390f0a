package delivery_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"segue/contract"
	"segue/delivery"
)

// issuer is a token endpoint that knows which of its tokens are valid.
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
		r.FormValue("scope") != "calls write" || r.FormValue("audience") != "crm" {
		w.WriteHeader(401)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":"not %s"}`, secret)
		return
	}
	i.valid = fmt.Sprintf("token-canary-%d", n)
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":%d}`, i.valid, i.expires)
}

// fails makes the endpoint respond with this instead; nil makes it issue tokens again.
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
		Scopes: []string{"calls", "write"}, Params: []delivery.Param{{Name: "audience", Value: "crm"}}}
	return p
}

// receiver accepts the valid tokens, and repeats what it was sent.
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

func numbered(url string, n int) contract.Request {
	r := newRequest(url)
	r.ID = fmt.Sprintf("msg_%d", n)
	return r
}

func writeJSON(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}
