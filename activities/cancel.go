package activities

import (
	"context"
	"fmt"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"

	commonpb "go.temporal.io/api/common/v1"
)

// lastEvents is how many of a history's last events are searched for the
// cancellation: it is among them, but for signals that came in the same instant.
const lastEvents = 1000

// CancelReason is what whoever canceled the workflow of this activity gave as the
// reason; empty when that is nothing.
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
