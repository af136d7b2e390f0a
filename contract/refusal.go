package contract

import "segue/interaction"

// Refusal is the reason of a refused command for programs: the detail of the application error
// of an update, and part of a CommandError.
type Refusal struct {
	Why interaction.Why `json:"why"`
	// State and Legal are set for a command that is not legal now: the state, and the commands
	// that are legal for the same actor.
	State interaction.State `json:"state,omitempty"`
	Legal []string          `json:"legal,omitempty"`
	// Field is the path of the field that is missing, invalid or too large.
	Field string `json:"field,omitempty"`
}
