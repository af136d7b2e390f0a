package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// lanePhase is what a run of a lane does next. The loop decides it again after each step and
// after each signal.
type lanePhase int

const (
	laneRenews   lanePhase = iota // continues as new: the run's history is long
	laneForwards                  // forwards what does not fit to the tail of the chain
	laneAttempts                  // attempts the next delivery
	lanePasses                    // releases the part behind it
	laneCloses                    // completes: nothing is left here, nor in parts behind it
	laneWaits                     // waits for a retry, an expiry, a signal
)

// phase decides what the run does next. Of several phases that apply the first one counts.
func (r *laneRun) phase(next *item, now time.Time) lanePhase {
	switch {
	case r.isLong() && r.fitsCarrying():
		return laneRenews
	case len(r.Overflow) > 0:
		return laneForwards
	case next != nil && next.isDue(now):
		return laneAttempts
	case r.mayPass():
		return lanePasses
	case r.isDone():
		return laneCloses
	default:
		return laneWaits
	}
}

// loop runs the lane until it closes or continues as new.
func (r *laneRun) loop() error {
	for {
		r.woken = false
		now := workflow.Now(r.ctx)
		expiry := r.expireParked(now)
		r.endChain()
		r.publish()
		next := r.next()
		switch r.phase(next, now) {
		case laneRenews:
			return workflow.NewContinueAsNewError(r.ctx, contract.WorkflowDelivery, r.start, r.CarriedLane)
		case laneForwards:
			r.forward()
		case laneAttempts:
			r.attempt(next)
		case lanePasses:
			r.pass()
		case laneCloses:
			r.reportDrained()
			if !r.woken { // nothing was appended while the report was on its way
				return nil
			}
		case laneWaits:
			r.reportResults(signalLaneResult)
			if err := r.wait(next, expiry); err != nil {
				return fmt.Errorf("lane of %s: %w", r.start.Call, err)
			}
		}
	}
}

// isLong reports whether the history of the run is so long that it should continue as new.
func (r *laneRun) isLong() bool {
	info := workflow.GetInfo(r.ctx)
	return info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() >= renewAfterEvents || r.inbox.received >= renewAfterSignals
}

// fitsCarrying reports whether the next run can be given the backlog. If necessary, it drops
// what the requests were rendered from, and all attempts but the last one of each delivery.
// Only one delivery that is too large by itself still does not fit; then this run goes on. A
// large overflow is forwarded first.
func (r *laneRun) fitsCarrying() bool {
	overflow := 0
	for _, request := range r.Overflow {
		overflow += request.SizeWithSource()
	}
	if overflow > batchSize {
		return false
	}
	if isCarriable(r.CarriedLane) {
		return true
	}
	for _, it := range r.Items {
		it.Request.Source = nil
	}
	if isCarriable(r.CarriedLane) {
		return true
	}
	for _, it := range r.Items {
		it.Attempts = it.Attempts[max(0, len(it.Attempts)-1):]
	}
	return isCarriable(r.CarriedLane)
}
