package replay

import (
	"fmt"

	"go.temporal.io/sdk/worker"

	"segue/workflows"
)

// New makes a replayer that runs Segue's workflows the way a worker does.
func New() (worker.WorkflowReplayer, error) {
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return nil, fmt.Errorf("replayer: %w", err)
	}
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{Plugins: []worker.Plugin{plugin}})
	if err != nil {
		return nil, fmt.Errorf("replayer: %w", err)
	}
	workflows.Register(replayer)
	return replayer, nil
}
