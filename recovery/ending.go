package recovery

import (
	"cmp"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

// Ending is how a run ended from outside.
type Ending struct {
	At time.Time
	// How is terminated, failed, timedout or canceled.
	How string
	// Reason is the reason that was given; empty if there was none.
	Reason string
}

// Why returns the reason or, without one, how the run ended.
func (e Ending) Why() string { return cmp.Or(e.Reason, e.How) }

// EndingOf returns how a run ended, from its history. It reports false for a run that was not
// ended from outside.
func EndingOf(history *historypb.History) (Ending, bool) {
	last := history.GetEvents()[len(history.GetEvents())-1]
	ending := Ending{At: last.GetEventTime().AsTime()}
	switch last.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		ending.How, ending.Reason = "terminated", last.GetWorkflowExecutionTerminatedEventAttributes().GetReason()
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		ending.How, ending.Reason = "failed", last.GetWorkflowExecutionFailedEventAttributes().GetFailure().GetMessage()
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		ending.How = "timedout"
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		ending.How = "canceled"
	default:
		return ending, false
	}
	return ending, true
}
