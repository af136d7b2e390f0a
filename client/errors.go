package client

import (
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
	"segue/interaction"
)

// The errors that callers handle differently, for errors.Is. Any other error that is not a
// RefusedError or an ExistsError is Temporal's own.
var (
	// ErrNotFound reports that the interaction does not exist: check its contact center and
	// id, or start it. Temporal deletes an interaction when its retention has passed.
	ErrNotFound = errors.New("not found")
	// ErrCompleted reports that the interaction's workflow has closed and accepts nothing
	// more. A retry fails as well; Start with reopen starts the interaction again.
	ErrCompleted = errors.New("interaction is completed")
	// ErrNoWorker reports that no worker answered in time. Start a worker on the task queue,
	// then retry the call: an update with the same event id is applied once.
	ErrNoWorker = errors.New("no worker answered")
	// ErrStuck reports that the workflow's tasks fail, so that it cannot answer. The
	// interaction loses nothing and continues once a worker runs that can replay it;
	// `segue audit` names the cause.
	ErrStuck = errors.New("the tasks of its workflow fail")
	// ErrUnreachable reports that Temporal itself did not answer for Client.Patience. Whether
	// Temporal has received the call is unknown: retry it with the same event id.
	ErrUnreachable = errors.New("no Temporal can be reached")
)

// RefusedError reports a command, or a start, that the interaction refused. The command has
// changed nothing, and a retry is refused as well unless the interaction's state changes; only
// after contract.ErrorOverloaded may a later retry succeed.
type RefusedError struct {
	// Type is the application error type: contract.ErrorIllegalCommand,
	// contract.ErrorInvalidPayload or contract.ErrorOverloaded.
	Type string `json:"type"`
	// Message names the command, the field and value in question, and what is legal instead.
	Message string `json:"message"`
	// Refusal is the same for programs.
	contract.Refusal
}

func (e *RefusedError) Error() string { return e.Message }

// CompletedError reports a call to an interaction whose workflow has closed. It wraps
// ErrCompleted.
type CompletedError struct {
	Name Name
	// Last is the last state; nil for an interaction that did not end by itself.
	Last *contract.State
}

func (e *CompletedError) Error() string {
	if e.Last == nil {
		return fmt.Sprintf("%s: %s; `segue show %s` shows how it ended", e.Name, ErrCompleted, e.Name)
	}
	return fmt.Sprintf("%s: %s: it ended as %s at %s, by %s",
		e.Name, ErrCompleted, e.Last.Outcome, e.Last.EndedAt.UTC().Format(time.RFC3339), e.Last.EndedBy)
}

// Unwrap returns ErrCompleted.
func (e *CompletedError) Unwrap() error { return ErrCompleted }

// ExistsError reports a start of an interaction that was started before. It is harmless if the
// start is a repeat; Start with reopen starts a completed interaction again.
type ExistsError struct {
	Name Name
	// RunID is the run that has the id.
	RunID string
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("interaction %s was started before; `segue show %s` shows its state, and --reopen starts a completed one again",
		e.Name, e.Name)
}

// classify turns Temporal's errors into those of this package.
func (c *Client) classify(ctx context.Context, n Name, err error) error {
	var refused *temporal.ApplicationError
	var missing *serviceerror.NotFound
	var namespace *serviceerror.NamespaceNotFound
	var updating *sdkclient.WorkflowUpdateServiceTimeoutOrCanceledError
	var outage *outageError
	var notReady *serviceerror.WorkflowNotReady
	var renewed *continuedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &outage):
		return fmt.Errorf("%w: %w", ErrUnreachable, outage.cause)
	case isStuck(err):
		return fmt.Errorf("%s: %w; `segue audit` names the cause", n, ErrStuck)
	case errors.As(err, &notReady), errors.As(err, &renewed):
		return c.noWorker(n)
	case errors.As(err, &refused):
		if refused.Type() == updateOfClosedRun {
			return c.completed(ctx, n)
		}
		return refusedBy(refused)
	case errors.As(err, &namespace):
		return fmt.Errorf("%w (`segue setup` registers it)", err)
	case lacksAttribute(err):
		return fmt.Errorf("%w (`segue setup` adds the search attributes)", err)
	case errors.As(err, &missing):
		return c.completedOrNotFound(ctx, n)
	case errors.As(err, &updating), timedOut(err), hasNoPoller(err):
		return c.noWorker(n)
	case isFullRun(err):
		return &RefusedError{
			Type:    contract.ErrorOverloaded,
			Message: "the run of this interaction has had as many updates as Temporal takes, and is about to continue as new; send the command again in a moment",
		}
	case isTooLarge(err):
		return &RefusedError{
			Type: contract.ErrorInvalidPayload, Message: "the message is too large for Temporal: " + err.Error(),
			Refusal: contract.Refusal{Why: interaction.WhyTooLarge},
		}
	case isUnavailable(err):
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

func (c *Client) noWorker(n Name) error {
	return fmt.Errorf("%s: %w on task queue %s in time; is `segue dev` or a worker running?", n, ErrNoWorker, c.TaskQueue)
}

// isUnavailable reports whether Temporal did not take a call, and may take it later: it is down or
// busy, or a shard moves.
func isUnavailable(err error) bool {
	switch serviceerror.ToStatus(err).Code() {
	case codes.Unavailable, codes.Aborted, codes.ResourceExhausted:
		return true
	}
	return false
}

// continuedError reports an update that was lost because its run ended, while the interaction
// continues in the next run.
type continuedError struct{ cause error }

func (e *continuedError) Error() string {
	return "the interaction continued as new before it handled the update: " + e.cause.Error()
}
func (e *continuedError) Unwrap() error { return e.cause }

// isLostWithRun reports whether an update was lost because the run that was to handle it
// ended: the server returns "not found", or an error of its own.
func isLostWithRun(err error) bool {
	var missing *serviceerror.NotFound
	var ended *temporal.ApplicationError
	return errors.As(err, &missing) || errors.As(err, &ended) && ended.Type() == updateOfClosedRun
}

// isOpen reports whether a workflow is running.
func (c *Client) isOpen(ctx context.Context, workflowID string) bool {
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	return err == nil && described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}

// hasCompleted reports whether a workflow has completed: not failed, terminated or canceled.
func (c *Client) hasCompleted(ctx context.Context, workflowID string) bool {
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	return err == nil && described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
}

// updateOfClosedRun is the server's error type for an update that a run accepted and did not
// handle before it closed.
const updateOfClosedRun = "AcceptedUpdateCompletedWorkflow"

func timedOut(err error) bool {
	var deadline *serviceerror.DeadlineExceeded
	return errors.As(err, &deadline) || errors.Is(err, context.DeadlineExceeded)
}

// outageError reports a call that Temporal itself did not answer in time.
type outageError struct{ cause error }

func (e *outageError) Error() string { return e.cause.Error() }
func (e *outageError) Unwrap() error { return e.cause }

// markOutage returns an outageError for the timeout of a call that needs no worker: only an outage explains it. The end of
// the caller's own context does not show an outage.
func markOutage(ctx context.Context, err error) error {
	if timedOut(err) && !isEnding(ctx) {
		return &outageError{err}
	}
	return err
}

// endingWithin is how long before the deadline of its context a call may time out.
const endingWithin = 100 * time.Millisecond

// isEnding reports whether a context has ended or is about to: the transport and the server time a call out shortly before
// the context reports its own end.
func isEnding(ctx context.Context) bool {
	deadline, limited := ctx.Deadline()
	return ctx.Err() != nil || limited && time.Until(deadline) < endingWithin
}

// markWorkerOutage returns an outageError for the timeout of a call that a worker answers, if Temporal does not answer a
// call that needs no worker either.
func (c *Client) markWorkerOutage(ctx context.Context, workflowID string, err error) error {
	var updating *sdkclient.WorkflowUpdateServiceTimeoutOrCanceledError
	if !timedOut(err) && !errors.As(err, &updating) || isEnding(ctx) {
		return err
	}
	_, probe := c.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if timedOut(probe) && !isEnding(ctx) || serviceerror.ToStatus(probe).Code() == codes.Unavailable {
		return &outageError{errors.Join(err, probe)}
	}
	return err
}

// isStuck reports whether Temporal refuses to query or update a workflow because its last tasks have failed.
func isStuck(err error) bool {
	var notReady *serviceerror.WorkflowNotReady
	return errors.As(err, &notReady) && strings.Contains(notReady.Error(), "failed state")
}

// isTooLarge reports whether a message exceeds a limit of Temporal: a later try is refused, too. Temporal has no error type
// for it.
func isTooLarge(err error) bool {
	status := serviceerror.ToStatus(err)
	return status.Code() == codes.ResourceExhausted && strings.Contains(status.Message(), "larger than max") ||
		status.Code() == codes.InvalidArgument && strings.Contains(status.Message(), "size exceeds limit")
}

// hasNoPoller reports whether Temporal knows that no worker polls, such as for an interaction
// that is pinned to a version that no worker runs any more. Temporal has no error type for it.
func hasNoPoller(err error) bool {
	status := serviceerror.ToStatus(err)
	return status.Code() == codes.FailedPrecondition && strings.Contains(status.Message(), "no poller")
}

// lacksAttribute reports whether Temporal refused a start because its namespace lacks a search attribute. Temporal has no
// error type for it.
func lacksAttribute(err error) bool {
	var invalid *serviceerror.InvalidArgument
	return errors.As(err, &invalid) && strings.Contains(strings.ToLower(invalid.Message), "search attribute")
}

// openError reports a call to a workflow that Temporal did not know and knows by now: it was started
// meanwhile. It is an ErrNoWorker for those who do not repeat the call.
type openError struct{ err error }

func (e *openError) Error() string { return e.err.Error() }
func (e *openError) Unwrap() error { return e.err }

// completedOrNotFound distinguishes a closed workflow from one that never existed: the server
// returns "not found" for both.
func (c *Client) completedOrNotFound(ctx context.Context, n Name) error {
	var missing *serviceerror.NotFound
	_, err := c.Temporal.DescribeWorkflowExecution(ctx, n.WorkflowID(), "")
	switch {
	case err == nil:
		return c.completed(ctx, n)
	case errors.As(err, &missing):
		return fmt.Errorf("interaction %s %w: `segue list` lists the existing ones", n, ErrNotFound)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// completed returns the error for a call to a closed workflow. The workflow's result contains how
// the interaction ended and needs no worker. A lane, a terminated interaction, and one of an older
// version have no such result.
func (c *Client) completed(ctx context.Context, n Name) error {
	var last contract.State
	if c.isOpen(ctx, n.WorkflowID()) || c.Temporal.GetWorkflow(ctx, n.WorkflowID(), "").Get(ctx, &last) != nil || last.EndedAt == nil {
		return &CompletedError{Name: n}
	}
	return &CompletedError{Name: n, Last: &last}
}

// isTransient reports whether a retry may succeed: a server that restarts or does not answer,
// a shard that moves, a workflow whose first task has not run yet, one that continued as new,
// an overloaded interaction, or a worker that died with the call (the server reports that as
// canceled).
func isTransient(err error) bool {
	var notReady *serviceerror.WorkflowNotReady
	var renewed *continuedError
	var outage *outageError
	if isStuck(err) || isTooLarge(err) {
		return false
	}
	if errors.As(err, &notReady) || errors.As(err, &renewed) || errors.As(err, &outage) || isOverloaded(err) {
		return true
	}
	switch serviceerror.ToStatus(err).Code() {
	case codes.Unavailable, codes.Aborted, codes.ResourceExhausted, codes.Canceled:
		return true
	}
	return false
}
