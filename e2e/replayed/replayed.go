package replayed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"segue/replay"
)

// All replays every history of a namespace with the workflows of this build, except those of task queues that skip
// names; skip may be nil. It returns how many it replayed, and an error that names each one that does not replay. It
// ignores a run that was ended before its first task, which has nothing to replay.
func All(ctx context.Context, c client.Client, skip func(taskQueue string) bool) (count int, err error) {
	quiet := sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	var failures []error
	for page := []byte(nil); ; {
		answer, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType IN ('Interaction', 'Delivery', 'Receiver')", NextPageToken: page,
		})
		if err != nil {
			return count, fmt.Errorf("listing all histories: %w", err)
		}
		for _, info := range answer.GetExecutions() {
			if skip != nil && skip(info.GetTaskQueue()) {
				continue
			}
			execution := workflow.Execution{ID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId()}
			history, err := replay.Fetch(ctx, c, execution)
			if err == nil && len(history.GetEvents()) < 3 {
				continue
			}
			if err == nil {
				err = replay.History(history, quiet)
			}
			if err != nil {
				failures = append(failures, fmt.Errorf("%s of task queue %s: %w", execution.ID, info.GetTaskQueue(), err))
			}
			count++
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			return count, errors.Join(failures...)
		}
	}
}
