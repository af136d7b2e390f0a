package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// lanePhase is what a run of a lane does next. It depends on the state of the run alone, and is
// decided again after each step and each signal. If the conditions of several phases hold, the
// first of them counts.
//
//	phase       the run                                         when
//	----------  ----------------------------------------------  ------------------------------------------
//	renewing    continues as new                                it is long, and the next run can be given all
//	forwarding  forwards to the tail of the chain of parts      deliveries do not fit, or the tail is not linked
//	attempting  attempts a delivery, or a batch of them         the next delivery is due
//	passing     releases the part behind it                     what it holds is settled or lets others pass
//	closing     reports the last results and completes          nothing is left, here or in parts behind it
//	waiting     reports results; waits for a retry, an expiry   otherwise
//	            of a parked delivery, or a signal
//
// Forwarding comes before attempting so that a lane does not grow while its receiver is slow,
// and passing after it so that parts begin only when this run has nothing to send.
type lanePhase int

const (
	laneRenewing lanePhase = iota
	laneForwarding
	laneAttempting
	lanePassing
	laneClosing
	laneWaiting
)

func (r *laneRun) phase(next *item, now time.Time) lanePhase {
	switch {
	case r.isLong() && r.fitsCarrying():
		return laneRenewing
	case len(r.Overflow) > 0 || r.isTailUnlinked():
		return laneForwarding
	case next != nil && next.isDue(now):
		return laneAttempting
	case r.mayPass():
		return lanePassing
	case r.isDone():
		return laneClosing
	default:
		return laneWaiting
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
		case laneRenewing:
			return workflow.NewContinueAsNewError(r.ctx, contract.WorkflowDelivery, r.start, r.CarriedLane)
		case laneForwarding:
			r.forward()
		case laneAttempting:
			r.attempt(next)
		case lanePassing:
			r.pass()
		case laneClosing:
			r.reportDrained()
			if !r.woken { // nothing was appended while the report was on its way
				return nil
			}
		case laneWaiting:
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
