package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// reportEvery is how many results one report of a busy lane carries: each report costs the
// interaction a workflow task.
const reportEvery = 20

// A lane catches up while the receiver takes everything and many deliveries wait that were
// never attempted: they are sent in batches. Otherwise each attempt is an activity of its
// own, which operators can see.
const (
	catchUpFrom = 100
	catchUpSize = 100
)

// attempt sends one delivery, so that the history shows every attempt, or a batch while the
// lane catches up.
func (r *laneRun) attempt(it *item) {
	items := r.batchFrom(it)
	requests := make([]contract.Request, 0, len(items))
	for _, one := range items {
		one.Status = contract.StatusAttempting
	}
	r.publish()
	number := it.Tries + 1
	summary := r.attemptSummary(items)
	for _, one := range items {
		requests = append(requests, r.requestOf(one))
	}
	if it.isSettled() {
		return // an operator discarded it while it was being rendered
	}
	in := contract.AttemptInput{Owner: r.start.Owner, Call: r.start.Call, Requests: requests, Number: number, InLane: true}
	var result contract.AttemptResult
	err := workflow.ExecuteActivity(withAttempt(r.ctx, summary, requests), contract.ActivityAttempt, in).Get(r.ctx, &result)
	if err == nil && (len(result.Outcomes) == 0 || len(result.Outcomes) > len(requests)) {
		err = fmt.Errorf("%d outcomes for %d requests", len(result.Outcomes), len(requests))
	}
	if err != nil {
		// The activity itself failed: its result is unknown, as of an unanswered attempt.
		workflow.GetLogger(r.ctx).Error("attempt without outcome", "delivery", it.Request.ID, "error", err)
		result.Outcomes = []contract.Outcome{unknownOutcome(r.ctx, it.Request)}
	}
	r.changed = true
	for i, one := range items {
		if i < len(result.Outcomes) {
			r.conclude(one, result.Outcomes[i])
		} else if one.Status == contract.StatusAttempting {
			one.Status = contract.StatusWaiting // it is behind a failed one, or time ran short
		}
	}
}

// conclude applies the outcome of one attempt.
func (r *laneRun) conclude(it *item, outcome contract.Outcome) {
	delivered := outcome.Verdict == contract.VerdictDelivered
	r.catchingUp = delivered
	switch {
	case it.isSettled() && delivered:
		it.recordAttempt(outcome)
		r.deliveredAfterAll(it, outcome)
	case it.isSettled(): // an operator discarded it in the meantime
		it.recordAttempt(outcome)
	case delivered:
		it.recordAttempt(outcome)
		r.settleDelivery(it, contract.StatusDelivered, outcome)
		if len(r.Results) >= reportEvery {
			r.reportResults(signalLaneResult)
		}
	default:
		it.fail(outcome, workflow.Now(r.ctx))
		r.reportParked(it, outcome)
	}
}

// deliveredAfterAll corrects the result of a delivery that an operator discarded while its
// request was in flight: the receiver has it.
func (r *laneRun) deliveredAfterAll(it *item, outcome contract.Outcome) {
	it.Status, it.Why, it.Discarded = contract.StatusDelivered, outcome.Message, nil
	r.GivenUp--
	for i := range r.Results {
		if r.Results[i].ID == it.Request.ID {
			r.Results[i] = resultOf(it, outcome)
		}
	}
}

// batchFrom returns the deliveries of one attempt that begins with first: first alone, unless
// the lane catches up. A batch whose activity fails without outcomes is sent again, so a batch
// contains no delivery that must not be repeated.
func (r *laneRun) batchFrom(first *item) []*item {
	alone := []*item{first}
	if !r.catchingUp || !first.isFresh() || first.Request.Once {
		return alone
	}
	var batch []*item
	size := 0
	for _, it := range r.Items[slices.Index(r.Items, first):] {
		if it.isSettled() {
			continue
		}
		size += it.Request.Size()
		if !it.isFresh() || it.Request.Once || size > batchSize || len(batch) == catchUpSize {
			break
		}
		batch = append(batch, it)
	}
	many := r.countOpen() >= catchUpFrom || r.isPart() || r.hasParts()
	if !many || len(batch) == 0 {
		return alone
	}
	return batch
}

func (r *laneRun) attemptSummary(items []*item) string {
	first := items[0]
	switch {
	case len(items) > 1:
		return summaryOf("%s: %s, catching up", r.start.Call, eventsInWords(len(items), first.Request.Sequence, items[len(items)-1].Request.Sequence))
	case first.Of > 0:
		return summaryOf("%s: event %d, attempt %d of %d", r.start.Call, first.Request.Sequence, first.Tries+1, first.Of)
	default:
		return summaryOf("%s: event %d, attempt %d", r.start.Call, first.Request.Sequence, first.Tries+1)
	}
}

// requestOf returns the request of an attempt: the same bytes for every attempt, unless an
// operator asked to render it again. If that fails, only this attempt gets the failed request,
// which parks the delivery with the reason; the old bytes are kept.
func (r *laneRun) requestOf(it *item) contract.Request {
	if !it.Rerender {
		return it.Request.WithoutSource()
	}
	it.Rerender = false
	old := it.Request
	old.Body, old.Headers = "", nil
	summary := summaryOf("%s: event %d, rendered again", r.start.Call, old.Sequence)
	var renewed contract.Request
	in := contract.RenderInput{Owner: r.start.Owner, Request: old}
	if err := workflow.ExecuteActivity(withRender(r.ctx, summary), contract.ActivityRender, in).Get(r.ctx, &renewed); err != nil {
		workflow.GetLogger(r.ctx).Error("rendering again failed", "delivery", old.ID, "error", err)
		return it.Request.WithoutSource()
	}
	if renewed.Fault == "" && !it.isSettled() {
		source := it.Request.Source
		it.Request, it.bytes = renewed, 0
		it.Request.Source = source
	}
	return renewed
}

func (r *laneRun) reportParked(it *item, outcome contract.Outcome) {
	if it.Status != contract.StatusParked || r.Orphaned {
		return
	}
	r.Results = append(r.Results, laneResult{
		ID: it.Request.ID, Status: contract.StatusParked, Moment: it.Request.Moment, Code: outcome.Code, Class: outcome.Class, At: stamp(outcome.At),
		Why: outcome.Message, Version: outcome.Version,
	})
	r.reportResults(signalLaneResult)
}

// wait sleeps until the next delivery is due, a parked one expires, or a signal arrives.
func (r *laneRun) wait(next *item, expiry time.Time) error {
	now := workflow.Now(r.ctx)
	until, summary := expiry, "retention of a parked delivery ends"
	if next != nil && (until.IsZero() || next.Due.Before(until)) {
		until, summary = next.Due, retrySummary(r.start.Call, next, now)
	}
	return r.sleep(r.ctx, until, summary, func() bool { return r.woken })
}

func retrySummary(call string, it *item, now time.Time) string {
	what := it.lastClass()
	if n := len(it.Attempts); n > 0 && it.Attempts[n-1].Code > 0 {
		what = fmt.Sprintf("HTTP %d", it.Attempts[n-1].Code)
	}
	return summaryOf("%s: attempt %d of %d, %s, next in %s", call, it.Tries, it.Of, what, it.Due.Sub(now).Round(time.Second))
}
