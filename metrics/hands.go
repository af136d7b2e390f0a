package metrics

import (
	"sync"
	"time"
)

// hands are the deliveries that activities of this process have taken and not
// finished: what is being sent, what waits for its call's limits, and what is next
// behind it.
type hands struct {
	mu   sync.Mutex
	held map[*Hold]struct{}
}

// Hold is a batch of one lane that an activity has in hand.
type Hold struct {
	hands *hands
	call  string
	left  int
	since time.Time // of the event of the first one left
}

// Hold notes that this many deliveries of a call are in hand, the first one's event
// having happened at that time. Let them go in the end.
func (i *Instruments) Hold(call string, deliveries int, first time.Time) *Hold {
	if i == nil {
		return nil
	}
	h := &Hold{hands: &i.hands, call: call, left: deliveries, since: first}
	i.hands.mu.Lock()
	defer i.hands.mu.Unlock()
	i.hands.held[h] = struct{}{}
	return h
}

// Next notes that one is done, and when the next one's event happened.
func (h *Hold) Next(next time.Time) {
	if h == nil {
		return
	}
	h.hands.mu.Lock()
	defer h.hands.mu.Unlock()
	h.left--
	h.since = next
}

// Release lets go of what is left.
func (h *Hold) Release() {
	if h == nil {
		return
	}
	h.hands.mu.Lock()
	defer h.hands.mu.Unlock()
	delete(h.hands.held, h)
}

// holding is what the process has in hand of one call.
type holding struct {
	count  int
	oldest time.Time
}

func (t *hands) byCall() map[string]holding {
	t.mu.Lock()
	defer t.mu.Unlock()
	calls := map[string]holding{}
	for h := range t.held {
		sum := calls[h.call]
		sum.count += h.left
		if !h.since.IsZero() && (sum.oldest.IsZero() || h.since.Before(sum.oldest)) {
			sum.oldest = h.since
		}
		calls[h.call] = sum
	}
	return calls
}
