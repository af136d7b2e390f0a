package feed

import (
	"context"
	"errors"
	"sync/atomic"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"

	"segue/client"
	"segue/interaction"
)

// worker sends the lines of its share of the interactions, one after the other.
type worker struct {
	target   Target
	options  Options
	progress map[client.Name]*progress
	order    []*progress
	result   Result
	// answered says that some interaction of the feed has answered; all workers share it.
	answered *atomic.Bool
}

func newWorker(target Target, options Options, answered *atomic.Bool) *worker {
	return &worker{
		target: target, options: options, answered: answered,
		progress: map[client.Name]*progress{},
		result:   Result{Runs: map[client.Name]string{}},
	}
}

// run sends until there are no more lines, then asks each interaction what it
// refused: a signal's sender is not told.
func (w *worker) run(ctx context.Context, lines <-chan Line) error {
	defer func() { w.result.Interactions = len(w.order) }()
	for line := range lines {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		w.result.Lines++
		if err := w.send(ctx, w.progressOf(line.Name), line); err != nil {
			return err
		}
		w.options.Progress()
	}
	return w.settleInteractions(ctx)
}

// silenceLimit is how many interactions of one worker's share may stay silent one after the other before the rest is not
// asked, as long as none of the whole feed has answered: then no worker runs, and each question would wait for one.
const silenceLimit = 3

// settleInteractions asks every interaction what it refused. One that cannot answer changes nothing for the others.
func (w *worker) settleInteractions(ctx context.Context) error {
	var noWorker error
	for silences, i := 0, 0; i < len(w.order); i++ {
		b := w.order[i]
		if noWorker == nil || len(b.sent) == 0 || w.answered.Load() {
			asked := len(b.sent) > 0
			if err := w.tolerate(b, b.settleSignals(ctx, w.target, &w.result)); err != nil {
				return err
			}
			switch {
			case asked && b.unanswered == nil:
				w.answered.Store(true)
			case asked && errors.Is(b.unanswered, client.ErrNoWorker):
				if silences++; silences == silenceLimit {
					noWorker = b.unanswered
				}
			}
		} else {
			b.markUnknown(noWorker)
		}
		if b.unanswered != nil {
			w.result.unanswered(b)
		}
	}
	return nil
}

// tolerate returns an error that would meet every other interaction as well. Any other is why this one does not answer.
func (w *worker) tolerate(b *progress, err error) error {
	if err == nil || isFatal(err) {
		return err
	}
	b.markUnknown(err)
	return nil
}

// isFatal reports whether an error concerns the whole feed: Temporal is away, or denies access.
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
	b, ok := w.progress[n]
	if !ok {
		b = &progress{name: n, applied: map[string]bool{}}
		w.progress[n] = b
		w.order = append(w.order, b)
	}
	return b
}

func (w *worker) send(ctx context.Context, b *progress, line Line) error {
	switch {
	case b.unanswered != nil:
		// Its lines are sent in order: none goes past one that was not answered.
		b.unknown = append(b.unknown, line.Number)
		return nil
	case line.Command == CommandStart:
		return w.start(ctx, b, line)
	case b.received[line.EventID]:
		// An earlier feed has sent it; whether it was refused then is asked in the end.
		b.sent = append(b.sent, sentLine{Line: line, before: true})
		return nil
	case w.options.modeFor(line.Name) == ModeUpdate:
		return w.update(ctx, b, line)
	default:
		return w.signal(ctx, b, line)
	}
}

// start does not send what would only fail the workflow.
func (w *worker) start(ctx context.Context, b *progress, line Line) error {
	start, err := interaction.DecodeStart(line.Payload)
	if err != nil {
		w.result.reject(line, err.Error())
		return nil
	}
	run, err := w.target.Start(ctx, line.Name, line.Payload, start.Reopen)
	var exists *client.ExistsError
	switch {
	case errors.As(err, &exists) && b.started:
		w.result.Duplicates++
		return nil
	case errors.As(err, &exists):
		w.result.Duplicates++
		return w.tolerate(b, b.loadReceived(ctx, w.target))
	case err != nil:
		return w.refusedOrFatal(ctx, b, line, err)
	}
	b.started = true
	w.result.Accepted++
	w.result.Runs[line.Name] = run
	return nil
}

func (w *worker) signal(ctx context.Context, b *progress, line Line) error {
	if err := w.target.Signal(ctx, line.Name, line.Command, line.Payload); err != nil {
		return w.refusedOrFatal(ctx, b, line, err)
	}
	b.sent = append(b.sent, sentLine{Line: line})
	return nil
}

func (w *worker) update(ctx context.Context, b *progress, line Line) error {
	answer, err := w.target.Update(ctx, line.Name, line.Command, line.EventID, line.Payload)
	switch {
	case err != nil:
		return w.refusedOrFatal(ctx, b, line, err)
	case answer.Duplicate || b.applied[line.EventID]:
		// A repeated update id gets its first answer again, without a word of that.
		w.result.Duplicates++
	default:
		w.result.Accepted++
		b.apply(line.EventID)
	}
	return nil
}

// refusedOrFatal counts what concerns this line or its interaction, and returns what would
// meet every other one as well.
func (w *worker) refusedOrFatal(ctx context.Context, b *progress, line Line, err error) error {
	var refused *client.RefusedError
	switch {
	case errors.As(err, &refused), errors.Is(err, client.ErrNotFound):
	case errors.Is(err, client.ErrCompleted):
		if learned := w.tolerate(b, b.loadReceived(ctx, w.target)); learned != nil {
			return learned
		}
		if b.unanswered != nil {
			b.unknown = append(b.unknown, line.Number)
			return nil
		}
		if line.EventID != "" && b.received[line.EventID] {
			b.sent = append(b.sent, sentLine{Line: line, before: true})
			return nil
		}
	case isFatal(err):
		return err
	default:
		b.markUnknown(err)
		b.unknown = append(b.unknown, line.Number)
		return nil
	}
	w.result.reject(line, err.Error())
	return nil
}
