package workflows

import (
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
	"segue/interaction"
)

// cancelReasonLimit bounds the reason of a cancellation, in bytes.
const cancelReasonLimit = 512

// isToCancel reports whether the workflow was canceled, and nothing has been done about it.
func (r *run) isToCancel() bool { return r.cancelable.Err() != nil && !r.canceling }

// endOnCancel ends the interaction when the workflow is canceled. All end triggers fire,
// with the reason of the cancellation, and the run closes as completed.
func (r *run) endOnCancel() {
	if !r.isToCancel() {
		return
	}
	r.canceling = true
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		command := interaction.TimerCommand(interaction.WorkflowCancel, interaction.Timer{})
		if reason := r.cancelReason(ctx); reason != "" {
			command.Fields = map[string]any{"reason": reason}
		}
		if r.Interaction.Completed() {
			// The wait for late data ends.
			command = interaction.TimerCommand(interaction.LateEventsTimeout, interaction.Timer{})
		}
		r.applyInternal(command)
		r.canceled, r.changed = true, true
	})
}

// cancelReason returns the reason of the cancellation; "" if it has none or the reason
// cannot be read. The SDK does not pass it on, but the history has it.
func (r *run) cancelReason(ctx workflow.Context) string {
	if r.Interaction.Completed() || versionOf(ctx, changeCancelReason) == workflow.DefaultVersion {
		return ""
	}
	r.inFlight++ // the run must not end meanwhile
	defer func() { r.inFlight-- }()
	var reason string
	if err := workflow.ExecuteLocalActivity(withCancelReason(ctx), contract.ActivityCancelReason).Get(ctx, &reason); err != nil {
		workflow.GetLogger(ctx).Warn("the reason of the cancellation cannot be read", "error", err)
	}
	return excerpt.Of(reason, cancelReasonLimit)
}
