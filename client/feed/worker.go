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

// worker sends the lines of its share of the interactions one after the other.
type worker struct {
	target   Target
	options  Options
	progress map[client.Name]*progress
	order    []*progress
	result   Result
	// answered reports whether any interaction of the feed has answered; all workers share it.
	answered *atomic.Bool
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
			if err := w.tolerate(p, p.settleSignals(ctx, w.target, &w.result)); err != nil {
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

func (w *worker) send(ctx context.Context, p *progress, line Line) error {
	switch {
	case p.unanswered != nil:
		// Lines are sent in order: none passes one that was not answered.
		p.unknown = append(p.unknown, line.Number)
		return nil
	case line.Command == CommandStart:
		return w.start(ctx, p, line)
	case p.received[line.EventID]:
		// An earlier feed has sent it; settleInteractions finds out whether it was refused.
		p.sent = append(p.sent, sentLine{Line: line, before: true})
		return nil
	case w.options.modeFor(line.Name) == ModeUpdate:
		return w.update(ctx, p, line)
	default:
		return w.signal(ctx, p, line)
	}
}

// start starts an interaction. It does not send a start that would only fail the workflow.
func (w *worker) start(ctx context.Context, p *progress, line Line) error {
	start, err := interaction.DecodeStart(line.Payload)
	if err != nil {
		w.result.reject(line, err.Error())
		return nil
	}
	run, err := w.target.Start(ctx, line.Name, line.Payload, start.Reopen)
	var exists *client.ExistsError
	switch {
	case errors.As(err, &exists) && p.started:
		w.result.Duplicates++
		return nil
	case errors.As(err, &exists):
		w.result.Duplicates++
		return w.tolerate(p, p.loadReceived(ctx, w.target))
	case err != nil:
		return w.refusedOrFatal(ctx, p, line, err)
	}
	p.started = true
	w.result.Accepted++
	w.result.Runs[line.Name] = run
	return nil
}

func (w *worker) signal(ctx context.Context, p *progress, line Line) error {
	if err := w.target.Signal(ctx, line.Name, line.Command, line.Payload); err != nil {
		return w.refusedOrFatal(ctx, p, line, err)
	}
	p.sent = append(p.sent, sentLine{Line: line})
	return nil
}

func (w *worker) update(ctx context.Context, p *progress, line Line) error {
	answer, err := w.target.Update(ctx, line.Name, line.Command, line.EventID, line.Payload)
	switch {
	case err != nil:
		return w.refusedOrFatal(ctx, p, line, err)
	case answer.Duplicate || p.applied[line.EventID]:
		// Temporal answers a repeated update id with the first answer, which is not marked as a repeat.
		w.result.Duplicates++
	default:
		w.result.Accepted++
		p.markApplied(line.EventID)
	}
	return nil
}

// refusedOrFatal counts an error that concerns this line or its interaction, and returns one
// that concerns the whole feed.
func (w *worker) refusedOrFatal(ctx context.Context, p *progress, line Line, err error) error {
	var refused *client.RefusedError
	switch {
	case errors.As(err, &refused), errors.Is(err, client.ErrNotFound):
	case errors.Is(err, client.ErrCompleted):
		if learned := w.tolerate(p, p.loadReceived(ctx, w.target)); learned != nil {
			return learned
		}
		if p.unanswered != nil {
			p.unknown = append(p.unknown, line.Number)
			return nil
		}
		if line.EventID != "" && p.received[line.EventID] {
			p.sent = append(p.sent, sentLine{Line: line, before: true})
			return nil
		}
	case isFatal(err):
		return err
	default:
		p.markUnknown(err)
		p.unknown = append(p.unknown, line.Number)
		return nil
	}
	w.result.reject(line, err.Error())
	return nil
}
