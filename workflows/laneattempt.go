package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/dispatch"
)

// reportEvery is how many settled deliveries are told of at once while a lane is
// busy: each report costs the interaction a task.
const reportEvery = 20

// attempt sends one delivery, so that every attempt stands in the history.
func (r *laneRun) attempt(it *item) {
	it.Status = dispatch.StatusAttempting
	r.show()
	number := it.Tries + 1
	summary := summaryOf("%s: event %d, attempt %d", r.start.Call, it.Request.Sequence, number)
	if it.Of > 0 {
		summary = summaryOf("%s: event %d, attempt %d of %d", r.start.Call, it.Request.Sequence, number, it.Of)
	}
	request := r.requestOf(it)
	if it.isSettled() {
		return // an operator discarded it while it was rendered
	}
	in := dispatch.AttemptInput{Owner: r.start.Owner, Call: r.start.Call, Requests: []dispatch.Request{request}, Number: number, InLane: true}
	var result dispatch.AttemptResult
	err := workflow.ExecuteActivity(withAttempt(r.ctx, summary), dispatch.ActivityAttempt, in).Get(r.ctx, &result)
	if err == nil && len(result.Outcomes) != 1 {
		err = fmt.Errorf("%d outcomes for one request", len(result.Outcomes))
	}
	if err != nil {
		// The activity itself ended (its time was over without an outcome): as an unanswered attempt.
		workflow.GetLogger(r.ctx).Error("attempt without outcome", "delivery", it.Request.ID, "error", err)
		result.Outcomes = []dispatch.Outcome{{
			ID: it.Request.ID, Verdict: dispatch.VerdictRetry, Class: "timeout", At: workflow.Now(r.ctx),
			RetryIn: time.Minute, Message: "the attempt ended without an outcome",
		}}
	}
	r.changed = true
	if it.isSettled() {
		return // an operator discarded it meanwhile
	}
	outcome := result.Outcomes[0]
	if outcome.Verdict != dispatch.VerdictDelivered {
		it.take(outcome, workflow.Now(r.ctx))
		r.reportParked(it, outcome)
		return
	}
	it.note(outcome)
	r.settle(it, dispatch.StatusDelivered, outcome)
	if len(r.Results) >= reportEvery {
		r.report(signalLaneResult)
	}
}

// requestOf is what an attempt sends: the bytes of every attempt, unless an operator
// asked for new ones. New ones that could not be rendered are only for this attempt,
// which parks the delivery again and says why: the old ones are kept.
func (r *laneRun) requestOf(it *item) dispatch.Request {
	if !it.Rerender {
		return it.Request.WithoutSource()
	}
	it.Rerender = false
	old := it.Request
	old.Body, old.Headers = "", nil
	summary := summaryOf("%s: event %d, rendered anew", r.start.Call, old.Sequence)
	var renewed dispatch.Request
	in := dispatch.RenderInput{Owner: r.start.Owner, Request: old}
	if err := workflow.ExecuteActivity(withRender(r.ctx, summary), dispatch.ActivityRender, in).Get(r.ctx, &renewed); err != nil {
		workflow.GetLogger(r.ctx).Error("rendering anew failed", "delivery", old.ID, "error", err)
		return it.Request.WithoutSource()
	}
	if renewed.Fault == "" && !it.isSettled() {
		source := it.Request.Source
		it.Request = renewed
		it.Request.Source = source
	}
	return renewed
}

func (r *laneRun) reportParked(it *item, outcome dispatch.Outcome) {
	if it.Status != dispatch.StatusParked || r.Orphaned {
		return
	}
	r.Results = append(r.Results, laneResult{
		ID: it.Request.ID, Status: dispatch.StatusParked, Code: outcome.Code, Class: outcome.Class, At: stamp(outcome.At),
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
	awake := func() bool { return r.woken }
	if until.IsZero() {
		return workflow.Await(r.ctx, awake)
	}
	return awaitUntil(r.ctx, until.Sub(now), summary, awake)
}

// awaitUntil sleeps until it is woken or the time is over.
func awaitUntil(ctx workflow.Context, wait time.Duration, summary string, awake func() bool) error {
	timerCtx, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(timerCtx, wait, workflow.TimerOptions{Summary: summary})
	fired := false
	workflow.Go(timerCtx, func(ctx workflow.Context) {
		fired = timer.Get(ctx, nil) == nil
	})
	return workflow.Await(ctx, func() bool { return fired || awake() })
}

func retrySummary(call string, it *item, now time.Time) string {
	what := it.lastClass()
	if n := len(it.Attempts); n > 0 && it.Attempts[n-1].Code > 0 {
		what = fmt.Sprintf("HTTP %d", it.Attempts[n-1].Code)
	}
	return summaryOf("%s: attempt %d of %d, %s, next in %s", call, it.Tries, it.Of, what, it.Due.Sub(now).Round(time.Second))
}

// show brings what operators see up to date: search attributes and current details.
func (r *laneRun) show() {
	if !r.changed {
		return
	}
	r.changed = false
	parked, open := 0, 0
	for _, it := range r.Items {
		if it.Status == dispatch.StatusParked {
			parked++
		}
		if !it.isSettled() {
			open++
		}
	}
	r.write(r.ctx,
		r.keyword(dispatch.AttributeCall, r.start.Call),
		r.keyword(dispatch.AttributeContactCenter, r.start.Owner.ContactCenter),
		r.keyword(dispatch.AttributeInteraction, r.start.Owner.Interaction),
		r.number(dispatch.AttributeParked, parked),
	)
	workflow.SetCurrentDetails(r.ctx, r.details(open, parked))
}

func (r *laneRun) details(open, parked int) string {
	var text strings.Builder
	whose := "interaction `" + r.start.Owner.Interaction + "`"
	if r.start.Owner.Receiver != "" {
		whose = "alerts about `" + r.start.Owner.Receiver + "`"
	}
	fmt.Fprintf(&text, "Lane **%s** of %s: %d to deliver, %d of them parked.\n", r.start.Call, whose, open, parked)
	if parked > 0 {
		text.WriteString("\nParked deliveries wait for a person: send the signal `redeliver` to try again (same id and bytes; " +
			"with the input `{\"rerender\": true}` new bytes, of today's configuration) " +
			"or `discard` to give up; the input `{\"id\": \"…\"}` picks one, without it all parked ones are meant.\n")
	}
	shown := 0
	for _, it := range r.Items {
		if it.isSettled() || shown == 10 {
			continue
		}
		shown++
		fmt.Fprintf(&text, "\n* event %d (%s) `%s`: %s", it.Request.Sequence, it.Request.When, it.Request.ID, it.Status)
		if it.Why != "" {
			fmt.Fprintf(&text, ", %s", excerpt(it.Why, 200))
		}
		if !it.Due.IsZero() && it.Status == dispatch.StatusWaiting {
			fmt.Fprintf(&text, ", next at %s", stamp(it.Due))
		}
	}
	return text.String()
}
