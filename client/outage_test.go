package client_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"

	"segue/client"
	"segue/contract"
)

// outage is a Temporal that answers nothing until it ends: each call waits ten seconds, as the SDK's calls do.
type outage struct {
	sdkclient.Client
	end time.Time
}

func (o outage) call() error {
	if time.Now().Before(o.end) {
		time.Sleep(10 * time.Second)
		return serviceerror.NewDeadlineExceeded("context deadline exceeded")
	}
	return nil
}

type startedRun struct{ sdkclient.WorkflowRun }

func (startedRun) GetRunID() string { return "run" }

func (o outage) ExecuteWorkflow(context.Context, sdkclient.StartWorkflowOptions, any, ...any) (sdkclient.WorkflowRun, error) {
	return startedRun{}, o.call()
}

func (o outage) SignalWorkflow(context.Context, string, string, string, any) error { return o.call() }

func (o outage) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{}, o.call()
}

type rejected struct{}

func (rejected) HasValue() bool { return true }
func (rejected) Get(into any) error {
	return json.Unmarshal([]byte(`[{"command":"hold"}]`), into)
}

func (o outage) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	return rejected{}, o.call()
}

type updated struct{ sdkclient.WorkflowUpdateHandle }

func (updated) Get(context.Context, any) error { return nil }

func (o outage) UpdateWorkflow(context.Context, sdkclient.UpdateWorkflowOptions) (sdkclient.WorkflowUpdateHandle, error) {
	return updated{}, o.call()
}

// An outage in which Temporal, or its database, answers nothing is retried like one in which it refuses connections. A
// long one is not reported as a missing worker.
func TestCallsAreRetriedDuringAnOutage(t *testing.T) {
	name, start := client.Name{ContactCenter: "cc", ID: "i1"}, json.RawMessage(`{"channel":"chat"}`)
	for call, try := range map[string]func(context.Context, *client.Client) error{
		"start": func(ctx context.Context, c *client.Client) error {
			_, err := c.Start(ctx, name, start, false)
			return err
		},
		"signal": func(ctx context.Context, c *client.Client) error { return c.Signal(ctx, name, "hold", start) },
		"update": func(ctx context.Context, c *client.Client) error {
			_, err := c.Update(ctx, name, "hold", "e1", start)
			return err
		},
		"query": func(ctx context.Context, c *client.Client) error { _, err := c.Rejected(ctx, name); return err },
		"lane": func(ctx context.Context, c *client.Client) error {
			return c.SignalLane(ctx, client.LaneOf(name, "crm"), "discard", contract.OperatorRequest{})
		},
	} {
		t.Run(call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				patient := &client.Client{Temporal: outage{end: time.Now().Add(45 * time.Second)}, Patience: 2 * time.Minute, TaskQueue: "segue"}
				require.NoError(t, try(t.Context(), patient))

				hasty := &client.Client{Temporal: outage{end: time.Now().Add(time.Hour)}, Patience: 25 * time.Second, TaskQueue: "segue"}
				err := try(t.Context(), hasty)
				require.ErrorIs(t, err, client.ErrUnreachable)
				require.NotErrorIs(t, err, client.ErrNoWorker)
			})
		})
	}
}

// unanswered is a Temporal without workers. Its calls time out shortly before the context does, as over gRPC.
type unanswered struct{ sdkclient.Client }

func (unanswered) UpdateWorkflow(ctx context.Context, _ sdkclient.UpdateWorkflowOptions) (sdkclient.WorkflowUpdateHandle, error) {
	deadline, _ := ctx.Deadline()
	time.Sleep(time.Until(deadline) - 2*time.Millisecond)
	return nil, sdkclient.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded)
}

func (unanswered) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	time.Sleep(time.Millisecond)
	return nil, serviceerror.NewDeadlineExceeded("context deadline exceeded")
}

func TestAnUpdateThatTimesOutJustBeforeItsContextIsErrNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		c := &client.Client{Temporal: unanswered{}, TaskQueue: "segue"}
		_, err := c.Update(ctx, client.Name{ContactCenter: "cc", ID: "i1"}, "hold", "e1", json.RawMessage(`{}`))
		require.ErrorIs(t, err, client.ErrNoWorker)
		require.NotErrorIs(t, err, client.ErrUnreachable)
	})
}

// Temporal does not query a workflow whose tasks fail: a retry changes nothing.
func TestCallsToAStuckInteractionAreNotRetried(t *testing.T) {
	server := mocks.NewClient(t)
	server.On("QueryWorkflow", mock.Anything, mock.Anything, "", mock.Anything).
		Return(nil, serviceerror.NewWorkflowNotReady("Unable to query workflow due to Workflow Task in failed state.")).Once()
	server.On("UpdateWorkflow", mock.Anything, mock.Anything).
		Return(nil, serviceerror.NewWorkflowNotReady("Unable to perform workflow execution update due to Workflow Task in failed state.")).Once()
	c := &client.Client{Temporal: server}
	name := client.Name{ContactCenter: "cc", ID: "i1"}
	_, err := c.State(t.Context(), name)
	require.ErrorIs(t, err, client.ErrStuck)
	_, err = c.Update(t.Context(), name, "hold", "e1", json.RawMessage(`{}`))
	require.ErrorIs(t, err, client.ErrStuck)
}

// A workflow that is started between a query, which does not find it, and the search for the reason is not one that has
// ended.
func TestAQueryFindsAnInteractionThatIsStartedMeanwhile(t *testing.T) {
	name := client.Name{ContactCenter: "cc", ID: "i1"}
	server := mocks.NewClient(t)
	server.On("QueryWorkflow", mock.Anything, name.WorkflowID(), "", contract.QueryState).Return(nil, serviceerror.NewNotFound("no such workflow")).Once()
	server.On("DescribeWorkflowExecution", mock.Anything, name.WorkflowID(), "").Return(&workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING},
	}, nil)
	server.On("QueryWorkflow", mock.Anything, name.WorkflowID(), "", contract.QueryState).Return(queryAnswer{value: map[string]any{"state": "engaging"}}, nil).Once()
	state, err := (&client.Client{Temporal: server}).State(t.Context(), name)
	require.NoError(t, err)
	require.EqualValues(t, "engaging", state.State)
}
