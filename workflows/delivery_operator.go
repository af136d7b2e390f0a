package workflows

import (
	"fmt"

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

// listRefused lists a signal that changed nothing, for its sender in the Temporal UI.
func (r *laneRun) listRefused(name string, reason error) {
	r.Refused = append(r.Refused, contract.Rejected{
		Command: excerpt.Of(name, 64), Reason: excerpt.Of(reason.Error(), 200), At: stamp(workflow.Now(r.ctx)),
	})
	r.Refused = r.Refused[max(0, len(r.Refused)-keptRefused):]
}
