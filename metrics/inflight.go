package metrics

import (
	"sync"
	"time"
)

// inflight are the deliveries that activities of this process have taken and not
// finished: what is being sent, what waits for its call's limits, and what is next
// behind it.
type inflight struct {
	mu      sync.Mutex
	batches map[*Batch]struct{}
}

// Batch is a batch of one lane that an activity has in hand.
type Batch struct {
	inflight *inflight
	call     string
	left     int
	since    time.Time // of the event of the first one left
}

// InFlight notes that this many deliveries of a call are in hand, the first one's event
// having happened at that time. Let them go in the end.
func (i *Instruments) InFlight(call string, deliveries int, first time.Time) *Batch {
	if i == nil {
		return nil
	}
	h := &Batch{inflight: &i.inflight, call: call, left: deliveries, since: first}
	i.inflight.mu.Lock()
	defer i.inflight.mu.Unlock()
	i.inflight.batches[h] = struct{}{}
	return h
}

// Next notes that one is done, and when the next one's event happened.
func (h *Batch) Next(next time.Time) {
	if h == nil {
		return
	}
	h.inflight.mu.Lock()
	defer h.inflight.mu.Unlock()
	h.left--
	h.since = next
}

// Release lets go of what is left.
func (h *Batch) Release() {
	if h == nil {
		return
	}
	h.inflight.mu.Lock()
	defer h.inflight.mu.Unlock()
	delete(h.inflight.batches, h)
}

// holding is what the process has in hand of one call.
type holding struct {
	count  int
	oldest time.Time
}

func (t *inflight) byCall() map[string]holding {
	t.mu.Lock()
	defer t.mu.Unlock()
	calls := map[string]holding{}
	for h := range t.batches {
		sum := calls[h.call]
		sum.count += h.left
		if !h.since.IsZero() && (sum.oldest.IsZero() || h.since.Before(sum.oldest)) {
			sum.oldest = h.since
		}
		calls[h.call] = sum
	}
	return calls
}
