package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	sdkclient "go.temporal.io/sdk/client"

	"segue/interaction"
)

// overrideWithin bounds the call to Temporal that overrides the versioning of a run.
const overrideWithin = 2 * time.Second

// overrideVersioning lets a run continue with newer versions of the workers if its channel is
// a long-lived one. Temporal has one versioning behavior for a workflow type, and only
// Dispatch knows the channel. So the run, which is pinned like all interactions at first, gets
// an override of its own. After a failure, the next Dispatch repeats it.
func (d *dispatching) overrideVersioning() {
	if d.in.Unpinned || !d.set.Temporal.AutoUpgrades(d.channel()) {
		return
	}
	ctx, cancel := context.WithTimeout(d.ctx, overrideWithin)
	defer cancel()
	run := activity.GetInfo(d.ctx).WorkflowExecution
	_, err := d.Temporal.UpdateWorkflowExecutionOptions(ctx, sdkclient.UpdateWorkflowExecutionOptionsRequest{
		WorkflowId: run.ID,
		RunId:      run.RunID,
		WorkflowExecutionOptionsChanges: sdkclient.WorkflowExecutionOptionsChanges{
			VersioningOverride: &sdkclient.VersioningOverrideChange{Value: &sdkclient.AutoUpgradeVersioningOverride{}},
		},
	})
	if err != nil {
		activity.GetLogger(d.ctx).Warn("the run stays pinned to its version of the workers for now", "error", err)
		return
	}
	d.unpinned = true
}

// channel returns the interaction's current channel.
func (d *dispatching) channel() interaction.Channel {
	if n := len(d.in.Turns); n > 0 {
		return d.in.Turns[n-1].View.Interaction.Channel
	}
	return ""
}
