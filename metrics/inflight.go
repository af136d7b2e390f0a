package metrics

import (
	"sync"
	"time"
)

// inflight are the deliveries that activities of this process have taken and not
// finished: those that are being sent, that wait for their call's limits, and that are next
// behind one.
type inflight struct {
	mu      sync.Mutex
	batches map[*Batch]struct{}
}

// Batch is the batch of one lane that an activity has in flight.
type Batch struct {
	inflight *inflight
	call     string
	left     int
	since    time.Time // of the event of the first one left
}

// InFlight counts a number of deliveries of a call as in flight; first is when the event of
// the first of them happened. Release the batch in the end.
func (i *Instruments) InFlight(call string, deliveries int, first time.Time) *Batch {
	if i == nil {
		return nil
	}
	b := &Batch{inflight: &i.inflight, call: call, left: deliveries, since: first}
	i.inflight.mu.Lock()
	defer i.inflight.mu.Unlock()
	i.inflight.batches[b] = struct{}{}
	return b
}

// Next counts one delivery as finished; next is when the event of the next one happened.
func (b *Batch) Next(next time.Time) {
	if b == nil {
		return
	}
	b.inflight.mu.Lock()
	defer b.inflight.mu.Unlock()
	b.left--
	b.since = next
}

// Release counts what is left as no longer in flight.
func (b *Batch) Release() {
	if b == nil {
		return
	}
	b.inflight.mu.Lock()
	defer b.inflight.mu.Unlock()
	delete(b.inflight.batches, b)
}

// callInFlight is what the process has in flight of one call.
type callInFlight struct {
	count  int
	oldest time.Time
}

func (i *inflight) byCall() map[string]callInFlight {
	i.mu.Lock()
	defer i.mu.Unlock()
	calls := map[string]callInFlight{}
	for b := range i.batches {
		sum := calls[b.call]
		sum.count += b.left
		if !b.since.IsZero() && (sum.oldest.IsZero() || b.since.Before(sum.oldest)) {
			sum.oldest = b.since
		}
		calls[b.call] = sum
	}
	return calls
}
