package workflows

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/interaction/intake"
)

// Of the refused signals of one run, the first are logged, and then every hundredth.
const (
	loggedFirst = 5
	loggedEvery = 100
)

// logRefusal logs a refused signal; number counts those of the run. It logs the command, the
// field and the reason, never a value, which may be a caller's number or name.
func logRefusal(ctx workflow.Context, signal string, number int, err error) {
	if number > loggedFirst && number%loggedEvery != 0 {
		return
	}
	command := "unknown"
	if slices.Contains(interaction.Commands(), signal) || slices.Contains(ownSignals, signal) {
		command = signal
	}
	field, reason := withoutValues(err)
	workflow.GetLogger(ctx).Warn("signal rejected", "command", command, "field", field, "reason", reason, "rejected", number)
}

// ownSignals are the signals that are not commands of an interaction.
var ownSignals = []string{contract.SignalCommands, contract.SignalAppend, contract.SignalRedeliver, contract.SignalDiscard, contract.SignalHealth,
	signalLaneResult, signalLaneDrained, signalPartPassed}

// withoutValues returns the field and the reason of an error, without values of the
// payload. A text that is not known to be free of values is left out.
func withoutValues(err error) (field, reason string) {
	if invalid, ok := errors.AsType[*interaction.InvalidError](err); ok {
		return knownField.FindString(invalid.Field), invalid.Reason
	}
	if illegal, ok := errors.AsType[*interaction.IllegalError](err); ok {
		return "", fmt.Sprintf("not legal in state %s", illegal.State)
	}
	outOfOrder, overloaded := (*intake.OrderError)(nil), (*OverloadedError)(nil)
	if errors.As(err, &outOfOrder) || errors.As(err, &overloaded) {
		return "", err.Error()
	}
	return "", "the payload is refused"
}

// knownField matches the first name of a path; keys below it, as in user data, may be values.
var knownField = regexp.MustCompile(`^[a-z_]{1,32}`)

// unreadable returns the error for a payload that a signal cannot read.
func unreadable(signal string, err error) *interaction.InvalidError {
	invalid := &interaction.InvalidError{Command: signal, Field: "payload", Reason: "is not the JSON that this signal takes"}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mismatch.Field != "" {
		invalid.Field = mismatch.Field
		invalid.Reason = fmt.Sprintf("must be of type %s", mismatch.Type)
	}
	return invalid
}
