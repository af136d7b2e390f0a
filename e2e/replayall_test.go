package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/workflow"

	"segue/connect"
	"segue/replay"
)

// changedBuilds are the task queues on which a worker of another build worked: what that
// did, this build does not do again.
var changedBuilds sync.Map

// replayAll replays every history that the tests have made: also those whose tests look
// at something else.
func replayAll(ctx context.Context) error {
	c, err := connect.Dial(ctx, connect.Settings{Address: temporal.Address}, slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("replaying all histories: %w", err)
	}
	defer c.Close()
	var failures []error
	replayed := 0
	for page := []byte(nil); ; {
		answer, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType IN ('Interaction', 'Delivery', 'Receiver')", NextPageToken: page,
		})
		if err != nil {
			return fmt.Errorf("listing all histories: %w", err)
		}
		for _, info := range answer.GetExecutions() {
			if _, ok := changedBuilds.Load(info.GetTaskQueue()); ok {
				continue
			}
			execution := workflow.Execution{ID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId()}
			history, err := replay.Fetch(ctx, c, execution)
			if err == nil && len(history.GetEvents()) < 3 {
				continue // it was ended before its first task
			}
			if err == nil {
				err = replay.History(history, quiet)
			}
			if err != nil {
				failures = append(failures, fmt.Errorf("%s of %s: %w", execution.ID, info.GetTaskQueue(), err))
			}
			replayed++
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			break
		}
	}
	fmt.Fprintf(os.Stderr, "%d histories of all tests replayed, %d failed\n", replayed, len(failures))
	return errors.Join(failures...)
}
