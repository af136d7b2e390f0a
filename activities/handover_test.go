package activities_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
)

func TestHandOverAppendsInChunks(t *testing.T) {
	d := newDesk(t)
	d.expectAppend("crm", nil).Times(3)
	in := contract.HandOver{Owner: owner, Call: "crm", Failed: &contract.Outcome{ID: "1", Class: "http_5xx"}}
	for i := range 5 {
		in.Requests = append(in.Requests, contract.Request{ID: fmt.Sprint(i + 1), Body: strings.Repeat("x", 100<<10)})
	}
	_, err := d.ExecuteActivity(contract.ActivityHandOver, in)
	require.NoError(t, err)

	var ids []string
	starts := d.lanesStarted()
	for i, call := range starts {
		appended := call.Arguments.Get(3).(contract.HandOver)
		size := 0
		for _, request := range appended.Requests {
			ids = append(ids, request.ID)
			size += request.Size()
		}
		assert.LessOrEqual(t, size, 256<<10)
		assert.Equal(t, owner, appended.Owner)
		assert.Equal(t, i == 0, appended.Failed != nil, "the failure is the first request's")
	}
	assert.Equal(t, []string{"1", "2", "3", "4", "5"}, ids)

	options := starts[0].Arguments.Get(4).(client.StartWorkflowOptions)
	assert.Equal(t, "delivery/default/i-1/crm", options.ID)
	assert.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, options.WorkflowIDReusePolicy)
	assert.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, options.WorkflowIDConflictPolicy)
	assert.Equal(t, "crm for i-1", options.StaticSummary)
	assert.NotEmpty(t, options.TaskQueue)
	for name, value := range map[string]string{"SegueCall": "crm", "SegueInteraction": "i-1", "SegueContactCenter": "default"} {
		got, ok := options.TypedSearchAttributes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(name))
		assert.True(t, ok)
		assert.Equal(t, value, got)
	}
}

// lanesStarted are the calls that started a lane's workflow.
func (d *desk) lanesStarted() []mock.Call {
	return slices.DeleteFunc(slices.Clone(d.temporal.Calls), func(c mock.Call) bool { return c.Method != "SignalWithStartWorkflow" })
}

// A hand-over may be repeated when the lane has worked off all it was given and closed.
func TestARepeatedHandOverStartsNothingThatALaneHasKnown(t *testing.T) {
	for name, test := range map[string]struct {
		known, requests, started []string
		failed, isToldWhy        bool
	}{
		"all are known":      {known: []string{"1", "2"}, requests: []string{"1", "2"}, failed: true},
		"the first is known": {known: []string{"1"}, requests: []string{"1", "2"}, started: []string{"2"}, failed: true},
		"none is":            {known: []string{"0"}, requests: []string{"1"}, started: []string{"1"}, failed: true, isToldWhy: true},
		"a later one is":     {known: []string{"2"}, requests: []string{"1", "2", "3"}, started: []string{"1", "3"}, failed: true, isToldWhy: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.temporal.ExpectedCalls = nil
			d.temporal.On("SignalWorkflow", mock.Anything, "delivery/default/i-1/crm", "", "append", mock.Anything).
				Return(serviceerror.NewNotFound("workflow execution already completed"))
			last := mocks.NewWorkflowRun(t)
			last.On("Get", mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
				for _, id := range test.known {
					args.Get(1).(*contract.DeliveryResult).Known.Add(id)
				}
			}).Return(nil)
			d.lastRun("delivery/default/i-1/crm", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
			d.temporal.On("GetWorkflow", mock.Anything, "delivery/default/i-1/crm", "last").Return(last)
			if len(test.started) > 0 {
				d.expectAppend("crm", nil).Once()
			}
			in := contract.HandOver{Owner: owner, Call: "crm", Failed: &contract.Outcome{ID: "1", Class: "http_5xx"}}
			for _, id := range test.requests {
				in.Requests = append(in.Requests, contract.Request{ID: id})
			}
			_, err := d.ExecuteActivity(contract.ActivityHandOver, in)
			require.NoError(t, err)
			var started []string
			for _, call := range d.lanesStarted() {
				appended := call.Arguments.Get(3).(contract.HandOver)
				assert.Equal(t, test.isToldWhy, appended.Failed != nil)
				for _, request := range appended.Requests {
					started = append(started, request.ID)
				}
			}
			assert.Equal(t, test.started, started)
		})
	}
}

// lastRun lets a lane's last workflow have a status.
func (d *desk) lastRun(laneID string, status enumspb.WorkflowExecutionStatus) {
	d.temporal.On("DescribeWorkflowExecution", mock.Anything, laneID, "").Return(&workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: laneID, RunId: "last"}, Status: status,
		},
	}, nil)
}

// A lane that was terminated leaves nothing, and the result of one that is open again is
// not waited for.
func TestAHandOverToALaneWithoutResult(t *testing.T) {
	in := contract.HandOver{Owner: owner, Call: "crm", Requests: []contract.Request{{ID: "1"}}}
	closed := serviceerror.NewNotFound("workflow execution already completed")

	terminated := newDesk(t)
	terminated.temporal.ExpectedCalls = nil
	terminated.temporal.On("SignalWorkflow", mock.Anything, mock.Anything, "", "append", mock.Anything).Return(closed)
	terminated.lastRun("delivery/default/i-1/crm", enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED)
	terminated.expectAppend("crm", nil).Once()
	_, err := terminated.ExecuteActivity(contract.ActivityHandOver, in)
	require.NoError(t, err)

	reopened := newDesk(t)
	reopened.temporal.ExpectedCalls = nil
	reopened.temporal.On("SignalWorkflow", mock.Anything, mock.Anything, "", "append", mock.Anything).Return(closed).Once()
	reopened.lastRun("delivery/default/i-1/crm", enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING)
	reopened.temporal.On("SignalWorkflow", mock.Anything, mock.Anything, "", "append", mock.Anything).Return(nil).Once()
	_, err = reopened.ExecuteActivity(contract.ActivityHandOver, in)
	require.NoError(t, err)
	require.Empty(t, reopened.lanesStarted())
}

// Nothing is started while it is not known what the last workflow of the lane had.
func TestAHandOverWaitsForWhatTheLaneHasKnown(t *testing.T) {
	d := newDesk(t)
	d.temporal.ExpectedCalls = nil
	d.temporal.On("SignalWorkflow", mock.Anything, mock.Anything, "", "append", mock.Anything).Return(serviceerror.NewNotFound("completed"))
	d.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, "").Return(nil, serviceerror.NewUnavailable("a moment"))
	_, err := d.ExecuteActivity(contract.ActivityHandOver, contract.HandOver{Owner: owner, Call: "crm", Requests: []contract.Request{{ID: "1"}}})
	require.ErrorContains(t, err, "appending 1 requests to delivery/default/i-1/crm: a moment")
}

func TestHandOverOfOneLargeRequest(t *testing.T) {
	d := newDesk(t)
	d.expectAppend("crm", nil).Once()
	_, err := d.ExecuteActivity(contract.ActivityHandOver, contract.HandOver{
		Owner: owner, Call: "crm", Requests: []contract.Request{{ID: "1", Body: strings.Repeat("x", 300<<10)}},
	})
	require.NoError(t, err)
}

func TestHandOverFailsWithTheServer(t *testing.T) {
	d := newDesk(t)
	d.TaskQueue = "deliveries"
	d.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything,
		mock.MatchedBy(func(o client.StartWorkflowOptions) bool {
			return o.TaskQueue == "deliveries" && len(o.StaticSummary) <= 400 && o.Priority.PriorityKey == 4 && len(o.Priority.FairnessKey) == 64
		}),
		mock.Anything, mock.Anything).Return(nil, errors.New("unavailable")).Once()
	_, err := d.ExecuteActivity(contract.ActivityHandOver, contract.HandOver{
		Owner: contract.Owner{ContactCenter: strings.Repeat("c", 100), Interaction: strings.Repeat("ä", 150)}, Call: "crm",
		Requests: []contract.Request{{ID: "1"}, {ID: "2"}},
	})
	assert.ErrorContains(t, err, "appending 2 requests")
}

// People are to hear of a receiver that fails before what waits for it is tried again.
func TestAlertsDoNotGoBehindWhatTheyTellOf(t *testing.T) {
	for receiver, key := range map[string]int{"": 3, "segue/crm": 2} {
		d := newDesk(t)
		d.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything,
			mock.MatchedBy(func(o client.StartWorkflowOptions) bool { return o.Priority.PriorityKey == key }),
			mock.Anything, mock.Anything).Return(nil, nil).Once()
		_, err := d.ExecuteActivity(contract.ActivityHandOver, contract.HandOver{
			Owner: contract.Owner{ContactCenter: "cc", Interaction: "i-1", Receiver: receiver}, Call: "pager",
			Requests: []contract.Request{{ID: "1"}}, Priority: contract.Priority{Key: 2},
		})
		require.NoError(t, err, receiver)
	}
}
