package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// reportEvery is how many settled deliveries are told of at once while a lane is
// busy: each report costs the interaction a task.
const reportEvery = 20

// Catching up: while the receiver takes everything and many wait that it has not
// seen, they go a batch at a time. An attempt each is for what operators look at.
const (
	catchUpFrom = 100
	catchUpSize = 100
)

// attempt sends one delivery, so that every attempt stands in the history; or many
// at once while the lane catches up.
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
		return // an operator discarded it while it was rendered
	}
	in := contract.AttemptInput{Owner: r.start.Owner, Call: r.start.Call, Requests: requests, Number: number, InLane: true}
	var result contract.AttemptResult
	err := workflow.ExecuteActivity(withAttempt(r.ctx, summary, requests), contract.ActivityAttempt, in).Get(r.ctx, &result)
	if err == nil && (len(result.Outcomes) == 0 || len(result.Outcomes) > len(requests)) {
		err = fmt.Errorf("%d outcomes for %d requests", len(result.Outcomes), len(requests))
	}
	if err != nil {
		// The activity itself ended: as an unanswered attempt.
		workflow.GetLogger(r.ctx).Error("attempt without outcome", "delivery", it.Request.ID, "error", err)
		result.Outcomes = []contract.Outcome{unknownOutcome(r.ctx, it.Request)}
	}
	r.changed = true
	for i, one := range items {
		if i < len(result.Outcomes) {
			r.conclude(one, result.Outcomes[i])
		} else if one.Status == contract.StatusAttempting {
			one.Status = contract.StatusWaiting // behind one that failed, or time ran short
		}
	}
}

// conclude notes what came of one attempt.
func (r *laneRun) conclude(it *item, outcome contract.Outcome) {
	delivered := outcome.Verdict == contract.VerdictDelivered
	r.catchingUp = delivered
	switch {
	case it.isSettled() && delivered:
		it.note(outcome)
		r.deliveredAfterAll(it, outcome)
	case it.isSettled(): // an operator discarded it meanwhile
		it.note(outcome)
	case delivered:
		it.note(outcome)
		r.settle(it, contract.StatusDelivered, outcome)
		if len(r.Results) >= reportEvery {
			r.report(signalLaneResult)
		}
	default:
		it.take(outcome, workflow.Now(r.ctx))
		r.reportParked(it, outcome)
	}
}

// deliveredAfterAll corrects what was told of a delivery that an operator discarded
// while its request was on the way: the receiver has it.
func (r *laneRun) deliveredAfterAll(it *item, outcome contract.Outcome) {
	it.Status, it.Why, it.Discarded = contract.StatusDelivered, outcome.Message, nil
	r.GivenUp--
	for i := range r.Results {
		if r.Results[i].ID == it.Request.ID {
			r.Results[i] = resultOf(it, outcome)
		}
	}
}

// batchFrom is what goes with a delivery in one attempt: itself alone, unless the
// lane catches up. A batch whose activity ends without outcomes is sent again, so
// what must not be repeated is in none.
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
	many := r.open() >= catchUpFrom || r.isPart() || len(r.Parts) > 0
	if !many || len(batch) == 0 {
		return alone
	}
	return batch
}

func (r *laneRun) attemptSummary(items []*item) string {
	first := items[0]
	switch {
	case len(items) > 1:
		return summaryOf("%s: events %d to %d, catching up", r.start.Call, first.Request.Sequence, items[len(items)-1].Request.Sequence)
	case first.Of > 0:
		return summaryOf("%s: event %d, attempt %d of %d", r.start.Call, first.Request.Sequence, first.Tries+1, first.Of)
	default:
		return summaryOf("%s: event %d, attempt %d", r.start.Call, first.Request.Sequence, first.Tries+1)
	}
}

// requestOf is what an attempt sends: the bytes of every attempt, unless an operator
// asked for new ones. New ones that could not be rendered are only for this attempt,
// which parks the delivery again and says why: the old ones are kept.
func (r *laneRun) requestOf(it *item) contract.Request {
	if !it.Rerender {
		return it.Request.WithoutSource()
	}
	it.Rerender = false
	old := it.Request
	old.Body, old.Headers = "", nil
	summary := summaryOf("%s: event %d, rendered anew", r.start.Call, old.Sequence)
	var renewed contract.Request
	in := contract.RenderInput{Owner: r.start.Owner, Request: old}
	if err := workflow.ExecuteActivity(withRender(r.ctx, summary), contract.ActivityRender, in).Get(r.ctx, &renewed); err != nil {
		workflow.GetLogger(r.ctx).Error("rendering anew failed", "delivery", old.ID, "error", err)
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
	r.report(signalLaneResult)
}

// wait sleeps until the next delivery is due, a parked one expires, or a signal comes.
func (r *laneRun) wait(next *item, expiry time.Time) error {
	now := workflow.Now(r.ctx)
	until, summary := expiry, "retention of parked deliveries"
	if next != nil && (until.IsZero() || next.Due.Before(until)) {
		until, summary = next.Due, retrySummary(r.start.Call, next, now)
	}
	if r.awaitsOther() && (until.IsZero() || r.asks.Before(until)) {
		until, summary = r.asks, summaryOf("%s: asks whose turn it is", r.start.Call)
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
