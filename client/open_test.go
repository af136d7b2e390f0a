package client_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
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

// startedBy is the description of a running interaction that a start with this event_id has started.
func startedBy(t *testing.T, eventID string) *workflowservice.DescribeWorkflowExecutionResponse {
	memo, err := converter.GetDefaultDataConverter().ToPayload(eventID)
	require.NoError(t, err)
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{RunId: "run-7"}, Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
		Memo: &commonpb.Memo{Fields: map[string]*commonpb.Payload{contract.MemoStart: memo}},
	}}
}

// The answer of the first try is lost, and the interaction was started.
func TestALostAnswerToAStartIsADuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := mocks.NewClient(t)
		var options sdkclient.StartWorkflowOptions
		server.On("NewWithStartWorkflowOperation", mock.Anything, contract.WorkflowInteraction, mock.Anything).
			Run(func(args mock.Arguments) { options = args.Get(0).(sdkclient.StartWorkflowOptions) }).Return(nil)
		server.On("UpdateWithStartWorkflow", mock.Anything, mock.Anything).Return(nil, serviceerror.NewUnavailable("lost")).Once()
		server.On("UpdateWithStartWorkflow", mock.Anything, mock.Anything).
			Return(nil, fmt.Errorf("failed workflow start: %w", serviceerror.NewWorkflowExecutionAlreadyStarted("started", "", "run-7"))).Once()
		server.On("DescribeWorkflowExecution", mock.Anything, i1.WorkflowID(), "").Return(startedBy(t, "s1"), nil)
		var sent sdkclient.UpdateWorkflowOptions
		handle := mocks.NewWorkflowUpdateHandle(t)
		handle.On("RunID").Return("run-7")
		handle.On("Get", mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
			*args.Get(1).(*[]contract.CommandResult) = []contract.CommandResult{{Answer: contract.Answer{Sequence: 9}}}
		}).Return(nil)
		server.On("UpdateWorkflow", mock.Anything, mock.Anything).
			Run(func(args mock.Arguments) { sent = args.Get(1).(sdkclient.UpdateWorkflowOptions) }).Return(handle, nil).Once()

		opened, err := (&client.Client{Temporal: server}).Open(t.Context(), i1, client.Opening{
			Start:    json.RawMessage(`{"id":"i1","contact_center":"cc","channel":"chat","event_id":"s1"}`),
			Commands: []json.RawMessage{json.RawMessage(`{"command":"hold"}`)}, ID: "u1",
		})
		require.NoError(t, err)
		require.True(t, opened.Duplicate)
		require.Equal(t, "run-7", opened.RunID)
		require.EqualValues(t, 9, opened.Answer.Sequence)
		require.Equal(t, "u1", sent.UpdateID)
		require.JSONEq(t, `[{"command":"hold"}]`, string(sent.Args[0].(converter.RawValue).Payload().GetData()))
		require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, options.WorkflowIDReusePolicy)
		require.Equal(t, map[string]any{contract.MemoStart: "s1"}, options.Memo)
	})
}

func TestAStartOfATakenIDIsAnExistsError(t *testing.T) {
	for _, memo := range []string{"s2", ""} {
		server := mocks.NewClient(t)
		server.On("NewWithStartWorkflowOperation", mock.Anything, mock.Anything, mock.Anything).Return(nil)
		server.On("UpdateWithStartWorkflow", mock.Anything, mock.Anything).
			Return(nil, serviceerror.NewWorkflowExecutionAlreadyStarted("started", "", "run-7"))
		server.On("DescribeWorkflowExecution", mock.Anything, i1.WorkflowID(), "").Return(startedBy(t, memo), nil)
		_, err := (&client.Client{Temporal: server}).Open(t.Context(), i1, client.Opening{
			Start: json.RawMessage(`{"id":"i1","contact_center":"cc","channel":"chat","event_id":"s1"}`), ID: "u1",
		})
		var exists *client.ExistsError
		require.ErrorAs(t, err, &exists)
		require.Equal(t, "run-7", exists.RunID)
	}
}
