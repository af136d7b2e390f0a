package replay

import (
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"segue/workflows"
)

// ChangedHistory replays a history in a replayer whose options a test changes.
func ChangedHistory(history *historypb.History, logger log.Logger, change func(*worker.WorkflowReplayerOptions)) error {
	replayer, err := newReplayer(workflows.Register, change)
	if err != nil {
		return err
	}
	return replayer.ReplayWorkflowHistoryWithOptions(logger, history, original(history))
}
