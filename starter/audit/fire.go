package audit

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/time/rate"
)

// Fired is what became of the findings.
type Fired struct {
	// Done counts those whose workflows have been given what they left.
	Done int
	// Skipped counts those that somebody else had taken up meanwhile.
	Skipped  int
	Failures []Failure
}

// Fire lets workflows do what was found to be missing, so many of them a second. Each
// is looked at once more in its turn. An error means that it broke off: what was done
// is counted, and another audit finds the rest.
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
		return false, fmt.Errorf("looking at it again: %w", err)
	}
	r := runOf(described.GetWorkflowExecutionInfo())
	if r.status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return false, nil
	}
	job, err := a.examine(ctx, r)
	if err != nil || job == nil {
		return false, err
	}
	return true, job.fire(ctx)
}
