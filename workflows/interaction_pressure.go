package workflows

import (
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"segue/interaction/intake"
)

// owedLimit is how many deliveries of one interaction may be open at once. Signals
// are taken beyond it, for Temporal has acknowledged them; updates are not.
const owedLimit = 10000

// overlong is the size of a history, in bytes, from which on updates wait for the next
// run: the server ends a workflow at 50 MiB, and takes in signals all the time.
const overlong = 20 << 20

// OverloadedError refuses an update: nothing was changed, and it may be sent again.
type OverloadedError struct{ Owed int }

func (e *OverloadedError) Error() string {
	if e.Owed < owedLimit {
		return "the history of this interaction's run is too long to go on, and it is about to continue as new; " +
			"send the command again in a moment"
	}
	return fmt.Sprintf("%d deliveries of this interaction are not delivered yet, and %d is the most; "+
		"send the command again later, or redeliver or discard some", e.Owed, owedLimit)
}

// mayTake tells an update's validator whether the interaction can be charged with
// what one more command fires. A repeat, which fires nothing, is answered.
func (r *run) mayTake(a *intake.Arrival) error {
	if r.Seen.Has(a.EventID) {
		return nil
	}
	return r.overload()
}

// mayTakeArray is the same for an array: one that fires nothing, because its answer
// was lost and it is sent again, is answered.
func (r *run) mayTakeArray(items []json.RawMessage, updateID string) error {
	overload := r.overload()
	if overload == nil {
		return nil
	}
	for i, item := range items {
		if _, arrival, err := readItem(item, itemID(updateID, i)); err == nil && !r.Seen.Has(arrival.EventID) {
			return overload
		}
	}
	return nil
}

// overload is nil while the interaction may be charged with more.
func (r *run) overload() error {
	owed := r.Deliveries.Undelivered + len(r.Outbox.Turns)
	if owed >= owedLimit || workflow.GetInfo(r.ctx).GetCurrentHistorySize() > overlong {
		return &OverloadedError{Owed: owed}
	}
	return nil
}
