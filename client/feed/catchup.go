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
	// busyLimit is how long one worker of a feed waits in vain, in all, for interactions that may only be busy. Temporal
	// reports a workflow as stuck, too, that gets more signals than its task can handle in time, or whose tasks were not
	// finished because Segue's workers were killed, which takes ten seconds each. A query is lost with its worker.
	busyLimit = time.Minute
	busyPause = 250 * time.Millisecond
)

// catchUp waits until an interaction has handled what it was sent: Temporal answers a query after that.
func (w *worker) catchUp(ctx context.Context, p *progress) error {
	_, err := w.rejected(ctx, p.name)
	p.ahead = 0
	return w.tolerate(p, err)
}

// rejected returns the signals that an interaction has refused. It asks again while the interaction may only be busy.
func (w *worker) rejected(ctx context.Context, n client.Name) (rejected []contract.Rejected, err error) {
	err = w.whileBusy(ctx, func() error {
		rejected, err = w.target.Rejected(ctx, n)
		return err
	})
	return rejected, err
}

// whileBusy repeats a call while its interaction may only be busy. A wait that ended well counts for nothing, so that
// those who are stuck permanently use up the limit, and delay the others for no longer.
func (w *worker) whileBusy(ctx context.Context, call func() error) error {
	began := time.Now()
	for {
		err := call()
		if !w.maybeBusy(err) {
			return err
		}
		if waited := time.Since(began); w.busy+waited >= busyLimit {
			w.busy += waited
			return err
		}
		pause := time.NewTimer(busyPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return context.Cause(ctx)
		case <-pause.C:
		}
	}
}

func (w *worker) maybeBusy(err error) bool {
	return errors.Is(err, client.ErrStuck) || errors.Is(err, client.ErrNoWorker) && w.shared.hasAnswered()
}
