package workflows

import (
	"encoding/json"
	"slices"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// earlyLimit bounds the results that are kept until their deliveries are known.
const earlyLimit = 1000

// receiveReport handles what a Delivery workflow reports about its lane.
func (r *run) receiveReport(name string, payload []byte) error {
	var report laneReport
	if err := json.Unmarshal(payload, &report); err != nil {
		return unreadable(name, err)
	}
	report.Drained = name == signalLaneDrained
	r.changed = true
	r.noteReport(report)
	return nil
}

// noteReport notes the results of deliveries, and that the lane has nothing left. Anybody
// can send such a signal: results of deliveries that this interaction has not given to a
// lane workflow change nothing. Those of the interaction before a reopened one are ordinary,
// and are not logged as refused.
//
// While events wait to be dispatched, a report may be about a delivery that their Dispatch
// has already given to its lane: in a task that is done again, or while it runs. Such a
// report is kept until the Dispatch has ended.
func (r *run) noteReport(report laneReport) {
	var early []laneResult
	for _, result := range report.Results {
		switch {
		case r.Deliveries.isInLane(result.ID, report.Call), r.Lanes.isHandingOver(report.Call) && r.Deliveries.isOpen(result.ID, report.Call):
			r.noteResult(report.Call, result)
		case r.hasToDispatch():
			early = append(early, result)
		case r.Deliveries.Uncounted > 0:
			// Not every id of so many is remembered. Only the status is noted.
			r.Deliveries.setStatus(result.ID, result.Status, nil)
		case report.FirstRunID != "" && report.FirstRunID != r.owner.FirstRunID:
			workflow.GetLogger(r.ctx).Debug("a report to the interaction before this one is ignored", "call", report.Call)
		default:
			r.ignored++
			logRefusal(r.ctx, signalLaneResult, r.ignored, errUnknownDelivery)
		}
	}
	lane := r.Lanes.find(report.Call)
	if len(early) > 0 || report.Drained && lane == nil && r.hasToDispatch() {
		report.Results = early
		r.keepEarly(report)
		return
	}
	if report.Drained && lane != nil {
		lane.noteDrained(report.Last, r.Deliveries.hasInLane(report.Call))
	}
}

var errUnknownDelivery = &interaction.InvalidError{
	Command: signalLaneResult, Field: "results", Reason: "names a delivery that this interaction has not given to a lane workflow; only lane workflows report results",
}

// hasToDispatch reports whether a Dispatch is running or due.
func (r *run) hasToDispatch() bool { return r.dispatching || len(r.Outbox.Turns) > 0 }

func (r *run) keepEarly(report laneReport) {
	kept := 0
	for _, other := range r.Early {
		kept += 1 + len(other.Results)
	}
	if kept+1+len(report.Results) <= earlyLimit {
		r.Early = append(r.Early, report)
	}
}

// noteEarly notes the reports that arrived before the end of the last Dispatch.
func (r *run) noteEarly() {
	early := r.Early
	r.Early = nil
	for _, report := range early {
		r.noteReport(report)
	}
}

func (r *run) noteResult(call string, result laneResult) {
	outcome := &contract.Outcome{
		ID: result.ID, Code: result.Code, Class: result.Class, Message: result.Why, Version: result.Version, Returns: result.Returns,
	}
	if result.Status == contract.StatusParked {
		outcome.Verdict = contract.VerdictFinal
	}
	r.Deliveries.setStatus(result.ID, result.Status, outcome)
	r.noteFault(call, result.Moment, outcome)
	r.writeReturns(call, result.Returns)
}

// find returns the lane of a call; nil if it has had no requests.
func (ls lanes) find(call string) *lane {
	if i := slices.IndexFunc(ls, func(l *lane) bool { return l.Call == call }); i >= 0 {
		return ls[i]
	}
	return nil
}
