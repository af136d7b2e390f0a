package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"
)

// condition is how a receiver behaves.
type condition int32

const (
	healthy condition = iota
	dead              // it resets every connection
	slow              // it answers after a long time
)

// healthyTakes is how long a healthy receiver takes to answer.
const healthyTakes = 2 * time.Millisecond

// delivered is the body of a request.
type delivered struct {
	Round       string `json:"round"`
	Interaction string `json:"interaction"`
	Event       int    `json:"event,string"`
	Sequence    int64  `json:"sequence"`
}

// arrival is the first request of a delivery that its receiver answered.
type arrival struct {
	delivered
	receiver int
	at       time.Time
}

// receiver is one HTTP server.
type receiver struct {
	*httptest.Server
	number    int
	condition atomic.Int32
	slow      time.Duration
	arrived   chan<- arrival

	mu        sync.Mutex
	recovered chan struct{} // closed when the receiver recovers, which ends the slow answers
	attempts  []time.Time   // of the requests that came while it was degraded
	repeats   int
	seen      map[string]bool
}

func openReceiver(number int, slow time.Duration, arrived chan<- arrival) *receiver {
	r := &receiver{number: number, slow: slow, arrived: arrived, recovered: make(chan struct{}), seen: map[string]bool{}}
	r.Server = httptest.NewServer(r)
	return r
}

// setCondition changes how the receiver behaves. Degrading it forgets the attempts so far.
func (r *receiver) setCondition(c condition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c == healthy {
		close(r.recovered)
		r.recovered = make(chan struct{})
	} else {
		r.attempts = nil
	}
	r.condition.Store(int32(c))
}

// attemptedAt returns when requests came while the receiver was degraded.
func (r *receiver) attemptedAt() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Time(nil), r.attempts...)
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	at := time.Now()
	var got delivered
	if err := json.NewDecoder(request.Body).Decode(&got); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	c, recovered := condition(r.condition.Load()), r.recovered
	if c != healthy {
		r.attempts = append(r.attempts, at)
	}
	r.mu.Unlock()
	switch c {
	case dead:
		reset(w)
		return
	case slow:
		select {
		case <-time.After(r.slow):
		case <-recovered:
		case <-request.Context().Done():
			return // the client has gone
		}
	default:
		time.Sleep(healthyTakes)
	}
	r.note(arrival{delivered: got, receiver: r.number, at: at}, request.Header.Get("webhook-id"))
	w.WriteHeader(http.StatusNoContent)
}

// note reports the first arrival of a delivery, and counts a repeat.
func (r *receiver) note(a arrival, id string) {
	r.mu.Lock()
	seen := r.seen[id]
	r.seen[id] = true
	if seen {
		r.repeats++
	}
	r.mu.Unlock()
	if !seen {
		r.arrived <- a
	}
}

// reset resets the connection.
func reset(w http.ResponseWriter) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_ = connection.(*net.TCPConn).SetLinger(0) // without it, the connection is closed instead of reset
	_ = connection.Close()
}
