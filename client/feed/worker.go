package feed

import (
	"context"
	"errors"
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
	shared   *shared
	// silences counts the interactions that no worker answered.
	silences int
	// busy is how long this worker has waited in vain for interactions that may have been busy.
	busy time.Duration
}

func newWorker(target Target, options Options, shared *shared) *worker {
	return &worker{
		target: target, options: options, shared: shared,
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
			if err := w.handle(ctx, g); err != nil {
				return err
			}
			for range g.size() {
				w.options.Progress()
			}
		}
	}
}

// handle sends a group. If the outcomes are reported, an outage of Temporal ends the sending and not the
// feed.
func (w *worker) handle(ctx context.Context, g group) error {
	p := w.progressOf(g.name)
	w.expect(p, g)
	if w.options.Prepare != nil {
		g = w.prepared(p, g)
	}
	if w.options.Finished == nil {
		return w.send(ctx, p, g)
	}
	if gone := w.shared.outage(); gone != nil {
		w.abandon(p, gone)
		return nil
	}
	err := w.send(ctx, p, g)
	if err == nil && len(p.sent) > 0 && w.options.modeFor(p.name) == ModeUpdate {
		// Lines that an earlier feed has sent must not hold back the others.
		err = w.tolerate(p, w.settleSignals(ctx, p))
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		w.shared.noteOutage(err)
		w.abandon(p, err)
	case errors.Is(p.unanswered, client.ErrNoWorker) && !w.shared.hasAnswered():
		if w.silences++; w.silences == silenceLimit {
			w.shared.noteOutage(p.unanswered)
		}
	}
	return nil
}

// prepared returns the lines of a group that may be sent.
func (w *worker) prepared(p *progress, g group) group {
	isGood := func(line *Line) bool {
		err := w.options.Prepare(line)
		if err != nil {
			w.finish(p, *line, Rejected, nil, err)
		}
		return err == nil
	}
	if g.start != nil && !isGood(g.start) {
		g.start = nil
	}
	var good []Line
	for i := range g.commands {
		if isGood(&g.commands[i]) {
			good = append(good, g.commands[i])
		}
	}
	g.commands = good
	return g
}

// silenceLimit is how many interactions of one worker's share may leave a query unanswered, while none of the whole feed
// has answered, before the rest is not queried: then no Segue worker runs, and each query would wait for one.
const silenceLimit = 3

// settleInteractions queries every interaction for its refused signals. One that does not answer changes nothing for the
// others.
func (w *worker) settleInteractions(ctx context.Context) error {
	if gone := w.shared.outage(); gone != nil {
		for _, p := range w.order {
			w.abandon(p, gone)
		}
		return nil
	}
	var noWorker error
	for silences, i := 0, 0; i < len(w.order); i++ {
		p := w.order[i]
		if noWorker == nil || len(p.sent) == 0 || w.shared.hasAnswered() {
			isQueried := len(p.sent) > 0
			if err := w.tolerate(p, w.settleSignals(ctx, p)); err != nil {
				return w.breakOff(ctx, err)
			}
			switch {
			case isQueried && p.unanswered == nil:
				w.shared.noteAnswer()
			case isQueried && errors.Is(p.unanswered, client.ErrNoWorker):
				if silences++; silences == silenceLimit {
					noWorker = p.unanswered
				}
			}
		} else {
			w.markUnknown(p, noWorker)
		}
		if p.unanswered != nil && w.options.Finished == nil {
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
	w.markUnknown(p, err)
	return nil
}

// breakOff ends the settling for an error that concerns the whole feed.
func (w *worker) breakOff(ctx context.Context, err error) error {
	if w.options.Finished == nil || ctx.Err() != nil {
		return err
	}
	w.shared.noteOutage(err)
	for _, p := range w.order {
		w.abandon(p, err)
	}
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
		p = &progress{name: n, applied: map[string]bool{}, open: map[int]*outcome{}}
		w.progress[n] = p
		w.order = append(w.order, p)
	}
	return p
}
