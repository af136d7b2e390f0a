package feed

import (
	"context"

	"segue/client"
	"segue/contract"
)

// progress is what a feed knows of one interaction.
type progress struct {
	name    client.Name
	started bool
	// sent are the lines whose fate only the interaction knows, in order.
	sent []sentLine
	// applied are the event ids that this feed knows to be applied.
	applied map[string]bool
	// received are the event ids that Temporal has on record; nil until asked.
	received map[string]bool
	// unanswered is why the interaction did not answer; nil as long as it may.
	unanswered error
	// unknown are the numbers of the lines whose outcome is not known for that reason.
	unknown []int
}

type sentLine struct {
	Line
	// before says that it was not sent now, because it was before.
	before   bool
	rejected bool
}

func (b *progress) apply(eventID string) {
	if eventID != "" {
		b.applied[eventID] = true
	}
}

// loadReceived asks, once, which event ids the interaction has been sent.
func (b *progress) loadReceived(ctx context.Context, target Target) error {
	if b.received != nil {
		return nil
	}
	received, err := target.Received(ctx, b.name)
	if err != nil {
		return err
	}
	b.received = received
	return nil
}

// markUnknown counts every line whose outcome only the interaction knows as unknown.
func (b *progress) markUnknown(why error) {
	b.unanswered = why
	for _, line := range b.sent {
		b.unknown = append(b.unknown, line.Number)
	}
	b.sent = nil
}

// settleSignals finds out what became of the signals: the interaction lists those that
// it refused; the others were applied, or repeats of what was.
func (b *progress) settleSignals(ctx context.Context, target Target, result *Result) error {
	if len(b.sent) == 0 {
		return nil
	}
	rejected, err := target.Rejected(ctx, b.name)
	if err != nil {
		return err
	}
	for _, entry := range rejected {
		if line := b.lineOf(entry); line != nil {
			line.rejected = true
			result.reject(line.Line, entry.Reason)
		}
	}
	for _, line := range b.sent {
		switch {
		case line.rejected:
		case line.before || line.EventID != "" && b.applied[line.EventID]:
			result.Duplicates++
		default:
			result.Accepted++
			b.apply(line.EventID)
		}
	}
	return nil
}

// lineOf finds the line that an entry of the rejected list tells of: the first
// with its command and event id that no other entry told of.
func (b *progress) lineOf(entry contract.Rejected) *sentLine {
	for i := range b.sent {
		line := &b.sent[i]
		if !line.rejected && line.Command == entry.Command && line.EventID == entry.EventID {
			return line
		}
	}
	return nil
}
