package feed

import (
	"context"
	"fmt"
	"slices"

	"segue/client"
	"segue/contract"
)

// progress is what a feed knows about one interaction.
type progress struct {
	name    client.Name
	started bool
	// sent are the lines whose outcome only the interaction knows, in order.
	sent []sentLine
	// ahead is how much was sent as signals since the interaction last answered, in bytes.
	ahead int
	// applied are the event ids that are known to be applied.
	applied map[string]bool
	// received are the event ids that Temporal has on record; nil until they are loaded.
	received map[string]bool
	// unanswered is why the interaction did not answer; nil while it may.
	unanswered error
	// unknown are the numbers of the lines whose outcome is unknown for that reason.
	unknown []int
	// outcomes are those that are not reported yet, in order, and open those of them that are not known,
	// by the numbers of their lines. Both are empty if Finished is not set.
	outcomes []*outcome
	open     map[int]*outcome
}

type sentLine struct {
	Line
	// before reports that an earlier feed, not this one, has sent the line.
	before   bool
	rejected bool
}

// addSent notes lines that were sent as signals, or with a start.
func (p *progress) addSent(lines []Line) {
	for _, line := range lines {
		line.Payload = nil // it is sent
		p.sent = append(p.sent, sentLine{Line: line})
	}
}

func (p *progress) markApplied(eventID string) {
	if eventID != "" {
		p.applied[eventID] = true
	}
}

// loadReceived reads, once, which event ids the interaction has been sent.
func (p *progress) loadReceived(ctx context.Context, target Target) error {
	if p.received != nil {
		return nil
	}
	received, err := target.Received(ctx, p.name)
	if err != nil {
		return err
	}
	p.received = received
	return nil
}

// markUnknown makes every line unknown whose outcome only the interaction knows.
func (w *worker) markUnknown(p *progress, why error) {
	p.unanswered = why
	sent := p.sent
	p.sent = nil
	for _, line := range sent {
		w.finish(p, line.Line, Unknown, nil, why)
	}
}

// settleSignals counts the outcomes of the signals. The interaction lists those that it
// refused; the others were applied or are repeats.
func (w *worker) settleSignals(ctx context.Context, p *progress) error {
	if len(p.sent) == 0 {
		return nil
	}
	rejected, err := w.rejected(ctx, p.name)
	if err != nil {
		return err
	}
	for _, entry := range slices.Backward(rejected) {
		if line := p.lineOf(entry); line != nil {
			line.rejected = true
			w.finish(p, line.Line, Rejected, nil, &RefusedSignalError{Reason: entry.Reason})
		}
	}
	known := p.firstKnown(rejected)
	for i, line := range p.sent {
		switch {
		case line.rejected:
		case i < known:
			w.finish(p, line.Line, Unknown, nil, errRejectedUnlisted)
			p.unanswered = errRejectedUnlisted
		case line.before || line.EventID != "" && p.applied[line.EventID]:
			w.finish(p, line.Line, Duplicate, nil, nil)
		default:
			w.finish(p, line.Line, Accepted, nil, nil)
			p.markApplied(line.EventID)
		}
	}
	p.sent = nil
	return nil
}

// errRejectedUnlisted is why the outcome of a line is unknown although its interaction answers.
var errRejectedUnlisted = fmt.Errorf("it lists the last %d commands that it refused, and may have refused more: send them as updates to learn each result",
	contract.ShownRejected)

// firstKnown returns the first line whose outcome is known: an interaction that lists as many refused signals as it can may
// have refused others before those.
func (p *progress) firstKnown(rejected []contract.Rejected) int {
	if len(rejected) < contract.ShownRejected {
		return 0
	}
	return max(0, slices.IndexFunc(p.sent, func(line sentLine) bool { return line.rejected }))
}

// lineOf finds the line of a refused signal: the last with its command and event id that no
// other refused signal has, because the last ones are listed.
func (p *progress) lineOf(entry contract.Rejected) *sentLine {
	for i := len(p.sent) - 1; i >= 0; i-- {
		line := &p.sent[i]
		command, eventID := contract.Shown(line.Command, line.EventID)
		if !line.rejected && command == entry.Command && eventID == entry.EventID {
			return line
		}
	}
	return nil
}
