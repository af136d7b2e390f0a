package contract

import (
	"go.temporal.io/sdk/temporal"

	"segue/excerpt"
)

const (
	// FirstPriority goes before everything else, LastPriority after it; what says
	// nothing is usualPriority, for Temporal as well.
	FirstPriority   = 1
	LastPriority    = 5
	defaultPriority = 3
	// maxFairnessKey is what Temporal takes, in bytes.
	maxFairnessKey = 64
)

// Priority says whose turn it is when there is more to do than workers can.
type Priority struct {
	// Key is FirstPriority to LastPriority; 0 says nothing.
	Key int `json:"key,omitempty"`
	// Weight is how often a contact center gets its turn when another gets one; 0 is 1.
	Weight float32 `json:"weight,omitempty"`
}

// ForContactCenter is what Temporal is told: of the same priority, contact centers take turns, so
// that a flood in one does not starve the others.
func (p Priority) ForContactCenter(contactCenter string) temporal.Priority {
	return temporal.Priority{PriorityKey: p.Key, FairnessKey: excerpt.Cut(contactCenter, maxFairnessKey), FairnessWeight: p.Weight}
}

// Lower is the priority of what is done for the same interaction but not now: what
// failed before, and what an operator sends again in bulk, lets live traffic pass.
func (p Priority) Lower() Priority {
	if p.Key == 0 {
		p.Key = defaultPriority
	}
	p.Key = min(p.Key+1, LastPriority)
	return p
}
