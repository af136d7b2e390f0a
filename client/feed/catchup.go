package feed

import (
	"context"
	"errors"
	"time"

	"segue/client"
	"segue/contract"
)

const (
	// maxAhead is how much is sent to one interaction as signals before it has to answer, in bytes. A signal cannot be
	// refused, and the server ends a workflow whose history has 50 MB.
	maxAhead = 1 << 20
	// busyLimit is how long all interactions of one worker's share may be reported as stuck together, before that is
	// taken for true: Temporal reports it of a workflow, too, that gets more signals than its task can handle in time.
	busyLimit = 30 * time.Second
	busyPause = 250 * time.Millisecond
)

// catchUp waits until an interaction has handled what it was sent: Temporal answers a query after that.
func (w *worker) catchUp(ctx context.Context, p *progress) error {
	_, err := w.rejected(ctx, p.name)
	p.ahead = 0
	return w.tolerate(p, err)
}

// rejected returns the signals that an interaction has refused. It asks again while the interaction may only be busy.
func (w *worker) rejected(ctx context.Context, n client.Name) ([]contract.Rejected, error) {
	for {
		rejected, err := w.target.Rejected(ctx, n)
		if !errors.Is(err, client.ErrStuck) || w.busy >= busyLimit {
			return rejected, err
		}
		w.busy += busyPause
		pause := time.NewTimer(busyPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil, context.Cause(ctx)
		case <-pause.C:
		}
	}
}
