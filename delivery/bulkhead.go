package delivery

import "sync"

// DefaultSlots is how many attempts a process holds at once, in flight or waiting for limits, if
// Options.Slots is 0.
const DefaultSlots = 1000

// bulkhead keeps one call from taking all of a process: each attempt, in flight or
// waiting for its call's limits, holds one of the slots, and a call may hold at most half
// as many as are free. So one call alone never has more than a third, and however many
// receivers hang, some slots are left for the others.
type bulkhead struct {
	slots int
	mu    sync.Mutex
	used  int
}

// acquire takes a slot for a call, if it may have one more; used counts the slots of the
// call and is guarded by the bulkhead.
func (b *bulkhead) acquire(used *int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	free := b.slots - b.used
	if free <= 0 || *used > 0 && *used >= free/2 {
		return false
	}
	b.used++
	*used++
	return true
}

func (b *bulkhead) release(used *int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used--
	*used--
}
