package workflows

import (
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"segue/interaction/intake"
)

// owedLimit is how many deliveries of one interaction may be open at once. Signals are
// taken beyond it, because Temporal has acknowledged them; updates are refused.
const owedLimit = 10000

// overlong is the size of a history, in bytes, from which on updates are refused until the
// next run: the server terminates a workflow at 50 MiB, and signals cannot be refused.
const overlong = 20 << 20

// OverloadedError refuses an update. Nothing was changed; the update may be sent again.
type OverloadedError struct {
	Owed int
	// Busy: updates that came at the same time are too large together.
	Busy bool
}

func (e *OverloadedError) Error() string {
	if e.Busy {
		return "too much was sent to this interaction at the same time; send the command again in a moment"
	}
	if e.Owed < owedLimit {
		return "the history of this interaction's run is too long, and the run is about to continue as new; " +
			"send the command again in a moment"
	}
	return fmt.Sprintf("%d deliveries of this interaction are not delivered yet, and %d is the limit; "+
		"send the command again later, or redeliver or discard some", e.Owed, owedLimit)
}

const (
	// admittedSize bounds the updates that one workflow task admits, with their answers, in bytes. The
	// server writes all events of a task at once, and terminates a workflow if these have more than 4 MB.
	admittedSize = 2 << 20
	// answerSize is roughly what the answer of one command takes.
	answerSize = 1200
)

// admit is the last check of an update: it returns an error if the present task has admitted too much.
// The run must not use what admit counts for anything else: validators do not run in a replay.
func (r *run) admit(payload []byte, commands int) error {
	size := len(payload) + min(commands*answerSize, resultsSize)
	present := r.task()
	if present.length > 0 && present.admitted > 0 && present.admitted+size > admittedSize {
		return &OverloadedError{Busy: true}
	}
	present.admitted += size
	return nil
}

// checkOverload returns an error if the interaction cannot take one more command as an update. A
// repeat, which fires nothing, is admitted.
func (r *run) checkOverload(a *intake.Arrival) error {
	if r.Seen.Has(a.EventID) {
		return nil
	}
	return r.overload()
}

// checkOverloadOfArray does the same for an array. An array that fires nothing, because its answer was
// lost and it is sent again, is admitted.
func (r *run) checkOverloadOfArray(items []json.RawMessage, updateID string) error {
	overload := r.overload()
	if overload == nil {
		return nil
	}
	for i, item := range items {
		if _, arrival, err := r.readItem(item, itemID(updateID, i)); err == nil && !r.Seen.Has(arrival.EventID) {
			return overload
		}
	}
	return nil
}

// overload returns an OverloadedError if the interaction cannot take more; else nil.
func (r *run) overload() error {
	owed := r.Deliveries.Undelivered + len(r.Outbox.Turns)
	if owed >= owedLimit || workflow.GetInfo(r.ctx).GetCurrentHistorySize() > overlong {
		return &OverloadedError{Owed: owed}
	}
	return nil
}
