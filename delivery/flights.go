package delivery

import (
	"context"
	"sync"
	"time"

	"segue/contract"
)

const (
	// flightMemory is how many ended flights are remembered, flightMemoryFor how
	// long: enough for a workflow task that the server has redone.
	flightMemory    = 10_000
	flightMemoryFor = 5 * time.Minute
	// flightBytes bounds what their outcomes hold: values that receivers return are in them.
	flightBytes = 64 << 20
)

// FlightKey names one attempt of one delivery.
type FlightKey struct {
	ID     string
	Number int
}

// Flight is one attempt that is under way in this process, or has ended there.
type Flight struct {
	done    chan struct{}
	outcome contract.Outcome // written before done is closed
	ended   time.Time
	// told is who has taken a failure as its result, "" for nobody yet.
	told string // guarded by Flights.mu
}

// Done is closed when the attempt has ended.
func (f *Flight) Done() <-chan struct{} { return f.done }

// Outcome is what came of it; only after Done.
func (f *Flight) Outcome() contract.Outcome { return f.outcome }

// Wait waits for the end of the attempt as long as the context lives.
func (f *Flight) Wait(ctx context.Context) (contract.Outcome, bool) {
	select {
	case <-f.done:
		return f.outcome, true
	case <-ctx.Done():
		return contract.Outcome{}, false
	}
}

// Flights makes sure that one attempt is sent once, however often and from where
// it is asked for: whoever asks while it is under way, or soon after, gets the
// same flight. A flight is never cut by the one who asked for it.
type Flights struct {
	mu      sync.Mutex
	flights map[FlightKey]*Flight
	ended   []FlightKey // in order of their end
	bytes   int         // of the outcomes of those
	closed  bool
	running sync.WaitGroup
}

// NewFlights makes an empty table.
func NewFlights() *Flights {
	return &Flights{flights: map[FlightKey]*Flight{}}
}

// Find is the attempt's flight, if this process has sent it for that asker or
// nobody has taken its failure yet.
func (t *Flights) Find(key FlightKey, asker string) (*Flight, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.find(key, asker)
}

// Start gives the attempt's flight, and sends only when there is none. It returns
// nil once the table is closed.
func (t *Flights) Start(key FlightKey, asker string, send func() contract.Outcome) *Flight {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f, ok := t.find(key, asker); ok {
		return f
	}
	if t.closed {
		return nil
	}
	if stale := t.flights[key]; stale != nil {
		t.bytes -= stale.size()
	}
	f := &Flight{done: make(chan struct{})}
	t.flights[key] = f
	t.running.Go(func() { t.land(key, f, send()) })
	return f
}

// Claim notes that the asker takes an attempt's failure as its result. Another one
// that asks for the same number later wants it sent again: an operator's
// redelivery starts the schedule anew. The same one is a repeat by the server.
func (t *Flights) Claim(key FlightKey, asker string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f, ok := t.flights[key]; ok {
		f.told = asker
	}
}

// Close takes no more flights and waits for those under way.
func (t *Flights) Close(ctx context.Context) error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	landed := make(chan struct{})
	go func() {
		t.running.Wait()
		close(landed)
	}()
	select {
	case <-landed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *Flights) land(key FlightKey, f *Flight, outcome contract.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.outcome, f.ended = outcome, time.Now()
	close(f.done)
	if outcome.Free {
		// Nothing was sent and the attempt is still to be made, under the same number.
		delete(t.flights, key)
		return
	}
	t.ended = append(t.ended, key)
	t.bytes += f.size()
	t.forget(f.ended)
}

// forget drops what is too old or too many. A key that was flown twice is in the
// list twice: it goes when its later flight's time has come, or with the overflow.
func (t *Flights) forget(now time.Time) {
	for len(t.ended) > 0 {
		f := t.flights[t.ended[0]]
		if f != nil && f.isOver() {
			if len(t.ended) <= flightMemory && t.bytes <= flightBytes && now.Sub(f.ended) < flightMemoryFor {
				return
			}
			t.bytes -= f.size()
			delete(t.flights, t.ended[0])
		}
		t.ended = t.ended[1:]
	}
}

func (t *Flights) find(key FlightKey, asker string) (*Flight, bool) {
	t.forget(time.Now())
	f, ok := t.flights[key]
	return f, ok && !f.isStale(asker)
}

// size is roughly what the flight's outcome holds, in bytes.
func (f *Flight) size() int {
	n := 300 + len(f.outcome.Message) + len(f.outcome.Excerpt)
	for name, value := range f.outcome.Returns {
		text, _ := value.(string)
		n += 100 + len(name) + len(text)
	}
	return n
}

func (f *Flight) isOver() bool { return !f.ended.IsZero() }

// isStale tells whether the flight is a failure that another asker has had.
func (f *Flight) isStale(asker string) bool {
	return f.isOver() && f.told != "" && f.told != asker && f.outcome.Verdict != contract.VerdictDelivered
}
