package workflows

import (
	"encoding/json"
	"errors"
	"fmt"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// Anybody who reaches the namespace can start a workflow with any arguments. A carried-over
// state is accepted only if Temporal itself reports that the run continues another one.

// continues reports whether the run was started by an earlier one that continued as new. A
// run of a cron schedule or of a retry names an earlier run, too, but has the arguments of
// the client that started it.
func continues(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.ContinuedExecutionRunID != "" && info.CronSchedule == "" && info.Attempt <= 1
}

// carriedOver decodes the state that the earlier run carried over; nil for a first run. It
// refuses an argument that a client gave.
func carriedOver[T any](ctx workflow.Context, argument converter.RawValue) (*T, error) {
	payload, err := jsonOfRaw(argument)
	if err != nil || len(payload) == 0 {
		return nil, err
	}
	if !continues(ctx) {
		return nil, errSecondArgument
	}
	carried := new(T)
	if err := json.Unmarshal(payload, carried); err != nil {
		// Another version of this code wrote it: the task fails until a worker can read it.
		panic(fmt.Errorf("state carried over from the run before: %w", err))
	}
	return carried, nil
}

var errSecondArgument = &interaction.InvalidError{
	Field: "second argument", Reason: "is for runs that continue as new; start the workflow with one argument",
}

// given is what a run begins with besides its start: the state of an earlier run, or the first
// commands, or neither.
type given struct {
	carried  *Carried
	commands []json.RawMessage
}

func givenTo(ctx workflow.Context, argument converter.RawValue) (given, error) {
	commands, isStart, err := firstCommandsOf(ctx, argument)
	if isStart || err != nil {
		return given{commands: commands}, err
	}
	carried, err := carriedInteraction(ctx, argument)
	return given{carried: carried}, err
}

// carriedInteraction returns the state that an earlier run left: the run that continued as
// new, or the ended run that a recovery names, whose state an activity reads.
func carriedInteraction(ctx workflow.Context, argument converter.RawValue) (*Carried, error) {
	from, isRecovery := recoveryOf(argument)
	if !isRecovery || continues(ctx) {
		carried, err := carriedOver[Carried](ctx, argument)
		if carried != nil && carried.Interaction == nil {
			return nil, errSecondArgument // a workflow of another type continued as this one
		}
		return carried, err
	}
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	carried := new(Carried)
	var refused *temporal.ApplicationError
	err := workflow.ExecuteActivity(withRecover(lasting), contract.ActivityRecover, from).Get(lasting, carried)
	if errors.As(err, &refused) {
		return nil, &interaction.InvalidError{Field: "recovers", Value: from.RunID, Reason: refused.Message()}
	}
	if err != nil {
		return nil, fmt.Errorf("recovering %s: %w", from.WorkflowID, err)
	}
	return carried, nil
}

func recoveryOf(argument converter.RawValue) (contract.EndedRun, bool) {
	payload, err := jsonOfRaw(argument)
	var recovery contract.RecoveryStart
	if err != nil || json.Unmarshal(payload, &recovery) != nil {
		return contract.EndedRun{}, false
	}
	return recovery.Recovers, recovery.Recovers.WorkflowID != "" && recovery.Recovers.RunID != ""
}
