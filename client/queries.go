package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
	"segue/interaction"
)

// State queries the state of an interaction. Queries also answer for completed interactions,
// as long as Temporal retains them and a worker runs.
func (c *Client) State(ctx context.Context, n Name) (contract.State, error) {
	return c.StateFor(ctx, n, nil)
}

// StateFor queries the state of an interaction as State does, with the capabilities of an actor;
// without one, they are the platform's.
func (c *Client) StateFor(ctx context.Context, n Name, actor *contract.StateRequest) (contract.State, error) {
	if actor == nil {
		return query[contract.State](ctx, c, n, n.WorkflowID(), "", contract.QueryState)
	}
	return query[contract.State](ctx, c, n, n.WorkflowID(), "", contract.QueryState, actor)
}

// Timeline queries the segments that the interaction's legs have been in.
func (c *Client) Timeline(ctx context.Context, n Name) ([]interaction.Span, error) {
	return query[[]interaction.Span](ctx, c, n, n.WorkflowID(), "", contract.QueryTimeline)
}

// Rejected returns the signals, and the commands of arrays, that the interaction refused, with the
// reasons. It queries the interaction, unless that has closed with a result that counts none.
func (c *Client) Rejected(ctx context.Context, n Name) ([]contract.Rejected, error) {
	if c.refusedNothing(ctx, n) {
		return []contract.Rejected{}, nil
	}
	return query[[]contract.Rejected](ctx, c, n, n.WorkflowID(), "", contract.QueryRejected)
}

// refusedNothing reports whether the interaction has closed with a result that counts no refused signal. The result needs
// no worker. Of a workflow that runs, the server would wait for the close event.
func (c *Client) refusedNothing(ctx context.Context, n Name) bool {
	if !c.hasCompleted(ctx, n.WorkflowID()) {
		return false
	}
	last := c.Temporal.GetWorkflowHistory(ctx, n.WorkflowID(), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	if !last.HasNext() {
		return false
	}
	event, err := last.Next()
	completed := event.GetWorkflowExecutionCompletedEventAttributes()
	if err != nil || completed == nil {
		return false
	}
	result := read[struct {
		State         interaction.State `json:"state"`
		RejectedCount int               `json:"rejected_count"`
	}](completed.GetResult())
	return result.State == interaction.StateCompleted && result.RejectedCount == 0
}

// Deliveries queries the interaction and the lanes that it handed deliveries over to, and
// returns one list in the interaction's order. A lane's record replaces the interaction's
// record of the same delivery: the lane knows the attempts.
func (c *Client) Deliveries(ctx context.Context, n Name) ([]contract.DeliveryRecord, error) {
	list, err := query[[]contract.DeliveryRecord](ctx, c, n, n.WorkflowID(), "", contract.QueryDeliveries)
	if err != nil {
		return nil, err
	}
	known := map[string]int{}
	var calls []string
	seen := map[string]bool{}
	for i, record := range list {
		known[record.ID] = i
		if !seen[record.Call] {
			seen[record.Call] = true
			calls = append(calls, record.Call)
		}
	}
	for _, call := range calls {
		records, err := c.laneRecords(ctx, n, call)
		if err != nil {
			return nil, err
		}
		listed := map[string]bool{}
		for _, record := range records {
			listed[record.ID] = true
		}
		if len(records) > 0 && c.hasCompleted(ctx, LaneOf(n, call).WorkflowID) {
			markUnlistedDelivered(list, call, listed)
		}
		for _, record := range records {
			if i, ok := known[record.ID]; ok {
				list[i] = record
			} else {
				list = append(list, record)
			}
		}
	}
	return list, nil
}

// HasRun reports whether an interaction has, or had, a run that Temporal still knows.
func (c *Client) HasRun(ctx context.Context, n Name, runID string) (bool, error) {
	err := c.retry(ctx, func() error {
		_, err := c.Temporal.DescribeWorkflowExecution(ctx, n.WorkflowID(), runID)
		return markOutage(ctx, err)
	})
	var missing *serviceerror.NotFound
	var invalid *serviceerror.InvalidArgument // no run has such an id
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &missing), errors.As(err, &invalid):
		return false, nil
	}
	return false, fmt.Errorf("describe %s: %w", n, c.classify(ctx, n, err))
}

// markUnlistedDelivered marks as delivered what a completed lane was given and no longer
// lists: a lane lists only its last delivered ones.
func markUnlistedDelivered(list []contract.DeliveryRecord, call string, listed map[string]bool) {
	for i, record := range list {
		if record.Call == call && !listed[record.ID] && (record.Status == contract.StatusInLane || record.Status == contract.StatusParked) {
			list[i].Status = contract.StatusDelivered
		}
	}
}

// WorkflowStatus is the status of an interaction's workflow, as Temporal knows it.
type WorkflowStatus struct {
	// Status is running, completed, terminated, timedout, failed or canceled.
	Status string `json:"status"`
	// ClosedAt is nil while the workflow runs.
	ClosedAt *time.Time `json:"closed_at,omitempty"`
	// Reason is the reason that was given when the workflow was terminated.
	Reason string `json:"reason,omitempty"`
}

// WorkflowStatus asks Temporal for the status of an interaction's workflow; no worker is
// needed. It returns ErrNotFound if the interaction does not exist.
func (c *Client) WorkflowStatus(ctx context.Context, n Name) (WorkflowStatus, error) {
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, n.WorkflowID(), "")
	if err != nil {
		return WorkflowStatus{}, c.classify(ctx, n, err)
	}
	info := described.GetWorkflowExecutionInfo()
	standing := WorkflowStatus{Status: strings.ToLower(info.GetStatus().String())}
	if info.GetCloseTime() != nil {
		closed := info.GetCloseTime().AsTime()
		standing.ClosedAt = &closed
	}
	if info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED {
		last := c.Temporal.GetWorkflowHistory(ctx, n.WorkflowID(), info.GetExecution().GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
		for last.HasNext() {
			event, err := last.Next()
			if err != nil {
				return standing, c.classify(ctx, n, err)
			}
			standing.Reason = event.GetWorkflowExecutionTerminatedEventAttributes().GetReason()
		}
	}
	return standing, nil
}

// query queries a workflow, again if it was started meanwhile.
func query[T any](ctx context.Context, c *Client, n Name, workflowID, runID, queryType string, args ...any) (T, error) {
	answer, err := queryOnce[T](ctx, c, n, workflowID, runID, queryType, args...)
	var open *openError
	for range startedTries {
		if !errors.As(err, &open) {
			break
		}
		answer, err = queryOnce[T](ctx, c, n, workflowID, runID, queryType, args...)
	}
	return answer, err
}

// startedTries is how often an interaction that was started meanwhile is queried again.
const startedTries = 3

// queryOnce queries a workflow. It retries a query that timed out once: the queries of a worker
// that dies are lost.
func queryOnce[T any](ctx context.Context, c *Client, n Name, workflowID, runID, queryType string, args ...any) (T, error) {
	var answer T
	once := func() error {
		value, err := c.Temporal.QueryWorkflow(ctx, workflowID, runID, queryType, args...)
		if err != nil {
			return c.markWorkerOutage(ctx, workflowID, err)
		}
		return value.Get(&answer)
	}
	err := c.retry(ctx, once)
	var outage *outageError
	if timedOut(err) && !errors.As(err, &outage) && ctx.Err() == nil {
		err = c.retry(ctx, once)
	}
	if err == nil {
		return answer, nil
	}
	if refused := c.startRefused(ctx, n, workflowID, err); refused != nil {
		return answer, refused
	}
	err = c.classify(ctx, n, err)
	if errors.Is(err, ErrCompleted) && workflowID == n.WorkflowID() && c.isOpen(ctx, workflowID) {
		err = &openError{c.noWorker(n)} // a closed one answers queries, too
	}
	return answer, fmt.Errorf("query %s: %w", queryType, err)
}

// startRefused returns a RefusedError if the interaction knows no query because its start was
// refused, which fails the workflow before it registers any. It returns nil otherwise.
func (c *Client) startRefused(ctx context.Context, n Name, workflowID string, err error) error {
	var failed *serviceerror.QueryFailed
	if !errors.As(err, &failed) || workflowID != n.WorkflowID() || c.isOpen(ctx, workflowID) {
		return nil
	}
	var refused *temporal.ApplicationError
	if ended := c.Temporal.GetWorkflow(ctx, workflowID, "").Get(ctx, nil); errors.As(ended, &refused) {
		reason := refusedBy(refused)
		reason.Message = "its start was refused: " + reason.Message
		return reason
	}
	return nil
}
