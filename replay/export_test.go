package replay

import (
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"segue/workflows"
)

// SpoiledHistory replays a history in a replayer that a test has changed.
func SpoiledHistory(history *historypb.History, logger log.Logger, spoil func(*worker.WorkflowReplayerOptions)) error {
	replayer, err := newReplayer(workflows.Register, spoil)
	if err != nil {
		return err
	}
	return replayer.ReplayWorkflowHistoryWithOptions(logger, history, original(history))
}
