package replay

import (
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/proto"

	"segue/workflows"
)

// Recall replays a history and returns the state of the workflow at its end, including signals,
// timers and results that no worker processed. It returns an error if the history does not
// replay. The replay changes the history: clone it to use it again.
func Recall(history *historypb.History, logger log.Logger) (*workflows.Recovery, error) {
	if len(history.GetEvents()) == 0 {
		return nil, errors.New("the history has no events")
	}
	recall := &workflows.Recovery{}
	replayer, err := newReplayer(recall.Register, nil)
	if err != nil {
		return nil, err
	}
	if endedItself(history) {
		return recall, replayer.ReplayWorkflowHistoryWithOptions(logger, history, original(history))
	}
	// The replayer reports what the added task does as a difference, because it is not in
	// the history. So first make sure that there is no difference without that task.
	if len(history.GetEvents()) > 2 {
		if err := History(proto.CloneOf(history), logger); err != nil {
			return nil, err
		}
	}
	whole := withLastTask(history)
	err = replayer.ReplayWorkflowHistoryWithOptions(logger, whole, original(whole))
	if err != nil && !strings.Contains(err.Error(), difference) {
		return nil, fmt.Errorf("its last task: %w", err)
	}
	return recall, nil
}

// difference is how the errors of the SDK begin for a replay that differs from its history.
const difference = "[TMPRL1100] nondeterministic workflow"

// endedItself reports whether a history ends with a command of its last task.
func endedItself(history *historypb.History) bool {
	switch last := history.GetEvents()[len(history.GetEvents())-1]; last.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		return true
	}
	return false
}

// withLastTask adds one task to a history that was ended from outside. The task processes
// everything that no task has processed.
func withLastTask(history *historypb.History) *historypb.History {
	events := history.GetEvents()
	at := events[len(events)-1].GetEventTime()
	for len(events) > 1 && isOutsideEnd(events[len(events)-1].GetEventType()) {
		events = events[:len(events)-1]
	}
	events = events[:len(events):len(events)]
	add := func(event *historypb.HistoryEvent) {
		event.EventId, event.EventTime = int64(len(events)+1), at
		events = append(events, event)
	}
	add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED})
	add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED,
		Attributes: &historypb.HistoryEvent_WorkflowTaskStartedEventAttributes{
			WorkflowTaskStartedEventAttributes: &historypb.WorkflowTaskStartedEventAttributes{ScheduledEventId: int64(len(events))},
		}})
	// A replayer skips a task that is the last event.
	add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED})
	return &historypb.History{Events: events}
}

// isOutsideEnd reports whether an event at the end of a history is the end from outside, or
// part of a task that did nothing.
func isOutsideEnd(kind enumspb.EventType) bool {
	switch kind {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
		return true
	}
	return false
}
