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

// Of the refused signals of one run the log has the first, and then every so manieth.
const (
	loggedFirst = 5
	loggedEvery = 100
)

// logRefusal logs a refused signal, the number-th of its run: the command, the field and
// the reason, never a value, which may be a caller's number or name.
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

// ownSignals are those that are no commands of an interaction.
var ownSignals = []string{contract.SignalAppend, contract.SignalRedeliver, contract.SignalDiscard, contract.SignalHealth,
	signalLaneResult, signalLaneDrained, signalPartPassed}

// withoutValues is what an error says of a payload besides what the payload holds. What
// is not known to be free of values is not repeated.
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

// knownField is the beginning of a path: below it, as in user data, keys may be anything.
var knownField = regexp.MustCompile(`^[a-z_]{1,32}`)

// unreadable is what is wrong with a payload that is not what a signal takes.
func unreadable(signal string, err error) *interaction.InvalidError {
	invalid := &interaction.InvalidError{Command: signal, Field: "payload", Reason: "is not the JSON that this signal takes"}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mismatch.Field != "" {
		invalid.Field = mismatch.Field
		invalid.Reason = fmt.Sprintf("must be of type %s", mismatch.Type)
	}
	return invalid
}
