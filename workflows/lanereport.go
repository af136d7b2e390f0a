package workflows

import (
	"encoding/json"

	"segue/dispatch"
	"segue/interaction"
)

// takeReport notes what a Delivery workflow reports of the lane that it owns. Anybody can
// send such a signal: what it says of deliveries that this interaction does not have open
// changes nothing, and is recorded as rejected.
func (r *run) takeReport(name string, payload []byte) error {
	var report laneReport
	if err := json.Unmarshal(payload, &report); err != nil {
		return unreadable(name, err)
	}
	r.touched = true
	var unknown error
	for _, result := range report.Results {
		if err := r.takeResult(report.Call, result); err != nil {
			unknown = err
		}
	}
	for _, l := range r.Lanes {
		if name == signalLaneDrained && l.Call == report.Call {
			l.drained(report.Last)
		}
	}
	return unknown
}

// takeResult notes how one delivery stands. While a Dispatch is running, a lane may
// report a delivery that this Dispatch has just given to it.
func (r *run) takeResult(call string, result laneResult) error {
	switch {
	case r.Deliveries.isOpen(result.ID, call):
		r.noteResult(call, result)
	case r.dispatching:
		r.early = append(r.early, earlyResult{call: call, result: result})
	case r.Deliveries.Uncounted > 0:
		// Of so many, not every id is remembered. Its status counts, and nothing else.
		r.Deliveries.set(result.ID, result.Status, nil)
	default:
		return &interaction.InvalidError{
			Command: signalLaneResult, Field: "results.id", Value: excerpt(result.ID, 60),
			Reason: "is no open delivery of that call of this interaction; only its lane workflows report results",
		}
	}
	return nil
}

func (r *run) noteResult(call string, result laneResult) {
	outcome := &dispatch.Outcome{
		ID: result.ID, Code: result.Code, Class: result.Class, Message: result.Why, Version: result.Version, Returns: result.Returns,
	}
	if result.Status == dispatch.StatusParked {
		outcome.Verdict = dispatch.VerdictFinal
	}
	r.Deliveries.set(result.ID, result.Status, outcome)
	r.noteFault(call, result.When, outcome)
	r.writeReturns(call, result.Returns)
}

// earlyResult is a result that came before the Dispatch that handed its delivery over
// was known to have ended.
type earlyResult struct {
	call   string
	result laneResult
}

// takeEarly notes the results that came while Dispatch was running. They name what it
// handed over, or nothing that is known.
func (r *run) takeEarly() {
	early := r.early
	r.early = nil
	for _, e := range early {
		if err := r.takeResult(e.call, e.result); err != nil {
			r.reject(r.ctx, signalLaneResult, "", err)
		}
	}
}
