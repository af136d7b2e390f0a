package interaction

import (
	"encoding/json"
	"fmt"
	"strings"

	"segue/excerpt"
)

// IllegalError says that a well-formed command cannot be applied as things stand.
type IllegalError struct {
	Command string
	State   State
	// Legal is what the same actor could do instead.
	Legal []string
	// Reason is set when the state alone does not explain the refusal.
	Reason string
}

func (e *IllegalError) Error() string {
	text := fmt.Sprintf("%s is not legal in state %s", e.Command, e.State)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if len(e.Legal) == 0 {
		return text + "; nothing is legal any more"
	}
	return text + "; legal: " + strings.Join(e.Legal, ", ")
}

// InvalidError says that a command is malformed: which field, what it held, and
// what it should hold.
type InvalidError struct {
	// Command is its wire name, "start" of a start; empty where none is known.
	Command string
	// Field is the path of the field; empty for the payload as a whole.
	Field string
	// Value is a bounded excerpt of what the field held; empty when it is missing.
	Value string
	// Reason says what is wrong and what would be right.
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
