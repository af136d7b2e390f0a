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

// Recall replays a history and returns what the workflow has at its very end: with
// the signals, timers and results that came when no worker took them any more. The
// history is used up by it. One that does not replay is an error.
func Recall(history *historypb.History, logger log.Logger) (*workflows.Recovery, error) {
	if len(history.GetEvents()) == 0 {
		return nil, errors.New("the history has no events")
	}
	recall := &workflows.Recovery{}
	replayer, err := newReplayer(recall.Register, nil)
	if err != nil {
		return nil, err
	}
	if isEndedByItself(history) {
		return recall, replayer.ReplayWorkflowHistoryWithOptions(logger, history, original(history))
	}
	// What the added task does is no part of the history, which the replayer takes for
	// a difference: so it is seen first that there is none without it.
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

// difference is how the SDK marks what a replay does not do again.
const difference = "[TMPRL1100] nondeterministic workflow"

// isEndedByItself tells whether a history ends with what its last task did.
func isEndedByItself(history *historypb.History) bool {
	switch last := history.GetEvents()[len(history.GetEvents())-1]; last.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		return true
	}
	return false
}

// withLastTask lets a history that was broken off go on for one more task, which
// takes in all that no task has.
func withLastTask(history *historypb.History) *historypb.History {
	events := history.GetEvents()
	at := events[len(events)-1].GetEventTime()
	for len(events) > 1 && isNoMore(events[len(events)-1].GetEventType()) {
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
	// Without anything behind it, a replayer would leave the task out.
	add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED})
	return &historypb.History{Events: events}
}

// isNoMore tells whether an event at the end of a history is its end from outside,
// or a task that did nothing.
func isNoMore(kind enumspb.EventType) bool {
	switch kind {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
		return true
	}
	return false
}
