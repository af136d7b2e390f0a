package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc/codes"

	"segue/contract"
)

// The kinds of failure that a caller acts upon differently. Anything else is
// Temporal's own error.
var (
	// ErrNotFound says that there is no such interaction.
	ErrNotFound = errors.New("not found")
	// ErrCompleted says that the interaction's workflow has closed.
	ErrCompleted = errors.New("interaction is completed")
	// ErrNoWorker says that nobody answered for the workflow.
	ErrNoWorker = errors.New("no worker answered")
	// ErrStuck says that the tasks of the workflow fail, so that it answers nothing.
	ErrStuck = errors.New("the tasks of its workflow fail")
	// ErrUnreachable says that Temporal itself did not answer.
	ErrUnreachable = errors.New("no Temporal can be reached")
)

// RefusedError is a command that the interaction refused; it has changed nothing.
type RefusedError struct {
	// Type is the application error type: IllegalCommand or InvalidPayload.
	Type    string `json:"type"`
	Message string `json:"message"`
}

func (e *RefusedError) Error() string { return e.Message }

// ExistsError is a start of an interaction that was started before.
type ExistsError struct {
	Name  Name
	RunID string
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("interaction %s was started before; `segue show %s` tells how it stands, and --reopen starts a completed one again",
		e.Name, e.Name)
}

// classify turns Temporal's errors into this package's.
func (c *Client) classify(ctx context.Context, n Name, err error) error {
	var refused *temporal.ApplicationError
	var missing *serviceerror.NotFound
	var namespace *serviceerror.NamespaceNotFound
	var updating *sdkclient.WorkflowUpdateServiceTimeoutOrCanceledError
	var outage *outageError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &outage):
		return fmt.Errorf("%w: %w", ErrUnreachable, outage.cause)
	case isStuck(err):
		return fmt.Errorf("%s: %w; `segue audit` names the cause", n, ErrStuck)
	case errors.As(err, &refused):
		if refused.Type() == updateOfClosedRun {
			return c.completed(ctx, n)
		}
		return &RefusedError{Type: typeOf(refused), Message: refused.Message()}
	case errors.As(err, &namespace):
		return fmt.Errorf("%w (`segue setup` registers it)", err)
	case errors.As(err, &missing):
		return c.completedOrNotFound(ctx, n)
	case errors.As(err, &updating), timedOut(err), hasNoPoller(err):
		return fmt.Errorf("%s: %w on task queue %s in time; is `segue dev` or a worker running?", n, ErrNoWorker, c.TaskQueue)
	case serviceerror.ToStatus(err).Code() == codes.Unavailable:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

// typeOf is the type of a refusal. The SDK itself refuses an update of a name that no
// command has, without any.
func typeOf(refused *temporal.ApplicationError) string {
	return cmp.Or(refused.Type(), contract.ErrorInvalidPayload)
}

// continuedError is an update that the end of a run pushed out while the interaction
// goes on in the next one.
type continuedError struct{ cause error }

func (e *continuedError) Error() string {
	return "the interaction continued as new meanwhile: " + e.cause.Error()
}
func (e *continuedError) Unwrap() error { return e.cause }

// isLostWithRun tells whether an update came to nothing because the run that was to take
// it ended: to the server that is "not found", or a failure of its own.
func isLostWithRun(err error) bool {
	var missing *serviceerror.NotFound
	var ended *temporal.ApplicationError
	return errors.As(err, &missing) || errors.As(err, &ended) && ended.Type() == updateOfClosedRun
}

// isOpen tells whether a workflow has a run that goes on.
func (c *Client) isOpen(ctx context.Context, workflowID string) bool {
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	return err == nil && described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}

// hasCompleted reports whether a workflow has closed by itself.
func (c *Client) hasCompleted(ctx context.Context, workflowID string) bool {
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	return err == nil && described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
}

// updateOfClosedRun is the server's word for an update that was accepted by a run
// that closed before it was handled.
const updateOfClosedRun = "AcceptedUpdateCompletedWorkflow"

func timedOut(err error) bool {
	var deadline *serviceerror.DeadlineExceeded
	return errors.As(err, &deadline) || errors.Is(err, context.DeadlineExceeded)
}

// outageError is a call that Temporal itself did not answer in time.
type outageError struct{ cause error }

func (e *outageError) Error() string { return e.cause.Error() }
func (e *outageError) Unwrap() error { return e.cause }

// markOutage marks a timeout of a call that needs no worker: only an outage explains it. When the caller's own time is
// over, it says nothing about Temporal.
func markOutage(ctx context.Context, err error) error {
	if timedOut(err) && ctx.Err() == nil {
		return &outageError{err}
	}
	return err
}

// markWorkerOutage marks a timeout of a call that a worker answers as an outage, if Temporal does not answer without a worker
// either.
func (c *Client) markWorkerOutage(ctx context.Context, workflowID string, err error) error {
	var updating *sdkclient.WorkflowUpdateServiceTimeoutOrCanceledError
	if !timedOut(err) && !errors.As(err, &updating) || ctx.Err() != nil {
		return err
	}
	_, described := c.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if timedOut(described) || serviceerror.ToStatus(described).Code() == codes.Unavailable {
		return &outageError{errors.Join(err, described)}
	}
	return err
}

// isStuck reports whether Temporal does not ask a workflow because its last tasks have failed.
func isStuck(err error) bool {
	var notReady *serviceerror.WorkflowNotReady
	return errors.As(err, &notReady) && strings.Contains(notReady.Error(), "failed state")
}

// hasNoPoller tells whether Temporal itself knows that nobody is there to ask, such as for
// an interaction that is pinned to a version of the workers that none runs any more. It
// has no type of error for that.
func hasNoPoller(err error) bool {
	status := serviceerror.ToStatus(err)
	return status.Code() == codes.FailedPrecondition && strings.Contains(status.Message(), "no poller")
}

// completedOrNotFound tells a closed workflow from one that never was: the server calls
// both "not found".
func (c *Client) completedOrNotFound(ctx context.Context, n Name) error {
	_, err := c.Temporal.DescribeWorkflowExecution(ctx, n.WorkflowID(), "")
	if timedOut(err) || serviceerror.ToStatus(err).Code() == codes.Unavailable {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if err != nil {
		return fmt.Errorf("interaction %s %w: `segue list` shows those there are", n, ErrNotFound)
	}
	return c.completed(ctx, n)
}

// completed is the error for what comes after the workflow has closed. The workflow's
// result says how the interaction ended, without a worker.
func (c *Client) completed(ctx context.Context, n Name) error {
	var last contract.State
	if c.isOpen(ctx, n.WorkflowID()) || c.Temporal.GetWorkflow(ctx, n.WorkflowID(), "").Get(ctx, &last) != nil || last.EndedAt == nil {
		return fmt.Errorf("%s: %w", n, ErrCompleted) // a lane of it, one that was terminated, or from an older version
	}
	return fmt.Errorf("%s: %w: it ended as %s at %s, by %s", n, ErrCompleted, last.Outcome, last.EndedAt.UTC().Format(time.RFC3339), last.EndedBy)
}

// isTransient reports whether an error is worth another try: a server that restarts or does not answer, a
// shard that moves, a workflow whose first task has not run yet, one that continued
// as new, an interaction that owes its receivers all it may, a worker that died with
// the question (to the server it has canceled it).
func isTransient(err error) bool {
	var notReady *serviceerror.WorkflowNotReady
	var renewed *continuedError
	var refused *temporal.ApplicationError
	var outage *outageError
	if isStuck(err) {
		return false
	}
	if errors.As(err, &notReady) || errors.As(err, &renewed) || errors.As(err, &outage) || errors.As(err, &refused) && refused.Type() == contract.ErrorOverloaded {
		return true
	}
	switch serviceerror.ToStatus(err).Code() {
	case codes.Unavailable, codes.Aborted, codes.ResourceExhausted, codes.Canceled:
		return true
	}
	return false
}
