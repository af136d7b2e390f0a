package client

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
)

// History reads the whole history of one run of a workflow that belongs to the interaction n:
// its own or that of a lane. An empty run id means the latest run. History returns ErrNotFound
// if the workflow or the run does not exist.
func (c *Client) History(ctx context.Context, n Name, workflowID, runID string) (*historypb.History, error) {
	var history *historypb.History
	err := c.retry(ctx, func() (err error) {
		history, err = c.readHistory(ctx, workflowID, runID)
		return markOutage(ctx, err)
	})
	var missing *serviceerror.NotFound
	switch {
	case err == nil:
		return history, nil
	case errors.As(err, &missing) && runID != "":
		return nil, fmt.Errorf("run %s of %s %w", runID, workflowID, ErrNotFound)
	case errors.As(err, &missing) && workflowID != n.WorkflowID():
		return nil, fmt.Errorf("lane workflow %s %w: the interaction has handed no delivery of the call over to a lane", workflowID, ErrNotFound)
	}
	return nil, fmt.Errorf("history of %s: %w", workflowID, c.classify(ctx, n, err))
}

func (c *Client) readHistory(ctx context.Context, workflowID, runID string) (*historypb.History, error) {
	pages := c.Temporal.GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	history := &historypb.History{}
	for pages.HasNext() {
		event, err := pages.Next()
		if err != nil {
			return nil, err
		}
		history.Events = append(history.Events, event)
	}
	return history, nil
}

// FirstRun returns the id of the first run in the interaction's current chain of
// continue-as-new runs. It is part of the identity of its deliveries.
func (c *Client) FirstRun(ctx context.Context, n Name) (string, error) {
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, n.WorkflowID(), "")
	if err != nil {
		return "", c.classify(ctx, n, err)
	}
	return described.GetWorkflowExecutionInfo().GetFirstRunId(), nil
}
