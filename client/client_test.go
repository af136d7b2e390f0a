package client_test

import (
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
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"

	"segue/client"
	"segue/contract"
)

// The limit of a minute for one try does not limit the retries.
func TestUpdateRetriesAnOverloadedInteractionForItsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const overloaded = 5 * time.Minute
		began := time.Now()
		handle := mocks.NewWorkflowUpdateHandle(t)
		handle.On("Get", mock.Anything, mock.Anything).Return(nil)
		server := mocks.NewClient(t)
		server.On("UpdateWorkflow", mock.Anything, mock.MatchedBy(func(o sdkclient.UpdateWorkflowOptions) bool {
			return time.Since(began) < overloaded && o.UpdateID == "e1"
		})).Return(nil, temporal.NewApplicationError("later", contract.ErrorOverloaded))
		server.On("UpdateWorkflow", mock.Anything, mock.MatchedBy(func(o sdkclient.UpdateWorkflowOptions) bool {
			return time.Since(began) >= overloaded && o.UpdateID == "e1"
		})).Return(handle, nil).Once()

		name := client.Name{ContactCenter: "cc", ID: "i1"}
		patient := &client.Client{Temporal: server, Patience: time.Hour}
		_, err := patient.Update(t.Context(), name, "dtmf", "e1", json.RawMessage(`{"digits":"1"}`))
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(began), overloaded)

		began = time.Now()
		hasty := &client.Client{Temporal: server, Patience: time.Second}
		_, err = hasty.Update(t.Context(), name, "dtmf", "e1", json.RawMessage(`{"digits":"1"}`))
		var refused *client.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, contract.ErrorOverloaded, refused.Type)
		require.Less(t, time.Since(began), 2*time.Second)
	})
}

// A refused start ends its workflow before it registers a query: the SDK's own answer is
// "unknown queryType".
func TestAQueryReturnsTheReasonOfARefusedStart(t *testing.T) {
	name := client.Name{ContactCenter: "cc", ID: "i1"}
	run := mocks.NewWorkflowRun(t)
	run.On("Get", mock.Anything, mock.Anything).Return(temporal.NewNonRetryableApplicationError(`start: channel: "fax": not known`, contract.ErrorInvalidPayload, nil))
	server := mocks.NewClient(t)
	server.On("QueryWorkflow", mock.Anything, name.WorkflowID(), "", mock.Anything).Return(nil, serviceerror.NewQueryFailed("unknown queryType state"))
	server.On("DescribeWorkflowExecution", mock.Anything, name.WorkflowID(), "").Return(&workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_FAILED},
	}, nil)
	server.On("GetWorkflow", mock.Anything, name.WorkflowID(), "").Return(run)

	c := &client.Client{Temporal: server, Patience: time.Second}
	_, err := c.State(t.Context(), name)
	var refused *client.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, contract.ErrorInvalidPayload, refused.Type)
	require.Equal(t, `its start was refused: start: channel: "fax": not known`, refused.Message)
	_, err = c.Timeline(t.Context(), name)
	require.ErrorAs(t, err, &refused)
}

// The SDK refuses an update with an unknown name, and its error has no type.
func TestAnUnknownUpdateIsAnInvalidPayload(t *testing.T) {
	server := mocks.NewClient(t)
	server.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(nil, temporal.NewApplicationError("unknown update acept. KnownUpdates=[accept]", ""))
	c := &client.Client{Temporal: server, Patience: time.Second}
	_, err := c.Update(t.Context(), client.Name{ContactCenter: "cc", ID: "i1"}, "acept", "", json.RawMessage(`{}`))
	var refused *client.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, contract.ErrorInvalidPayload, refused.Type)
}
