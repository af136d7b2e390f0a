package workflows

import (
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
	"segue/interaction"
)

// cancelReasonLimit bounds what is taken of a cancellation's reason, in bytes.
const cancelReasonLimit = 512

// endOnCancel ends the interaction when the workflow is canceled, with all its end
// triggers, which are told the reason; the run then closes as completed.
func (r *run) endOnCancel(ctx workflow.Context) {
	ctx.Done().Receive(ctx, nil)
	command := interaction.TimerCommand(interaction.WorkflowCancel, interaction.Timer{})
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	if reason := r.cancelReason(lasting); reason != "" {
		command.Fields = map[string]any{"reason": reason}
	}
	if r.Interaction.Completed() {
		// Nothing more is awaited after the end.
		command = interaction.TimerCommand(interaction.LateEventsTimeout, interaction.Timer{})
	}
	r.applyInternal(command)
	r.canceled, r.touched = true, true
}

// cancelReason is what whoever canceled the workflow gave as the reason, if anything.
// The SDK does not tell it, but the history has it. That it cannot be had is no
// reason not to end.
func (r *run) cancelReason(ctx workflow.Context) string {
	if r.Interaction.Completed() || versionOf(ctx, changeCancelReason) == workflow.DefaultVersion {
		return ""
	}
	r.inFlight++ // the run is neither renewed nor closed meanwhile
	defer func() { r.inFlight-- }()
	var reason string
	if err := workflow.ExecuteLocalActivity(withCancelReason(ctx), contract.ActivityCancelReason).Get(ctx, &reason); err != nil {
		workflow.GetLogger(ctx).Warn("canceled, and the reason cannot be read", "error", err)
	}
	return excerpt.Of(reason, cancelReasonLimit)
}
