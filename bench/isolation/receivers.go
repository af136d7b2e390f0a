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

// condition is how a receiver is.
type condition int32

const (
	healthy condition = iota
	dead              // it resets every connection
	slow              // it answers after a long time
)

// healthyTakes is how long a healthy receiver takes to answer.
const healthyTakes = 2 * time.Millisecond

// letter is the body of a request.
type letter struct {
	Round       string `json:"round"`
	Interaction string `json:"interaction"`
	Event       int    `json:"event,string"`
	Sequence    int64  `json:"sequence"`
}

// arrival is the first time that a delivery reached its receiver and was answered.
type arrival struct {
	letter
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

	mu      sync.Mutex
	cured   chan struct{} // closed when a slow receiver need not be slow any more
	tries   []time.Time   // requests that it got while it was sick
	repeats int
	seen    map[string]bool
}

func openReceiver(number int, slow time.Duration, arrived chan<- arrival) *receiver {
	r := &receiver{number: number, slow: slow, arrived: arrived, cured: make(chan struct{}), seen: map[string]bool{}}
	r.Server = httptest.NewServer(r)
	return r
}

// turn makes the receiver sick, or cures it; it forgets what came before.
func (r *receiver) turn(c condition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c == healthy {
		close(r.cured)
		r.cured = make(chan struct{})
	} else {
		r.tries = nil
	}
	r.condition.Store(int32(c))
}

// triedAt is when requests came while it was sick.
func (r *receiver) triedAt() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Time(nil), r.tries...)
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	at := time.Now()
	var got letter
	if err := json.NewDecoder(request.Body).Decode(&got); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	c, cured := condition(r.condition.Load()), r.cured
	if c != healthy {
		r.tries = append(r.tries, at)
	}
	r.mu.Unlock()
	switch c {
	case dead:
		reset(w)
		return
	case slow:
		select {
		case <-time.After(r.slow):
		case <-cured:
		case <-request.Context().Done():
			return // nobody waits any more
		}
	default:
		time.Sleep(healthyTakes)
	}
	r.take(arrival{letter: got, receiver: r.number, at: at}, request.Header.Get("webhook-id"))
	w.WriteHeader(http.StatusNoContent)
}

// take passes a delivery's first arrival on; a repeat is only counted.
func (r *receiver) take(a arrival, id string) {
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

// reset breaks the connection off.
func reset(w http.ResponseWriter) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_ = connection.(*net.TCPConn).SetLinger(0) // what follows breaks it either way
	_ = connection.Close()
}
