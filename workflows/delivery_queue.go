package workflows

import (
	"cmp"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
)

// keptAttempts, keptDelivered and keptDiscarded bound how much of its past a lane still shows.
const (
	keptAttempts  = 20
	keptDelivered = 50
	keptDiscarded = 100
)

// item is one delivery of a lane.
type item struct {
	Request contract.Request        `json:"request"`
	Status  contract.DeliveryStatus `json:"status"`
	// Tries counts the attempts on the current schedule; Attempts are the last ones.
	Tries    int                      `json:"tries,omitempty"`
	Attempts []contract.AttemptRecord `json:"attempts,omitempty"`
	// Due is when it is attempted next, zero for at once. Expires is when a parked
	// delivery is discarded.
	Due     time.Time `json:"due,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
	// Order is the call's order policy: which deliveries may pass this one.
	Order string `json:"order,omitempty"`
	// Of is how many attempts its schedule has.
	Of int `json:"of,omitempty"`
	// Why is the message of the last failure, and Answer the beginning of its response.
	Why    string `json:"why,omitempty"`
	Answer string `json:"answer,omitempty"`
	// Sent counts all attempts, and Again the redeliveries.
	Sent  int `json:"sent,omitempty"`
	Again int `json:"again,omitempty"`
	// Discarded says who discarded it, and when.
	Discarded *contract.Discarding `json:"discarded,omitempty"`
	// Recovered says that an audit recovered it from a run that was ended from outside.
	Recovered bool `json:"recovered,omitempty"`
	// Rerender makes the next attempt render the request again.
	Rerender bool `json:"rerender,omitempty"`

	bytes int // see size
}

func (it *item) isSettled() bool { return isSettled(it.Status) }

func (it *item) isDue(now time.Time) bool {
	return it.Status != contract.StatusParked && !it.Due.After(now)
}

// isFresh reports whether it has never been attempted and waits only for those before it.
func (it *item) isFresh() bool {
	return it.Status == contract.StatusWaiting && len(it.Attempts) == 0 && it.Due.IsZero() && !it.Rerender
}

// isMeant reports whether an operator's request is for this delivery: by its id, as one of
// all, or as one that is parked.
func (it *item) isMeant(request contract.OperatorRequest) bool {
	switch {
	case request.All:
		return !it.isSettled()
	case request.ID == "":
		return it.Status == contract.StatusParked
	default:
		return !it.isSettled() && it.Request.ID == request.ID
	}
}

func (it *item) lastClass() string {
	if len(it.Attempts) == 0 {
		return ""
	}
	return it.Attempts[len(it.Attempts)-1].Class
}

// fail records a failed attempt, and schedules the next one or parks the delivery.
func (it *item) fail(outcome contract.Outcome, now time.Time) {
	it.recordAttempt(outcome)
	it.Why, it.Answer = outcome.Message, excerpt.Of(outcome.Excerpt, keptAnswer)
	if outcome.Of > 0 { // an attempt without an outcome of its own does not know the call's policy
		it.Of, it.Order = outcome.Of, outcome.Order
	}
	if !outcome.Free {
		it.Tries++
	}
	if outcome.Verdict == contract.VerdictRetry {
		it.Status, it.Due = contract.StatusWaiting, now.Add(outcome.RetryIn)
		return
	}
	it.Status = contract.StatusParked
	if outcome.Retention > 0 {
		it.Expires = now.Add(outcome.Retention)
	}
}

func (it *item) recordAttempt(outcome contract.Outcome) {
	if !outcome.Free {
		it.Sent++
	}
	it.Attempts = append(it.Attempts, contract.AttemptRecord{
		At: stamp(outcome.At), Code: outcome.Code, Class: outcome.Class, MS: outcome.MS, Version: outcome.Version,
	})
	if len(it.Attempts) > keptAttempts {
		it.Attempts = it.Attempts[1:]
	}
}

// redeliver restarts the schedule at once, for an operator.
func (it *item) redeliver() {
	it.Status, it.Tries = contract.StatusWaiting, 0
	it.Again++
	it.Due, it.Expires = time.Time{}, time.Time{}
}

// settleDelivery ends a delivery and queues its result for the interaction.
func (r *laneRun) settleDelivery(it *item, status contract.DeliveryStatus, outcome contract.Outcome) {
	it.Status, it.Why = status, outcome.Message
	it.Answer = ""
	it.Request.Body, it.Request.Headers, it.Request.Source = "", nil, nil // it is never sent again
	if !r.Orphaned {
		r.Results = append(r.Results, resultOf(it, outcome))
	}
	r.changed = true
	r.dropOldest()
}

// dropOldest drops the oldest settled deliveries.
func (r *laneRun) dropOldest() {
	surplus := map[contract.DeliveryStatus]int{contract.StatusDelivered: -keptDelivered, contract.StatusDiscarded: -keptDiscarded}
	for _, it := range r.Items {
		surplus[it.Status]++
	}
	kept := make([]*item, 0, len(r.Items)) // not in place: a caller may be walking them
	for _, it := range r.Items {
		if it.isSettled() && surplus[it.Status] > 0 {
			surplus[it.Status]--
			continue
		}
		kept = append(kept, it)
	}
	r.Items = kept
}

// next returns the delivery to attempt next, or nil: the first one that is not settled. A
// parked delivery blocks those behind it unless its order policy lets them pass. Of unordered
// deliveries, the one that is due first is next.
func (r *laneRun) next() *item {
	var next *item
	if r.isHeld() {
		return nil
	}
	for _, it := range r.Items {
		if it.isSettled() {
			continue
		}
		if it.Status == contract.StatusParked {
			if it.Order != "skip" && it.Order != "unordered" {
				return next
			}
			continue
		}
		if next == nil || it.Due.Before(next.Due) {
			next = it
		}
		if next.Order != "unordered" {
			return next
		}
	}
	return next
}

func (r *laneRun) isDrained() bool { return r.countOpen() == 0 }

// countOpen counts the deliveries that are not settled.
func (r *laneRun) countOpen() int {
	open := 0
	for _, it := range r.Items {
		if !it.isSettled() {
			open++
		}
	}
	return open
}

// resultOf returns what is reported to the interaction of a delivery.
func resultOf(it *item, outcome contract.Outcome) laneResult {
	return laneResult{
		ID: it.Request.ID, Status: it.Status, Code: outcome.Code, Class: outcome.Class, At: stamp(outcome.At),
		Why: outcome.Message, Version: outcome.Version, Returns: outcome.Returns,
	}
}

// expireParked discards parked deliveries whose retention has ended, and returns when the
// next retention ends.
func (r *laneRun) expireParked(now time.Time) (soonest time.Time) {
	for _, it := range r.Items {
		if it.Status != contract.StatusParked || it.Expires.IsZero() {
			continue
		}
		if !it.Expires.After(now) {
			r.discard(it, byRetention, "expired")
			continue
		}
		if soonest.IsZero() || it.Expires.Before(soonest) {
			soonest = it.Expires
		}
	}
	return soonest
}

// records answers the query "deliveries".
func (r *laneRun) records() ([]contract.DeliveryRecord, error) {
	records := make([]contract.DeliveryRecord, 0, len(r.Items))
	for _, it := range r.Items {
		record := contract.DeliveryRecord{
			ID: it.Request.ID, Call: it.Request.Call, Moment: it.Request.Moment, Sequence: it.Request.Sequence,
			Status: it.Status, Why: it.Why, Answer: it.Answer, Version: it.Request.Version, Sent: it.Sent, Discarded: it.Discarded,
			CanRerender: len(it.Request.Source) > 0, Attempts: append([]contract.AttemptRecord{}, it.Attempts...),
		}
		if !it.Request.At.IsZero() {
			record.EventAt = stamp(it.Request.At)
		}
		if it.Status == contract.StatusWaiting && !it.Due.IsZero() {
			record.Due = stamp(it.Due)
		}
		if n := len(it.Attempts); n > 0 {
			last := it.Attempts[n-1]
			record.Code, record.Class, record.At = last.Code, last.Class, last.At
			record.Version = cmp.Or(last.Version, record.Version)
		}
		records = append(records, record)
	}
	return records, nil
}

// reportDrained reports the last results to the interaction. Only the lane itself, not a
// part of it, reports that the lane is drained.
func (r *laneRun) reportDrained() {
	if r.isPart() {
		r.reportResults(signalLaneResult)
		return
	}
	r.reportResults(signalLaneDrained)
}

// reportResults reports the results of deliveries to the interaction, until it has ended.
func (r *laneRun) reportResults(name string) {
	if r.Orphaned || len(r.Results) == 0 && name == signalLaneResult {
		return
	}
	results := r.Results
	r.Results = nil
	message := laneReport{Call: r.start.Call, Results: results, Last: r.Last, FirstRunID: r.start.Owner.FirstRunID}
	owner := contract.InteractionWorkflowID(r.start.Owner.ContactCenter, r.start.Owner.Interaction)
	if err := workflow.SignalExternalWorkflow(r.ctx, owner, "", name, message).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Debug("the interaction has ended", "error", err)
		r.Orphaned = true
	}
}
