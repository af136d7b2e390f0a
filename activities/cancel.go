package activities

import (
	"context"
	"fmt"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"

	commonpb "go.temporal.io/api/common/v1"
)

// lastEvents is how many of a history's last events are searched for the cancellation. Only
// signals that arrive at the same moment can be behind it.
const lastEvents = 1000

// CancelReason returns the reason that was given when the activity's workflow was canceled,
// or "" if there was none.
func (a *Activities) CancelReason(ctx context.Context) (string, error) {
	info := activity.GetInfo(ctx)
	page, err := a.Temporal.WorkflowService().GetWorkflowExecutionHistoryReverse(ctx, &workflowservice.GetWorkflowExecutionHistoryReverseRequest{
		Namespace:       info.Namespace,
		Execution:       &commonpb.WorkflowExecution{WorkflowId: info.WorkflowExecution.ID, RunId: info.WorkflowExecution.RunID},
		MaximumPageSize: lastEvents,
	})
	if err != nil {
		return "", fmt.Errorf("history of %s: %w", info.WorkflowExecution.ID, err)
	}
	for _, event := range page.GetHistory().GetEvents() {
		if requested := event.GetWorkflowExecutionCancelRequestedEventAttributes(); requested != nil {
			return requested.GetCause(), nil
		}
	}
	return "", nil
}
