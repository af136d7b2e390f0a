package main

import (
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
)

// delivered is the body of a request: which command caused it, and the sequence of its event.
type delivered struct {
	Number   string `json:"number"`
	Sequence int64  `json:"sequence"`
}

// receiver accepts every request at once, unless it is down, and keeps track of what has arrived.
type receiver struct {
	*httptest.Server
	down atomic.Bool

	mu      sync.Mutex
	bodies  map[string][sha256.Size]byte // by delivery id
	numbers map[string]int               // deliveries by the number of their command
	last    int64
	tally
}

// tally is what a receiver counts.
type tally struct {
	// Arrived is how many deliveries arrived at least once.
	Arrived int `json:"arrived"`
	// Repeated is how often one arrived again with the same bytes, Changed with others.
	Repeated int `json:"repeated"`
	Changed  int `json:"changed"`
	// Reordered is how many arrived after one of a later event.
	Reordered int `json:"reordered"`
	// Doubled is how many commands caused more than one delivery, Lost how many none.
	Doubled int `json:"doubled"`
	Lost    int `json:"lost"`
}

func openReceiver() *receiver {
	r := &receiver{bodies: map[string][sha256.Size]byte{}, numbers: map[string]int{}}
	r.Server = httptest.NewServer(r)
	return r
}

// ServeHTTP answers one request.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if r.down.Load() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	body, err := io.ReadAll(request.Body)
	var l delivered
	if err == nil {
		err = json.Unmarshal(body, &l)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.note(request.Header.Get("webhook-id"), l, sha256.Sum256(body))
}

func (r *receiver) note(id string, l delivered, digest [sha256.Size]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, again := r.bodies[id]; again {
		if before == digest {
			r.Repeated++
		} else {
			r.Changed++
		}
		return
	}
	r.bodies[id] = digest
	r.Arrived++
	if l.Sequence < r.last {
		r.Reordered++
	}
	r.last = max(r.last, l.Sequence)
	if r.numbers[l.Number]++; r.numbers[l.Number] == 2 {
		r.Doubled++
	}
}

// commands returns how many commands caused a delivery.
func (r *receiver) commands() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.numbers)
}

func (r *receiver) counts() tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tally
}
