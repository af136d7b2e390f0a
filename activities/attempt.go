package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"segue/alerts"
	"segue/config"
	"segue/contract"
	"segue/delivery"
)

const (
	// attemptMargin is the part of an activity's time that is kept for everything but the
	// request: the wait for the call's limits, and the answer to Temporal.
	attemptMargin = 10 * time.Second
	// heartbeats is how many heartbeats are sent within the activity's heartbeat timeout.
	heartbeats = 3
)

// Attempt sends requests of one lane in order. It stops at the first that is not delivered,
// when the worker stops, and when the activity's time runs short. Failures of the receiver
// are in the result, never an error.
func (a *Activities) Attempt(ctx context.Context, in contract.AttemptInput) (contract.AttemptResult, error) {
	t := &attempting{Activities: a, ctx: ctx, in: in, set: a.Config(), info: activity.GetInfo(ctx)}
	t.caller = t.info.WorkflowExecution.RunID + "/" + t.info.ActivityID
	t.resume()
	t.resumed = len(t.outcomes)
	inFlight := t.inFlight()
	defer inFlight.Release()
	for i := len(t.outcomes); i < len(in.Requests); i++ {
		if i > 0 && !t.hasTime() {
			break
		}
		outcome := t.send(i)
		if outcome.Verdict == contract.VerdictFinal && in.InLane {
			t.Alerts.Parked(ctx, in.Owner, in.Requests[i], outcome)
		}
		t.outcomes = append(t.outcomes, outcome)
		if outcome.Verdict != contract.VerdictDelivered {
			break
		}
		if i+1 < len(in.Requests) {
			inFlight.Next(in.Requests[i+1].At)
			if ctx.Err() == nil {
				activity.RecordHeartbeat(ctx, t.outcomes)
			}
		}
	}
	return contract.AttemptResult{Outcomes: t.outcomes}, nil
}

// attempting is the state of one Attempt.
type attempting struct {
	*Activities
	ctx    context.Context
	in     contract.AttemptInput
	set    *config.Set
	info   activity.Info
	caller string // names this activity, over its retries by Temporal

	outcomes []contract.Outcome
	resumed  int // outcomes of an earlier run of this activity
}

// resume takes the deliveries of an earlier run of this activity, on a worker that died, from
// its heartbeat: they are not sent again.
func (t *attempting) resume() {
	var done []contract.Outcome
	if !activity.HasHeartbeatDetails(t.ctx) || activity.GetHeartbeatDetails(t.ctx, &done) != nil {
		return
	}
	for i, outcome := range done {
		if i >= len(t.in.Requests) || outcome.ID != t.in.Requests[i].ID || outcome.Verdict != contract.VerdictDelivered {
			return
		}
		t.outcomes = append(t.outcomes, outcome)
	}
}

// mayHaveBeenSent reports whether an earlier run of this activity, in a process that died or
// did not answer, may have sent a request that must not be repeated.
func (t *attempting) mayHaveBeenSent(r contract.Request, number int, p delivery.Policy) bool {
	if t.info.Attempt <= 1 || p.Idempotent {
		return false
	}
	_, here := t.Sender.Find(r.ID, number, t.caller)
	return !here
}

// hasTime reports whether there is time for another request of the batch. The workflow keeps
// what is not sent: it has no outcome.
func (t *attempting) hasTime() bool {
	select {
	case <-t.ctx.Done():
		return false
	case <-activity.GetWorkerStopChannel(t.ctx):
		return false
	default:
	}
	call, ok := t.set.Call(t.in.Call)
	return !ok || t.info.Deadline.IsZero() || time.Until(t.info.Deadline) > call.Policy.Timeout+attemptMargin
}

// send makes the attempt of one request, or adopts the one that Dispatch, or an earlier run
// of this activity, has in flight in this process.
func (t *attempting) send(i int) contract.Outcome {
	r := t.in.Requests[i]
	call, ok := t.set.Call(r.Call)
	switch {
	case r.Fault != "":
		return t.countUnsent(r, delivery.Unrendered(t.policyOf(call, ok), r))
	case !ok:
		return t.countUnsent(r, delivery.Unconfigured(t.set.Version, r))
	}
	number := 1
	if i == 0 {
		number = max(t.in.Number, 1)
	}
	if i == t.resumed && t.mayHaveBeenSent(r, number, call.Policy) {
		return t.countUnsent(r, delivery.Unknown(call.Policy, r, number))
	}
	attempt := t.Sender.Start(call.Policy, r, number, t.caller)
	t.await(attempt)
	outcome := attempt.Outcome()
	t.Alerts.Observe(alerts.Attempt{
		Owner: t.in.Owner, Request: r, Outcome: outcome, InLane: t.in.InLane, BreakerOpen: t.Sender.Health(call.Policy).Open(),
	})
	if outcome.Verdict != contract.VerdictDelivered {
		t.Sender.Claim(r.ID, number, t.caller)
	}
	return withoutSchedule(outcome)
}

// await waits for an attempt to end, and sends heartbeats. It does not end with the context: an
// outcome that can still be recorded saves a second request, and the policy's deadline bounds
// the wait.
func (t *attempting) await(attempt *delivery.Attempt) {
	if t.info.HeartbeatTimeout <= 0 {
		<-attempt.Done()
		return
	}
	beat := time.NewTicker(t.info.HeartbeatTimeout / heartbeats)
	defer beat.Stop()
	for {
		select {
		case <-attempt.Done():
			return
		case <-beat.C:
			if t.ctx.Err() == nil { // else Temporal no longer waits for it
				activity.RecordHeartbeat(t.ctx, t.outcomes)
			}
		}
	}
}

func (t *attempting) policyOf(call *config.Call, ok bool) delivery.Policy {
	if !ok {
		return delivery.Policy{Version: t.set.Version}
	}
	return call.Policy
}
