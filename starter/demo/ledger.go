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
	// Status is what was answered.
	Status int
}

// Digest stands for the bytes of a body.
type Digest string

// DigestOf gives the digest of a body.
func DigestOf(body []byte) Digest {
	sum := sha256.Sum256(body)
	return Digest(hex.EncodeToString(sum[:]))
}

// isFinal tells whether the answer settles a delivery: done, or refused for good.
func (a Arrival) isFinal() bool { return a.Status/100 == 2 || a.Status == 400 }

// Ledger is every arrival at all receivers, in one order.
type Ledger struct {
	mu       sync.Mutex
	arrivals []Arrival
	attempts map[string]int
	settled  map[string]bool
}

// NewLedger is an empty one.
func NewLedger() *Ledger {
	return &Ledger{attempts: map[string]int{}, settled: map[string]bool{}}
}

// Enter records an arrival. The status is decided inside, knowing the how manieth
// arrival of that id this is, so that two at once cannot both be the first.
func (l *Ledger) Enter(a Arrival, decide func(attempt int) int) (status int) {
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

// Settled counts the ids that got a final answer.
func (l *Ledger) Settled() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.settled)
}

// Len counts all arrivals.
func (l *Ledger) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.arrivals)
}

// Arrivals is a copy of the ledger as it is now.
func (l *Ledger) Arrivals() []Arrival {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.arrivals)
}
