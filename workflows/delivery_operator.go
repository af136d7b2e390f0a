package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
)

const (
	// keptRefused bounds the refused signals that a lane lists.
	keptRefused = 5
	// keptAnswer bounds what a lane keeps of a failed attempt's response, and byLimit what
	// it keeps of a name, in bytes.
	keptAnswer = 200
	byLimit    = 128
)

// byRetention stands in for a person where a parked delivery's retention ended.
const byRetention = "retention"

// applyRequest redelivers or discards, for an operator: one delivery, all of them, or all
// parked ones. A delivery that is to be rendered again and cannot be stays as it is.
func (r *laneRun) applyRequest(name string, request contract.OperatorRequest) error {
	found := false
	by := excerpt.Of(request.By, byLimit)
	for _, it := range r.Items {
		if !it.isMeant(request) || request.Rerender && len(it.Request.Source) == 0 {
			continue
		}
		found = true
		if name == contract.SignalDiscard {
			r.discard(it, by, it.lastClass())
			continue
		}
		it.redeliver()
		it.Rerender = request.Rerender
	}
	if name == contract.SignalDiscard && request.All && r.discardOverflow(by) {
		found = true
	}
	switch {
	case found:
		return nil
	case request.ID != "" && request.Rerender:
		return fmt.Errorf("%s: this workflow has no open delivery %q that can be rendered again", name, excerpt.Of(request.ID, 64))
	case request.ID != "":
		return fmt.Errorf("%s: this workflow has no open delivery %q", name, excerpt.Of(request.ID, 64))
	default:
		return fmt.Errorf("%s: this workflow has no parked delivery; name a waiting one by its id", name)
	}
}

// discardOverflow discards what need not be forwarded, and reports whether there was any.
func (r *laneRun) discardOverflow(by string) bool {
	reserved := r.reserved()
	discarded := r.Overflow[reserved:]
	r.Overflow = r.Overflow[:reserved]
	for _, request := range discarded {
		it := &item{Request: request}
		r.Items = append(r.Items, it)
		r.discard(it, by, "")
	}
	return len(discarded) > 0
}

// discard gives a delivery up and records who did.
func (r *laneRun) discard(it *item, by, class string) {
	now := workflow.Now(r.ctx)
	it.Discarded = &contract.Discarding{At: stamp(now), By: by}
	it.Attempts = it.Attempts[max(0, len(it.Attempts)-1):]
	r.GivenUp++
	r.settleDelivery(it, contract.StatusDiscarded, contract.Outcome{Class: class, At: now})
}

// discardOutdated discards a delivery that was not sent, because what it says is no longer true.
func (r *laneRun) discardOutdated(it *item, outcome contract.Outcome) {
	it.Discarded = &contract.Discarding{At: stamp(workflow.Now(r.ctx)), By: contract.DiscardedAsOutdated}
	it.Attempts = append(it.Attempts, contract.AttemptRecord{At: stamp(outcome.At), Class: outcome.Class, MS: outcome.MS, Version: outcome.Version})
	it.Attempts = it.Attempts[max(0, len(it.Attempts)-keptAttempts):]
	r.GivenUp++
	r.settleDelivery(it, contract.StatusDiscarded, outcome)
}

// hurryInvitations lets the invitations that wait for a retry be tried at once when another one came behind them: their
// attempts are over, which the next try finds.
func (r *laneRun) hurryInvitations() {
	if !r.invitedAgain {
		return
	}
	r.invitedAgain = false
	late := r.lateInvitations()
	// Without any, the version is not asked for: a replay of this would settle it for what the run does later.
	if len(late) == 0 || versionOf(r.ctx, changeOutdatedCallback) == workflow.DefaultVersion {
		return
	}
	for _, it := range late {
		it.Due = time.Time{}
	}
}

// lateInvitations returns the invitations that wait for a retry with another one behind them.
func (r *laneRun) lateInvitations() (late []*item) {
	isLatest := true
	for _, it := range slices.Backward(r.Items) {
		if it.Request.Engagement == nil {
			continue
		}
		if !isLatest && it.Status == contract.StatusWaiting && !it.Due.IsZero() {
			late = append(late, it)
		}
		isLatest = false
	}
	return late
}

// isOutdated reports whether an attempt has found that a delivery is no longer true.
func isOutdated(ctx workflow.Context, outcome contract.Outcome) bool {
	return outcome.Verdict == contract.VerdictOutdated && versionOf(ctx, changeOutdatedCallback) != workflow.DefaultVersion
}

// listRefused lists a signal that changed nothing, for its sender in the Temporal UI.
func (r *laneRun) listRefused(name string, reason error) {
	r.Refused = append(r.Refused, contract.Rejected{
		Command: excerpt.Of(name, 64), Reason: excerpt.Of(reason.Error(), 200), At: stamp(workflow.Now(r.ctx)),
	})
	r.Refused = r.Refused[max(0, len(r.Refused)-keptRefused):]
}
