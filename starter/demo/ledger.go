package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
)

// Arrival is one request that reached a receiver.
type Arrival struct {
	// ID is the webhook-id, Key the Idempotency-Key.
	ID, Key string
	// Endpoint is receiver and path: "crm /calls/4711".
	Endpoint string
	Method   string
	Body     Digest
	// Status is the response's status code.
	Status int
}

// Digest is the SHA-256 of a body, in hexadecimal.
type Digest string

// DigestOf returns the digest of a body.
func DigestOf(body []byte) Digest {
	sum := sha256.Sum256(body)
	return Digest(hex.EncodeToString(sum[:]))
}

// isFinal reports whether the response ends a delivery: delivered, or permanently refused.
func (a Arrival) isFinal() bool { return a.Status/100 == 2 || a.Status == 400 }

// Ledger records every arrival at all receivers, in order. It is safe for concurrent use.
type Ledger struct {
	mu       sync.Mutex
	arrivals []Arrival
	attempts map[string]int
	settled  map[string]bool
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{attempts: map[string]int{}, settled: map[string]bool{}}
}

// Record adds an arrival with the status that decide returns, and returns the status. decide gets the number of arrivals
// with this id, including this one. The ledger is locked meanwhile, so that two simultaneous arrivals get different
// numbers.
func (l *Ledger) Record(a Arrival, decide func(attempt int) int) (status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts[a.ID]++
	a.Status = decide(l.attempts[a.ID])
	if a.isFinal() {
		l.settled[a.ID] = true
	}
	l.arrivals = append(l.arrivals, a)
	return a.Status
}

// Settled counts the ids that have a final response.
func (l *Ledger) Settled() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.settled)
}

// Len returns the number of arrivals.
func (l *Ledger) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.arrivals)
}

// Arrivals returns a copy of all arrivals.
func (l *Ledger) Arrivals() []Arrival {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.arrivals)
}
