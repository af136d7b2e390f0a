package contract

import (
	"time"

	"segue/interaction"
	"segue/interaction/intake"
)

// State is an interaction as the query "state" shows it, and as its workflow returns it: the
// domain's Status, and what only the workflow knows.
type State struct {
	interaction.Status
	RejectedCount int `json:"rejected_count"`
	Duplicates    int `json:"duplicates"`
	Undelivered   int `json:"undelivered"`
	Runs          int `json:"runs"`
	// LateUntil is until when a completed interaction takes disposition, survey and
	// user data; nil when it takes none.
	LateUntil *time.Time `json:"late_until,omitempty"`
	// Gaps counts how often it went on without commands that the source had numbered
	// and that did not come in time; Missing are the last of them.
	Gaps    int          `json:"gaps,omitempty"`
	Missing []intake.Gap `json:"missing,omitempty"`
}
