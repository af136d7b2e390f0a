package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"
)

// change is a change of the workflows after which they issue other Temporal commands. An
// older history has the commands from before the change, so code that depends on it asks
// versionOf, and both ways are kept as long as an older run may be replayed.
type change struct {
	id string
	// min and max are the versions that the current code supports; workflow.DefaultVersion
	// is the code before the change.
	min, max workflow.Version
	// since is the release that brought max.
	since string
	// removable is the condition under which the older way, and this entry, may be removed.
	removable string
}

// Ids are in histories: an id must never be used for another change.
const (
	changeCancelReason      = "cancel-reason"
	changeEngagementRefused = "engagement-refused"
)

// changes is the register; every call of workflow.GetVersion goes through it. When the older
// way of a change is removed, its entry and its golden histories are removed, too.
var changes = []change{
	{
		id: changeCancelReason, min: workflow.DefaultVersion, max: 1, since: "v0.1.0",
		removable: "when no run is kept that was canceled by a worker older than v0.1.0",
	},
	{
		id: changeEngagementRefused, min: workflow.DefaultVersion, max: 1, since: "v0.1.0",
		removable: "when no run is kept whose engagement a backend refused while a worker older than v0.1.0 ran",
	},
}

// versionOf returns the version of a change for this run: that of its history, else the
// newest one.
func versionOf(ctx workflow.Context, id string) workflow.Version {
	for _, c := range changes {
		if c.id == id {
			return workflow.GetVersion(ctx, c.id, c.min, c.max)
		}
	}
	panic(fmt.Sprintf("the change %q is not in the register of changes.go", id))
}
