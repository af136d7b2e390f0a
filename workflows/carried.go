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

// Anybody who reaches the namespace can start a workflow with whatever arguments. What a
// run carries over is taken only where Temporal itself says that the run continued.

// continues reports whether the run was started by an earlier one that continued as new.
// A run of a cron schedule or of a retry names an earlier one as well, and has the
// arguments of whoever started that.
func continues(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.ContinuedExecutionRunID != "" && info.CronSchedule == "" && info.Attempt <= 1
}

// carriedOver decodes what the earlier run left; nil for a first run. It refuses an
// argument that a client gave.
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
		// Written by another version of this code: the task waits for a worker that can read it.
		panic(fmt.Errorf("what the run before left: %w", err))
	}
	return carried, nil
}

var errSecondArgument = &interaction.InvalidError{
	Field: "second argument", Reason: "is for runs that continue as new; start the workflow with one argument",
}

// carriedInteraction is what an interaction's earlier run left: the one that continued
// as new, or the ended one that a recovery names, as an activity reads it.
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
