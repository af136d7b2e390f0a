package bench

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
)

// SettleLimit is how long a POST may take to arrive after the interactions have closed.
const SettleLimit = 30 * time.Second

// key identifies the POST of a command.
type key struct{ interaction, command string }

// Expected is one POST that a receiver expects, or got.
type Expected struct {
	// Sent is when its command was sent.
	Sent     time.Time
	arrived  time.Time
	requests int
	answered chan struct{} // closed after the first request
	expected bool
}

// Receiver answers every POST after a delay and counts the requests of each command and of each webhook id.
type Receiver struct {
	*httptest.Server
	delay time.Duration
	// Limit is how long Settle waits; OpenReceiver sets SettleLimit.
	Limit time.Duration

	mu    sync.Mutex
	posts map[key]*Expected
	ids   map[string][sha256.Size]byte // the digest of the body, by webhook id
	// bad is the first request that voids the run.
	bad error
}

// OpenReceiver returns a receiver that takes so long to answer.
func OpenReceiver(delay time.Duration) *Receiver {
	r := &Receiver{delay: delay, Limit: SettleLimit, posts: map[key]*Expected{}, ids: map[string][sha256.Size]byte{}}
	r.Server = httptest.NewServer(r)
	return r
}

// Expect announces the POST of a command that is sent now.
func (r *Receiver) Expect(interaction, command string) *Expected {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &Expected{answered: make(chan struct{}), expected: true, Sent: time.Now()}
	r.posts[key{interaction, command}] = p
	return p
}

// ServeHTTP answers one request.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	arrived := time.Now()
	text, err := io.ReadAll(request.Body)
	var b Body
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
func (r *Receiver) note(id string, digest [sha256.Size]byte, k key, arrived time.Time) (p *Expected, isFirst bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p = r.posts[k]
	if p == nil {
		p = &Expected{answered: make(chan struct{})}
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

func (r *Receiver) setBad(err error) {
	if r.bad == nil {
		r.bad = err
	}
}

// void voids the run.
func (r *Receiver) void(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.setBad(err)
}

// Settle waits until every expected POST is answered. It returns an error if the run is void.
func (r *Receiver) Settle(ctx context.Context) error {
	r.mu.Lock()
	pending := map[key]*Expected{}
	for k, p := range r.posts {
		pending[k] = p
	}
	r.mu.Unlock()
	limit := time.NewTimer(r.Limit)
	defer limit.Stop()
	for k, p := range pending {
		select {
		case <-p.answered:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-limit.C:
			return fmt.Errorf("void: the POST of %v did not arrive within %s", k, r.Limit)
		}
	}
	return r.verdict()
}

// verdict returns an error if a request so far voids the run.
func (r *Receiver) verdict() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bad != nil {
		return fmt.Errorf("void: %w", r.bad)
	}
	return nil
}

// Latency returns the time from sending a command to the arrival of its POST.
func (r *Receiver) Latency(p *Expected) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return p.arrived.Sub(p.Sent)
}

// Answered is closed when the POST is answered.
func (e *Expected) Answered() <-chan struct{} { return e.answered }
