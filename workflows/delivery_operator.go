package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
)

const (
	// keptRefused bounds what a lane shows of signals that changed nothing.
	keptRefused = 5
	// keptAnswer is how much of a failed attempt's response a lane keeps, and byLimit
	// how much of a name, in bytes.
	keptAnswer = 200
	byLimit    = 128
)

// byRetention stands for nobody: a parked delivery's retention ended.
const byRetention = "retention"

// grant does what an operator asked for, to one delivery, to all, or to all that are
// parked. One that is to be rendered again and cannot stays as it is.
func (r *laneRun) grant(name string, wish contract.OperatorRequest) error {
	found := false
	for _, it := range r.Items {
		if !it.isMeant(wish) || wish.Rerender && len(it.Request.Source) == 0 {
			continue
		}
		found = true
		if name == contract.SignalDiscard {
			r.discard(it, excerpt.Of(wish.By, byLimit), it.lastClass())
			continue
		}
		it.again()
		it.Rerender = wish.Rerender
	}
	if name == contract.SignalDiscard && wish.All {
		for _, request := range r.Overflow {
			given := &item{Request: request}
			r.Items = append(r.Items, given)
			r.discard(given, excerpt.Of(wish.By, byLimit), "")
		}
		found, r.Overflow = found || len(r.Overflow) > 0, nil
	}
	switch {
	case found:
		return nil
	case wish.ID != "" && wish.Rerender:
		return fmt.Errorf("%s: no delivery %q waits here that can be rendered again", name, excerpt.Of(wish.ID, 64))
	case wish.ID != "":
		return fmt.Errorf("%s: no delivery %q waits here", name, excerpt.Of(wish.ID, 64))
	default:
		return fmt.Errorf("%s: nothing is parked here; pick a delivery that waits by its id", name)
	}
}

// discard gives a delivery up and notes who did.
func (r *laneRun) discard(it *item, by, class string) {
	now := workflow.Now(r.ctx)
	it.Discarded = &contract.Discarding{At: stamp(now), By: by}
	it.Attempts = it.Attempts[max(0, len(it.Attempts)-1):]
	r.GivenUp++
	r.settle(it, contract.StatusDiscarded, contract.Outcome{Class: class, At: now})
}

// refuse notes a signal that changed nothing, for whoever sent it in the Temporal UI.
func (r *laneRun) refuse(name string, reason error) {
	r.Refused = append(r.Refused, contract.Rejected{
		Command: excerpt.Of(name, 64), Reason: excerpt.Of(reason.Error(), 200), At: stamp(workflow.Now(r.ctx)),
	})
	r.Refused = r.Refused[max(0, len(r.Refused)-keptRefused):]
}
