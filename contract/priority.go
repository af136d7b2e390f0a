package contract

import (
	"go.temporal.io/sdk/temporal"

	"segue/excerpt"
)

const (
	// FirstPriority is the key that is processed before all others, LastPriority the key that
	// is processed last. Without a key, Temporal uses defaultPriority.
	FirstPriority   = 1
	LastPriority    = 5
	defaultPriority = 3
	// maxFairnessKey is the longest fairness key that Temporal accepts, in bytes.
	maxFairnessKey = 64
)

// Priority decides what is processed first when workers have a backlog.
type Priority struct {
	// Key is FirstPriority to LastPriority; 0 is Temporal's default.
	Key int `json:"key,omitempty"`
	// Weight is the contact center's share relative to others of the same key; 0 is 1.
	Weight float32 `json:"weight,omitempty"`
}

// ForContactCenter returns Temporal's priority. The contact center is the fairness key: contact
// centers of the same priority share the workers, so that a flood in one does not starve the
// others.
func (p Priority) ForContactCenter(contactCenter string) temporal.Priority {
	return temporal.Priority{PriorityKey: p.Key, FairnessKey: excerpt.Cut(contactCenter, maxFairnessKey), FairnessWeight: p.Weight}
}

// Lower returns the next lower priority, for work of the same interaction that is not urgent:
// retries, and what an operator sends again in bulk, let live traffic pass.
func (p Priority) Lower() Priority {
	if p.Key == 0 {
		p.Key = defaultPriority
	}
	p.Key = min(p.Key+1, LastPriority)
	return p
}
