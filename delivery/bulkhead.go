package delivery

import "sync"

// DefaultSlots is how many attempts a process holds at once when nobody says more.
const DefaultSlots = 1000

// bulkhead keeps the calls of a process from sinking it: each attempt, whether it
// is under way or waits for its turn, holds one of the slots, and a call may hold
// at most half as many as are free. So one call alone never has more than a third,
// and however many receivers hang, some slots are left for the others.
type bulkhead struct {
	slots int
	mu    sync.Mutex
	held  int
}

// enter takes a slot for a call that holds some already; held is guarded by the
// bulkhead.
func (b *bulkhead) enter(held *int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	free := b.slots - b.held
	if free <= 0 || *held > 0 && *held >= free/2 {
		return false
	}
	b.held++
	*held++
	return true
}

func (b *bulkhead) leave(held *int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held--
	*held--
}
