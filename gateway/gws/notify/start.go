package notify

import (
	"context"
	"time"
)

const (
	// startLimit is how long after its start a notifier has sessions wait for it.
	startLimit = 5 * time.Second
	// startEvery is how often they look.
	startEvery = 10 * time.Millisecond
)

// AwaitStart waits until the notifier is past the changes of the last minutes, which the index of a new process reads
// again: a session that is opened before is sent them, as if they happened now. It waits no longer than the bus may
// need to connect.
func (n *Notifier) AwaitStart(ctx context.Context) {
	for n.isStarting() {
		if pause(ctx, startEvery) != nil {
			return
		}
	}
}

func (n *Notifier) isStarting() bool {
	isCaught, end := n.options.Index.Health().Caught, n.options.Index.End()
	n.lock()
	defer n.mu.Unlock()
	if !n.present && isCaught && n.reading {
		n.present = n.at.Epoch == end.Epoch && n.at.Sequence >= end.Sequence
	}
	return !n.present && time.Since(n.made) < startLimit
}
