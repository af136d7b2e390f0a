package recovery_test

import (
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/testsuite"

	"segue/contract"
	"segue/interaction"
	"segue/recovery"
	"segue/replay"
	"segue/workflows"
)

// temporalWith returns a mock of Temporal that has one history, or returns an error.
func temporalWith(t *testing.T, history *historypb.History, err error) *mocks.Client {
	temporal, pages := mocks.NewClient(t), mocks.NewHistoryEventIterator(t)
	next := 0
	pages.On("HasNext").Return(func() bool { return err != nil || next < len(history.GetEvents()) })
	pages.On("Next").Return(func() (*historypb.HistoryEvent, error) {
		if err != nil {
			return nil, err
		}
		next++
		return history.GetEvents()[next-1], nil
	})
	temporal.On("ListWorkflow", mock.Anything, mock.Anything).Return(&workflowservice.ListWorkflowExecutionsResponse{}, nil).Maybe()
	temporal.On("GetWorkflowHistory", mock.Anything, mock.Anything, mock.Anything, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Return(pages)
	return temporal
}

// recoverRun calls the activity Recover for one run, from the environment's workflow.
func recoverRun(t *testing.T, history *historypb.History, err error, workflowID string) (*workflows.Carried, error) {
	t.Helper()
	env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
	(&recovery.Activities{Temporal: temporalWith(t, history, err)}).Register(env)
	value, failure := env.ExecuteActivity(contract.ActivityRecover, contract.EndedRun{WorkflowID: workflowID, RunID: "r1"})
	if failure != nil {
		return nil, failure
	}
	var carried workflows.Carried
	return &carried, value.Get(&carried)
}

// caller is the workflow that the test environment runs activities for.
const caller = "default-test-workflow-id"

func golden(t *testing.T, name string) *historypb.History {
	t.Helper()
	history, err := replay.File("../replay/testdata/v0/" + name + ".json.gz")
	require.NoError(t, err)
	return history
}

// terminated returns the history as it would be if the workflow had been terminated after its
// first task.
func terminated(history *historypb.History) *historypb.History {
	for i, event := range history.GetEvents() {
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED && i > 4 {
			history.Events = append(history.Events[:i:i], &historypb.HistoryEvent{
				EventId: event.GetEventId(), EventTime: event.GetEventTime(), EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
				Attributes: &historypb.HistoryEvent_WorkflowExecutionTerminatedEventAttributes{
					WorkflowExecutionTerminatedEventAttributes: &historypb.WorkflowExecutionTerminatedEventAttributes{Reason: "by mistake"},
				},
			})
			return history
		}
	}
	return history
}

func TestRecoverReturnsTheInteractionEnded(t *testing.T) {
	carried, err := recoverRun(t, terminated(golden(t, "handled")), nil, caller)
	require.NoError(t, err)
	require.Equal(t, interaction.StateCompleted, carried.Interaction.Facts().State)
	require.Equal(t, interaction.OutcomeCanceled, carried.Interaction.Facts().Outcome)
	require.NotEmpty(t, carried.FirstRunID)
	require.NotEmpty(t, carried.Outbox.Turns)
}

func TestRecoverRefusesRunsThatCannotBeRecovered(t *testing.T) {
	unplayable := terminated(golden(t, "handled"))
	unplayable.Events = append(unplayable.Events[:2:2], unplayable.Events[4:]...)
	for name, test := range map[string]struct {
		history    *historypb.History
		err        error
		workflowID string
		reason     string
	}{
		"another interaction": {history: terminated(golden(t, "handled")), workflowID: "interaction/cc/other", reason: "default-test-workflow-id is not a successor of it"},
		"ended by itself":     {history: golden(t, "handled"), workflowID: caller, reason: "it was not ended from outside"},
		"a lane":              {history: terminated(golden(t, "lane_retried")), workflowID: caller, reason: "it was never an interaction"},
		"no such run":         {err: serviceerror.NewNotFound("nothing"), workflowID: caller, reason: "the run does not exist"},
		"unplayable":          {history: unplayable, workflowID: caller, reason: "its history does not replay with this version"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := recoverRun(t, test.history, test.err, test.workflowID)
			require.ErrorContains(t, err, "cannot be recovered: "+test.reason)
			require.ErrorContains(t, err, "retryable: false")
		})
	}
}

func TestRecoverFailsTransientlyDuringAnOutage(t *testing.T) {
	_, err := recoverRun(t, nil, serviceerror.NewUnavailable("restarting"), caller)
	require.ErrorContains(t, err, "restarting")
	require.NotContains(t, err.Error(), "cannot be recovered")
}
