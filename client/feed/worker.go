package feed

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"

	"segue/client"
)

// worker sends the lines of its share of the interactions one after the other.
type worker struct {
	target   Target
	options  Options
	progress map[client.Name]*progress
	order    []*progress
	result   Result
	// answered reports whether any interaction of the feed has answered; all workers share it.
	answered *atomic.Bool
	// busy is how long this worker has waited for interactions that were reported as stuck.
	busy time.Duration
}

func newWorker(target Target, options Options, answered *atomic.Bool) *worker {
	return &worker{
		target: target, options: options, answered: answered,
		progress: map[client.Name]*progress{},
		result:   Result{Runs: map[client.Name]string{}},
	}
}

// run sends all lines, then queries each interaction for the signals that it refused: the
// sender of a signal gets no answer.
func (w *worker) run(ctx context.Context, q *queue) error {
	defer func() { w.result.Interactions = len(w.order) }()
	for {
		lines, err := q.take()
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			return w.settleInteractions(ctx)
		}
		for _, g := range groupsOf(lines) {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			w.result.Lines += g.size()
			if err := w.send(ctx, w.progressOf(g.name), g); err != nil {
				return err
			}
			for range g.size() {
				w.options.Progress()
			}
		}
	}
}

// silenceLimit is how many interactions of one worker's share may leave a query unanswered, while none of the whole feed
// has answered, before the rest is not queried: then no Segue worker runs, and each query would wait for one.
const silenceLimit = 3

// settleInteractions queries every interaction for its refused signals. One that does not answer changes nothing for the
// others.
func (w *worker) settleInteractions(ctx context.Context) error {
	var noWorker error
	for silences, i := 0, 0; i < len(w.order); i++ {
		p := w.order[i]
		if noWorker == nil || len(p.sent) == 0 || w.answered.Load() {
			isQueried := len(p.sent) > 0
			if err := w.tolerate(p, p.settleSignals(ctx, w.rejected, &w.result)); err != nil {
				return err
			}
			switch {
			case isQueried && p.unanswered == nil:
				w.answered.Store(true)
			case isQueried && errors.Is(p.unanswered, client.ErrNoWorker):
				if silences++; silences == silenceLimit {
					noWorker = p.unanswered
				}
			}
		} else {
			p.markUnknown(noWorker)
		}
		if p.unanswered != nil {
			w.result.addUnanswered(p)
		}
	}
	return nil
}

// tolerate returns an error that concerns the whole feed. It records any other as the reason why the interaction does not
// answer.
func (w *worker) tolerate(p *progress, err error) error {
	if err == nil || isFatal(err) {
		return err
	}
	p.markUnknown(err)
	return nil
}

// isFatal reports whether an error concerns the whole feed: Temporal is unreachable, or denies access.
func isFatal(err error) bool {
	var namespace *serviceerror.NamespaceNotFound
	if errors.Is(err, client.ErrUnreachable) || errors.As(err, &namespace) || errors.Is(err, context.Canceled) {
		return true
	}
	switch serviceerror.ToStatus(err).Code() {
	case codes.PermissionDenied, codes.Unauthenticated, codes.Unavailable, codes.ResourceExhausted:
		return true
	}
	return false
}

func (w *worker) progressOf(n client.Name) *progress {
	p, ok := w.progress[n]
	if !ok {
		p = &progress{name: n, applied: map[string]bool{}}
		w.progress[n] = p
		w.order = append(w.order, p)
	}
	return p
}
