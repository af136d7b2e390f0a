package interaction

import (
	"encoding/json"
	"fmt"
	"strings"

	"segue/excerpt"
)

// Why is the reason of a refusal, for programs.
type Why string

// The reasons of refusals.
const (
	// WhyState: the command is not legal in this state. WhyNeeds: the state fits, and something
	// else is missing, such as an owner.
	WhyState Why = "state"
	WhyNeeds Why = "needs"
	// WhyAgent: this agent may not give the command, here or now. WhyRole: nobody of that role may.
	WhyAgent Why = "agent"
	WhyRole  Why = "role"
	// WhyOrder: its source_sequence refuses the command.
	WhyOrder Why = "order"
	// WhyMissing, WhyInvalid and WhyTooLarge are about a field; WhyUnknown is a command that does
	// not exist.
	WhyMissing  Why = "missing"
	WhyInvalid  Why = "invalid"
	WhyTooLarge Why = "too_large"
	WhyUnknown  Why = "unknown"
)

// IllegalError refuses a well-formed command that is not legal in the current state.
type IllegalError struct {
	Command string
	State   State
	// Why is WhyState, WhyNeeds, WhyAgent or WhyRole.
	Why Why
	// Legal are the commands that are legal for the same actor.
	Legal []string
	// Reason is set when the state alone does not explain the refusal.
	Reason string
}

func (e *IllegalError) Error() string {
	text := fmt.Sprintf("%s is not legal in state %s", e.Command, e.State)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	switch {
	case len(e.Legal) == 0 && e.State == StateCompleted:
		return text + "; no command is legal any more"
	case len(e.Legal) == 0:
		return text + "; no command is legal for this actor"
	}
	return text + "; legal: " + strings.Join(e.Legal, ", ")
}

// InvalidError refuses a malformed command: it names the field, its value, and what is
// expected.
type InvalidError struct {
	// Command is the wire name, "start" for a start; empty if it is not known.
	Command string
	// Field is the path of the field; empty for the payload as a whole.
	Field string
	// Value is a bounded excerpt of the field's value; empty if the field is missing.
	Value string
	// Why is WhyMissing, WhyInvalid, WhyTooLarge or WhyUnknown.
	Why Why
	// Reason is what is wrong, and the remedy.
	Reason string
}

func (e *InvalidError) Error() string {
	text := ""
	if e.Command != "" {
		text = e.Command + ": "
	}
	if e.Field != "" {
		text += e.Field + ": "
	}
	if e.Value != "" {
		text += e.Value + ": "
	}
	return text + e.Reason
}

// maxExcerpt bounds what an error repeats of a payload.
const maxExcerpt = 64

// shown returns a value as JSON, shortened for errors and logs.
func shown(value any) string {
	if value == nil {
		return "null"
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("%T", value)
	}
	return shortened(string(encoded))
}

// shortened returns the beginning of a text that a payload contains.
func shortened(text string) string { return excerpt.Of(text, maxExcerpt) }
