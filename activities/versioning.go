package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"segue/interaction"
)

// overrideWithin bounds the one question to Temporal that unpinning is.
const overrideWithin = 2 * time.Second

// overrideVersioning lets a run go on with newer versions of the workers when its channel is one
// of long lives. Temporal knows one behavior for a type of workflow, and the channel
// is known only here; so the run, which was begun pinned like all interactions,
// gets an override of its own, whoever started it. What fails is tried again by the
// next Dispatch.
func (d *dispatching) overrideVersioning() {
	if d.in.Unpinned || !d.set.Temporal.Unpins(d.channel()) {
		return
	}
	ctx, cancel := context.WithTimeout(d.ctx, overrideWithin)
	defer cancel()
	run := activity.GetInfo(d.ctx).WorkflowExecution
	_, err := d.Temporal.UpdateWorkflowExecutionOptions(ctx, client.UpdateWorkflowExecutionOptionsRequest{
		WorkflowId: run.ID,
		RunId:      run.RunID,
		WorkflowExecutionOptionsChanges: client.WorkflowExecutionOptionsChanges{
			VersioningOverride: &client.VersioningOverrideChange{Value: &client.AutoUpgradeVersioningOverride{}},
		},
	})
	if err != nil {
		activity.GetLogger(d.ctx).Warn("the run stays with its version of the workers for now", "error", err)
		return
	}
	d.unpinned = true
}

// channel is the one that the interaction is on by now.
func (d *dispatching) channel() interaction.Channel {
	if n := len(d.in.Turns); n > 0 {
		return d.in.Turns[n-1].View.Interaction.Channel
	}
	return ""
}
