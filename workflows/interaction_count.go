package workflows

import (
	"go.temporal.io/sdk/workflow"

	"segue/interaction"
	"segue/metrics"
)

// countCommand counts a command by its result. Temporal's metrics handler is silent in a
// replay. The name may be anything that somebody sent, so only known ones become labels.
func countCommand(ctx workflow.Context, command string, duplicate bool, err error) {
	result := metrics.ResultApplied
	switch {
	case err != nil:
		result = metrics.ResultRejected
	case duplicate:
		result = metrics.ResultRepeated
	}
	if !interaction.IsCommand(command) {
		command = metrics.UnknownCommand
	}
	labels := map[string]string{metrics.LabelCommand: command, metrics.LabelResult: result}
	workflow.GetMetricsHandler(ctx).WithTags(labels).Counter(metrics.CommandsName).Inc(1)
}
