package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"
)

// change is one change of the workflows after which they issue other Temporal
// commands than before. A history that was recorded before it has the older ones,
// so code that depends on it asks versionOf, and both ways are kept as long as a
// run may be replayed that began on the older one.
type change struct {
	id string
	// min and max are the versions that today's code still understands; the state
	// before the change is workflow.DefaultVersion.
	min, max workflow.Version
	// since is the release that brought max.
	since string
	// removable says what must be over before the older way, and this entry, may go.
	removable string
}

// The ids stand in histories: one is never used for another change.
const changeCancelReason = "cancel-reason"

// changes is the register: every call of workflow.GetVersion goes through it. An id
// whose older way has gone leaves it; its golden histories go with it.
var changes = []change{
	{
		id: changeCancelReason, min: workflow.DefaultVersion, max: 1, since: "v0.1.0",
		removable: "when no run is kept that was canceled by a worker older than v0.1.0",
	},
}

// versionOf is the version of a change that this run goes by: the newest where the
// run gets there for the first time, else the one that its history has.
func versionOf(ctx workflow.Context, id string) workflow.Version {
	for _, c := range changes {
		if c.id == id {
			return workflow.GetVersion(ctx, c.id, c.min, c.max)
		}
	}
	panic(fmt.Sprintf("the change %q is not in the register of changes.go", id))
}
