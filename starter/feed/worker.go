package feed

import (
	"context"
	"errors"

	"segue/interaction"
	"segue/starter/drive"
)

// worker sends the lines of its share of the interactions, one after the other.
type worker struct {
	target  Target
	options Options
	books   map[drive.Name]*book
	order   []*book
	result  Result
}

func newWorker(target Target, options Options) *worker {
	return &worker{
		target: target, options: options,
		books:  map[drive.Name]*book{},
		result: Result{Runs: map[drive.Name]string{}},
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
		if err := w.send(ctx, w.bookOf(line.Name), line); err != nil {
			return err
		}
		w.options.Progress()
	}
	return w.settle(ctx)
}

// settle asks until it is clear that nobody answers: then the fate of the signals
// stays unknown.
func (w *worker) settle(ctx context.Context) error {
	silent := false
	for _, b := range w.order {
		if silent {
			w.result.Unknown += len(b.sent)
			continue
		}
		err := b.settle(ctx, w.target, &w.result)
		if errors.Is(err, drive.ErrNoWorker) {
			silent = true
			w.result.Unknown += len(b.sent)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) bookOf(n drive.Name) *book {
	b, ok := w.books[n]
	if !ok {
		b = &book{name: n, applied: map[string]bool{}}
		w.books[n] = b
		w.order = append(w.order, b)
	}
	return b
}

func (w *worker) send(ctx context.Context, b *book, line Line) error {
	switch {
	case line.Command == CommandStart:
		return w.start(ctx, b, line)
	case b.received[line.EventID]:
		// An earlier feed has sent it; whether it was refused then is asked in the end.
		b.sent = append(b.sent, sentLine{Line: line, before: true})
		return nil
	case w.options.wayFor(line.Name) == WayUpdate:
		return w.update(ctx, b, line)
	default:
		return w.signal(ctx, b, line)
	}
}

// start does not send what would only fail the workflow.
func (w *worker) start(ctx context.Context, b *book, line Line) error {
	start, err := interaction.DecodeStart(line.Payload)
	if err != nil {
		w.result.reject(line, err.Error())
		return nil
	}
	run, err := w.target.Start(ctx, line.Name, line.Payload, start.Reopen)
	var exists *drive.ExistsError
	switch {
	case errors.As(err, &exists) && b.started:
		w.result.Duplicates++
		return nil
	case errors.As(err, &exists):
		w.result.Duplicates++
		return b.learn(ctx, w.target)
	case err != nil:
		return w.refusedOrFatal(ctx, b, line, err)
	}
	b.started = true
	w.result.Accepted++
	w.result.Runs[line.Name] = run
	return nil
}

func (w *worker) signal(ctx context.Context, b *book, line Line) error {
	if err := w.target.Signal(ctx, line.Name, line.Command, line.Payload); err != nil {
		return w.refusedOrFatal(ctx, b, line, err)
	}
	b.sent = append(b.sent, sentLine{Line: line})
	return nil
}

func (w *worker) update(ctx context.Context, b *book, line Line) error {
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

// refusedOrFatal counts what concerns this line alone, and returns what would
// meet every other line as well.
func (w *worker) refusedOrFatal(ctx context.Context, b *book, line Line, err error) error {
	var refused *drive.RefusedError
	switch {
	case errors.As(err, &refused), errors.Is(err, drive.ErrNotFound):
	case errors.Is(err, drive.ErrCompleted):
		if learned := b.learn(ctx, w.target); learned != nil {
			return learned
		}
		if line.EventID != "" && b.received[line.EventID] {
			b.sent = append(b.sent, sentLine{Line: line, before: true})
			return nil
		}
	default:
		return err
	}
	w.result.reject(line, err.Error())
	return nil
}
