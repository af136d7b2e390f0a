package contract

import (
	"cmp"
	"errors"

	"segue/interaction"
	"segue/interaction/intake"
)

// Refusal is the reason of a refused command for programs: the detail of the application error
// of an update, and part of a CommandError.
type Refusal struct {
	// Why is empty if the type of the error says it all, as Overloaded does.
	Why interaction.Why `json:"why,omitempty"`
	// State and Legal are set for a command that is not legal now: the state, and the commands
	// that are legal for the same actor.
	State interaction.State `json:"state,omitempty"`
	Legal []string          `json:"legal,omitempty"`
	// Field is the path of the field that is missing, invalid or too large.
	Field string `json:"field,omitempty"`
}

// RefusalOf returns the reason of an error with which a command was refused. It returns false for
// other errors.
func RefusalOf(err error) (Refusal, bool) {
	if illegal, ok := errors.AsType[*interaction.IllegalError](err); ok {
		return Refusal{Why: illegal.Why, State: illegal.State, Legal: illegal.Legal}, true
	}
	if invalid, ok := errors.AsType[*interaction.InvalidError](err); ok {
		return Refusal{Why: cmp.Or(invalid.Why, interaction.WhyInvalid), Field: invalid.Field}, true
	}
	if _, ok := errors.AsType[*intake.OrderError](err); ok {
		return Refusal{Why: interaction.WhyOrder, Field: "source_sequence"}, true
	}
	return Refusal{}, false
}
