package workflows

import "go.temporal.io/sdk/workflow"

// The ids of changes, for tests of both sides of each.
const (
	ChangeCancelReason      = changeCancelReason
	ChangeEngagementRefused = changeEngagementRefused
)

// SummaryOf is for tests of its bounds.
var SummaryOf = summaryOf

// HeartbeatTimeout is for tests of its values.
var HeartbeatTimeout = heartbeatTimeout

// Change is an entry of the register, for a test that compares it with the code.
type Change struct {
	ID               string
	Min, Max         workflow.Version
	Since, Removable string
}

// Changes returns the register.
func Changes() []Change {
	var list []Change
	for _, c := range changes {
		list = append(list, Change{ID: c.id, Min: c.min, Max: c.max, Since: c.since, Removable: c.removable})
	}
	return list
}
