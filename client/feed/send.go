package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"segue/client"
	"segue/contract"
	"segue/interaction"
)

// send sends a group of lines. Lines are sent in order: none passes one that was not answered.
func (w *worker) send(ctx context.Context, p *progress, g group) error {
	commands := g.commands
	switch {
	case g.start != nil && p.unanswered != nil:
		w.finish(p, *g.start, Unknown, nil, p.unanswered)
	case g.start != nil:
		var err error
		if commands, err = w.start(ctx, p, g); err != nil {
			return err
		}
	}
	var unsent []Line
	for _, line := range commands {
		switch {
		case p.unanswered != nil:
			w.finish(p, line, Unknown, nil, p.unanswered)
		case p.received[line.EventID]:
			// An earlier feed has sent it; settleSignals finds out whether it was refused.
			p.sent = append(p.sent, sentLine{Line: line, before: true})
		default:
			unsent = append(unsent, line)
		}
	}
	switch {
	case len(unsent) == 0:
		return nil
	case w.options.modeFor(g.name) == ModeUpdate:
		return w.update(ctx, p, unsent)
	default:
		return w.signal(ctx, p, unsent)
	}
}

// start starts an interaction, and returns the commands that it has not sent with the start. It
// does not send a start that would only fail the workflow.
func (w *worker) start(ctx context.Context, p *progress, g group) (unsent []Line, err error) {
	line := *g.start
	start, err := interaction.DecodeStart(line.Payload)
	if err == nil && (client.Name{ContactCenter: start.ContactCenter, ID: start.ID}) != line.Name {
		err = fmt.Errorf("start: id %q: leave it out, or use the line's interaction", start.ID)
	}
	if err != nil {
		w.finish(p, line, Rejected, nil, err)
		return g.commands, nil
	}
	var with []Line
	var array json.RawMessage
	if len(g.commands) > 0 && p.received == nil && w.options.modeFor(g.name) == ModeSignal {
		with, array = g.commands, arrayOf(g.commands)
	}
	run, err := w.target.StartWith(ctx, line.Name, line.Payload, array, start.Reopen)
	var exists *client.ExistsError
	switch {
	case errors.As(err, &exists) && p.started:
		w.finish(p, line, Duplicate, nil, nil)
		return g.commands, nil
	case errors.As(err, &exists):
		w.finish(p, line, Duplicate, nil, nil)
		return g.commands, w.tolerate(p, p.loadReceived(ctx, w.target))
	case err != nil:
		return g.commands, w.refusedOrFatal(ctx, p, line, err)
	}
	p.started = true
	w.finish(p, line, Accepted, nil, nil)
	if w.options.Finished == nil {
		w.result.Runs[line.Name] = run
	}
	p.addSent(with)
	return g.commands[len(with):], nil
}

// signal sends commands as one signal.
func (w *worker) signal(ctx context.Context, p *progress, lines []Line) error {
	name, payload := lines[0].Command, lines[0].Payload
	if len(lines) > 1 {
		name, payload = contract.SignalCommands, arrayOf(lines)
	}
	if err := w.target.Signal(ctx, p.name, name, payload); err != nil {
		return w.allRefusedOrFatal(ctx, p, lines, err)
	}
	p.addSent(lines)
	if p.ahead += len(payload); p.ahead > maxAhead {
		return w.catchUp(ctx, p)
	}
	return nil
}

// update sends commands as one update.
func (w *worker) update(ctx context.Context, p *progress, lines []Line) error {
	results, err := w.updated(ctx, p.name, lines)
	if err != nil {
		return w.allRefusedOrFatal(ctx, p, lines, err)
	}
	w.shared.noteAnswer()
	for i, line := range lines {
		answer := &results[i].Answer
		switch result := results[i]; {
		case result.Error != nil:
			w.finish(p, line, Rejected, nil, refusalOf(result.Error))
		case result.Duplicate || p.applied[line.EventID]:
			// Temporal answers a repeated update id with the first answer, which is not marked as a repeat.
			w.finish(p, line, Duplicate, answer, nil)
		default:
			w.finish(p, line, Accepted, answer, nil)
			p.markApplied(line.EventID)
		}
	}
	return nil
}

// updated returns one result for each line. It sends them again while their interaction may only be busy, unless one has
// no event id: that could be applied twice.
func (w *worker) updated(ctx context.Context, n client.Name, lines []Line) (results []contract.CommandResult, err error) {
	if slices.ContainsFunc(lines, func(line Line) bool { return line.EventID == "" }) {
		return w.updatedOnce(ctx, n, lines)
	}
	err = w.whileBusy(ctx, func() error {
		results, err = w.updatedOnce(ctx, n, lines)
		return err
	})
	return results, err
}

func (w *worker) updatedOnce(ctx context.Context, n client.Name, lines []Line) ([]contract.CommandResult, error) {
	if len(lines) == 1 {
		answer, err := w.target.Update(ctx, n, lines[0].Command, lines[0].EventID, lines[0].Payload)
		return []contract.CommandResult{{Answer: answer}}, err
	}
	results, err := w.target.Commands(ctx, n, "", arrayOf(lines))
	if err == nil && len(results) != len(lines) {
		err = fmt.Errorf("%s: %d commands have %d results", n, len(lines), len(results))
	}
	return results, err
}

// refusalOf returns the refusal of one command of an array as an error.
func refusalOf(refused *contract.CommandError) error {
	return &client.RefusedError{Type: refused.Type, Message: refused.Message, Refusal: refused.Refusal}
}

// allRefusedOrFatal does what refusedOrFatal does for every line of a message.
func (w *worker) allRefusedOrFatal(ctx context.Context, p *progress, lines []Line, err error) error {
	for _, line := range lines {
		if fatal := w.refusedOrFatal(ctx, p, line, err); fatal != nil {
			return fatal
		}
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
			w.finish(p, line, Unknown, nil, p.unanswered)
			return nil
		}
		if line.EventID != "" && p.received[line.EventID] {
			p.sent = append(p.sent, sentLine{Line: line, before: true})
			return nil
		}
	case isFatal(err):
		return err
	default:
		w.markUnknown(p, err)
		w.finish(p, line, Unknown, nil, err)
		return nil
	}
	w.finish(p, line, Rejected, nil, err)
	return nil
}
