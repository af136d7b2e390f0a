package workflows

import (
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// statusFault is the HTTP status with which a backend refuses a request; no retry changes that.
const statusFault = 400

// noteRefusedEngagement notes that the backend has answered the callback of an attempt with 400, which is
// final. The loop handles it: this may run before the workflow's coroutines.
func (r *run) noteRefusedEngagement(call, moment string, outcome *contract.Outcome) {
	if call != contract.CallEngage || moment != string(interaction.MomentEngage) || outcome.Code != statusFault {
		return
	}
	if engaged := r.Deliveries.sequenceOf(outcome.ID); engaged > 0 {
		r.RefusedEngagement = engaged
	}
}

// endRefusedEngagement ends the attempt that the backend has refused as failed, unless it is over or another one
// has begun.
func (r *run) endRefusedEngagement() {
	engaged := r.RefusedEngagement
	r.RefusedEngagement = 0
	if engaged == 0 {
		return
	}
	command, isOpen := r.Interaction.EngagementRefused(engaged)
	if !isOpen || versionOf(r.ctx, changeEngagementRefused) == workflow.DefaultVersion {
		return
	}
	r.applyInternal(command)
}
