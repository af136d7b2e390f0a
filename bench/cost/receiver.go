package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"segue/bench"
)

// settleLimit is how long a POST may take to arrive after the interactions have closed.
const settleLimit = 30 * time.Second

// key identifies the POST of a command.
type key struct{ interaction, command string }

// post is one POST that a receiver expects, or got.
type post struct {
	sent, arrived time.Time
	requests      int
	answered      chan struct{} // closed after the first request
	expected      bool
}

// receiver answers every POST after a delay and counts the requests of each command and of each webhook id.
type receiver struct {
	*httptest.Server
	delay, limit time.Duration

	mu    sync.Mutex
	posts map[key]*post
	ids   map[string][sha256.Size]byte // the digest of the body, by webhook id
	// bad is the first request that voids the run.
	bad error
}

func openReceiver(delay time.Duration) *receiver {
	r := &receiver{delay: delay, limit: settleLimit, posts: map[key]*post{}, ids: map[string][sha256.Size]byte{}}
	r.Server = httptest.NewServer(r)
	return r
}

// expect announces the POST of a command that is sent now.
func (r *receiver) expect(interaction, command string) *post {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &post{answered: make(chan struct{}), expected: true, sent: time.Now()}
	r.posts[key{interaction, command}] = p
	return p
}

// ServeHTTP answers one request.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	arrived := time.Now()
	text, err := io.ReadAll(request.Body)
	var b bench.Body
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		r.void(err)
		return
	}
	p, isFirst := r.note(request.Header.Get("webhook-id"), sha256.Sum256(text), key{b.Interaction, b.Command}, arrived)
	time.Sleep(r.delay)
	w.WriteHeader(http.StatusNoContent)
	if isFirst {
		close(p.answered)
	}
}

// note counts a request and reports whether it is the first of its command.
func (r *receiver) note(id string, digest [sha256.Size]byte, k key, arrived time.Time) (p *post, isFirst bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p = r.posts[k]
	if p == nil {
		p = &post{answered: make(chan struct{})}
		r.posts[k] = p
	}
	p.requests++
	before, known := r.ids[id]
	r.ids[id] = digest
	switch {
	case id == "":
		r.setBad(fmt.Errorf("the POST of %v has no webhook-id", k))
	case known && before != digest:
		r.setBad(fmt.Errorf("the webhook-id %s of %v came with two bodies", id, k))
	case known || p.requests > 1:
		r.setBad(fmt.Errorf("the POST of %v came %d times", k, p.requests))
	case !p.expected:
		r.setBad(fmt.Errorf("the POST of %v was not expected", k))
	}
	if p.requests == 1 {
		p.arrived = arrived
	}
	return p, p.requests == 1
}

func (r *receiver) setBad(err error) {
	if r.bad == nil {
		r.bad = err
	}
}

// void voids the run.
func (r *receiver) void(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.setBad(err)
}

// settle waits until every expected POST is answered. It returns an error if the run is void.
func (r *receiver) settle(ctx context.Context) error {
	r.mu.Lock()
	pending := map[key]*post{}
	for k, p := range r.posts {
		pending[k] = p
	}
	r.mu.Unlock()
	limit := time.NewTimer(r.limit)
	defer limit.Stop()
	for k, p := range pending {
		select {
		case <-p.answered:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-limit.C:
			return fmt.Errorf("void: the POST of %v did not arrive within %s", k, r.limit)
		}
	}
	return r.verdict()
}

// verdict returns an error if a request so far voids the run.
func (r *receiver) verdict() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bad != nil {
		return fmt.Errorf("void: %w", r.bad)
	}
	return nil
}

// latency returns the time from sending a command to the arrival of its POST.
func (r *receiver) latency(p *post) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return p.arrived.Sub(p.sent)
}
