package main

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// histories are figures of all runs of the interaction, or of its lane.
type histories struct {
	Runs int `json:"runs"`
	// Events is the length of all runs together.
	Events        int            `json:"events"`
	LongestEvents int            `json:"longest_run_events"`
	LongestBytes  int            `json:"longest_run_bytes"`
	MostSignals   int            `json:"most_signals_in_a_run"`
	FailedTasks   map[string]int `json:"failed_tasks"`
}

// readHistories measures every run of the given workflow type.
func (l *life) readHistories(ctx context.Context, workflowType string) (histories, error) {
	h := histories{FailedTasks: map[string]int{}}
	listed, err := l.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("SegueInteraction = %q AND WorkflowType = %q", l.Name, workflowType), PageSize: 1000,
	})
	if err != nil {
		return h, err
	}
	for _, execution := range listed.GetExecutions() {
		id, runID := execution.GetExecution().GetWorkflowId(), execution.GetExecution().GetRunId()
		description, err := l.temporal.DescribeWorkflowExecution(ctx, id, runID)
		if err != nil {
			return h, err
		}
		info := description.GetWorkflowExecutionInfo()
		h.Runs++
		h.Events += int(info.GetHistoryLength())
		h.LongestEvents = max(h.LongestEvents, int(info.GetHistoryLength()))
		h.LongestBytes = max(h.LongestBytes, int(info.GetHistorySizeBytes()))
		if err := l.readHistory(ctx, id, runID, &h); err != nil {
			return h, err
		}
	}
	return h, nil
}

func (l *life) readHistory(ctx context.Context, id, runID string, h *histories) error {
	signals := 0
	pages := l.temporal.GetWorkflowHistory(ctx, id, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for pages.HasNext() {
		event, err := pages.Next()
		if err != nil {
			return err
		}
		switch event.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
			h.FailedTasks[event.GetWorkflowTaskFailedEventAttributes().GetCause().String()]++
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			h.FailedTasks["timeout"]++
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
			signals++
		}
	}
	h.MostSignals = max(h.MostSignals, signals)
	return nil
}
