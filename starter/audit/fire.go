package audit

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/time/rate"
)

// Fired counts the outcomes of Fire.
type Fired struct {
	// Done counts the findings that workflows now do.
	Done int
	// Skipped counts the findings that were recovered by others in the meantime.
	Skipped  int
	Failures []Failure
}

// Fire has workflows do what is missing, at most perSecond findings a second. It examines each
// workflow again first, and calls done after each. If Fire returns an error, it has stopped
// early: the result counts what was done, and another audit finds the rest.
func (a *Auditor) Fire(ctx context.Context, findings []Finding, perSecond float64, done func()) (Fired, error) {
	var fired Fired
	pace := rate.NewLimiter(rate.Limit(perSecond), 1)
	for _, finding := range findings {
		if err := pace.Wait(ctx); err != nil {
			return fired, err
		}
		isDone, err := a.fire(ctx, finding)
		switch {
		case err != nil && (ctx.Err() != nil || isUnavailable(err)):
			return fired, fmt.Errorf("broke off after %d of %d: %w", fired.Done, len(findings), err)
		case err != nil:
			fired.Failures = append(fired.Failures, Failure{WorkflowID: finding.WorkflowID, RunID: finding.RunID, Reason: err.Error()})
		case isDone:
			fired.Done++
		default:
			fired.Skipped++
		}
		done()
	}
	return fired, nil
}

func (a *Auditor) fire(ctx context.Context, finding Finding) (isDone bool, err error) {
	described, err := a.Temporal.DescribeWorkflowExecution(ctx, finding.WorkflowID, finding.RunID)
	if err != nil {
		return false, fmt.Errorf("describe it again: %w", err)
	}
	r := runOf(described.GetWorkflowExecutionInfo())
	if r.status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return false, nil
	}
	todo, err := a.examine(ctx, r)
	if err != nil || todo == nil {
		return false, err
	}
	return true, todo.fire(ctx)
}
