package workflows

import (
	"cmp"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
)

// keptAttempts, keptDelivered and keptDiscarded bound what a lane still shows of its past.
const (
	keptAttempts  = 20
	keptDelivered = 50
	keptDiscarded = 100
)

// item is one delivery of a lane.
type item struct {
	Request contract.Request        `json:"request"`
	Status  contract.DeliveryStatus `json:"status"`
	// Tries counts the attempts on the present schedule; Attempts shows the last ones.
	Tries    int                      `json:"tries,omitempty"`
	Attempts []contract.AttemptRecord `json:"attempts,omitempty"`
	// Due is when it is tried next, zero for at once; Expires is when it is given
	// up while parked.
	Due     time.Time `json:"due,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
	// Order is what the lane does behind it while it is parked.
	Order string `json:"order,omitempty"`
	// Of is how many attempts its schedule has.
	Of int `json:"of,omitempty"`
	// Why is the last failure in plain words, and Answer how the response to it began.
	Why    string `json:"why,omitempty"`
	Answer string `json:"answer,omitempty"`
	// Sent counts all attempts that were made; Again how often an operator redelivered.
	Sent  int `json:"sent,omitempty"`
	Again int `json:"again,omitempty"`
	// Discarded says who gave it up, and when.
	Discarded *contract.Discarding `json:"discarded,omitempty"`
	// Rerender says that an operator wants new bytes before the next attempt.
	Rerender bool `json:"rerender,omitempty"`

	bytes int // see size
}

func (it *item) isSettled() bool { return isSettled(it.Status) }

func (it *item) isDue(now time.Time) bool {
	return it.Status != contract.StatusParked && !it.Due.After(now)
}

// isFresh tells whether it has not been tried and nothing but its turn keeps it.
func (it *item) isFresh() bool {
	return it.Status == contract.StatusWaiting && len(it.Attempts) == 0 && it.Due.IsZero() && !it.Rerender
}

// isMeant reports whether an operator means this delivery: by its id, as one of all, or as one that is parked.
func (it *item) isMeant(wish contract.OperatorRequest) bool {
	if wish.All {
		return !it.isSettled()
	}
	if wish.ID == "" {
		return it.Status == contract.StatusParked
	}
	return !it.isSettled() && it.Request.ID == wish.ID
}

func (it *item) lastClass() string {
	if len(it.Attempts) == 0 {
		return ""
	}
	return it.Attempts[len(it.Attempts)-1].Class
}

// take notes a failed attempt and when the next one is, or parks the delivery.
func (it *item) take(outcome contract.Outcome, now time.Time) {
	it.note(outcome)
	it.Why, it.Answer = outcome.Message, excerpt.Of(outcome.Excerpt, keptAnswer)
	if outcome.Of > 0 { // one that ended without an outcome of its own says nothing of the call
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

func (it *item) note(outcome contract.Outcome) {
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

// again starts the schedule anew, at once: an operator asked for it.
func (it *item) again() {
	it.Status, it.Tries = contract.StatusWaiting, 0
	it.Again++
	it.Due, it.Expires = time.Time{}, time.Time{}
}

// settle ends a delivery and notes what the interaction is to hear of it.
func (r *laneRun) settle(it *item, status contract.DeliveryStatus, outcome contract.Outcome) {
	it.Status, it.Why = status, outcome.Message
	it.Answer = ""
	it.Request.Body, it.Request.Headers, it.Request.Source = "", nil, nil // it is not sent any more
	if !r.Orphaned {
		r.Results = append(r.Results, resultOf(it, outcome))
	}
	r.changed = true
	r.forget()
}

// forget drops the oldest settled deliveries.
func (r *laneRun) forget() {
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

// next is the delivery whose turn it is: the first one that is not settled. Behind
// a parked one the lane stops, unless its policy lets the others pass; where the
// order does not matter, the one that is due first is next.
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

func (r *laneRun) isDrained() bool { return r.open() == 0 }

// open counts the deliveries that are not settled.
func (r *laneRun) open() int {
	open := 0
	for _, it := range r.Items {
		if !it.isSettled() {
			open++
		}
	}
	return open
}

// resultOf is what the interaction is told of a delivery.
func resultOf(it *item, outcome contract.Outcome) laneResult {
	return laneResult{
		ID: it.Request.ID, Status: it.Status, Code: outcome.Code, Class: outcome.Class, At: stamp(outcome.At),
		Why: outcome.Message, Version: outcome.Version, Returns: outcome.Returns,
	}
}

// expire discards parked deliveries whose retention has ended, and returns when
// the next one's does.
func (r *laneRun) expire(now time.Time) (soonest time.Time) {
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

// records is the query "deliveries".
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

// reportDrained tells that nothing is left. Of a lane with parts only the lane
// itself may say so to the interaction, and a part says it to the lane.
func (r *laneRun) reportDrained() {
	if r.isPart() {
		r.report(signalLaneResult)
		r.tellPassed()
		return
	}
	r.report(signalLaneDrained)
}

// report tells the interaction what became of deliveries it handed over. When it
// has ended, nobody wants to know any more.
func (r *laneRun) report(name string) {
	if r.Orphaned || len(r.Results) == 0 && name == signalLaneResult {
		return
	}
	results := r.Results
	r.Results = nil
	message := laneReport{Call: r.start.Call, Results: results, Last: r.Last}
	owner := contract.InteractionWorkflowID(r.start.Owner.ContactCenter, r.start.Owner.Interaction)
	if err := workflow.SignalExternalWorkflow(r.ctx, owner, "", name, message).Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Debug("the interaction has ended", "error", err)
		r.Orphaned = true
	}
}
