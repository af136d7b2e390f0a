package client_test

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
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"

	"segue/client"
	"segue/contract"
)

const laneID = "delivery/default/i-1/crm"

var owner = contract.Owner{ContactCenter: "default", Interaction: "i-1", FirstRunID: "run-1"}

// laneServer is a Temporal that records what is appended to lanes.
type laneServer struct {
	*mocks.Client
}

func newLaneServer(t *testing.T) laneServer { return laneServer{mocks.NewClient(t)} }

// signal sets the result of signals to open lanes.
func (s laneServer) signal(err error) *mock.Call {
	return s.On("SignalWorkflow", mock.Anything, mock.Anything, "", contract.SignalAppend, mock.Anything).Return(err)
}

// neverRan makes the server know no lane.
func (s laneServer) neverRan() laneServer {
	s.signal(serviceerror.NewNotFound("no such workflow"))
	s.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, "").Return(nil, serviceerror.NewNotFound("no such workflow"))
	return s
}

// closed makes the lane's last workflow have a status.
func (s laneServer) closed(status enumspb.WorkflowExecutionStatus) *mock.Call {
	s.On("DescribeWorkflowExecution", mock.Anything, laneID, "").Return(&workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: laneID, RunId: "last"}, Status: status,
		},
	}, nil)
	return s.signal(serviceerror.NewNotFound("workflow execution already completed"))
}

func (s laneServer) starts(err error) *mock.Call {
	return s.On("SignalWithStartWorkflow", mock.Anything, laneID, contract.SignalAppend, mock.Anything, mock.Anything,
		contract.WorkflowDelivery, contract.DeliveryStart{Owner: owner, Call: "crm"}).Return(nil, err)
}

// started lists the calls that started a lane.
func (s laneServer) started() []mock.Call {
	return slices.DeleteFunc(slices.Clone(s.Calls), func(c mock.Call) bool { return c.Method != "SignalWithStartWorkflow" })
}

func (s laneServer) append(t *testing.T, in contract.HandOver) (int, error) {
	c := &client.Client{Temporal: s, TaskQueue: "segue"}
	return c.Append(t.Context(), in)
}

func handOver(ids ...string) contract.HandOver {
	in := contract.HandOver{Owner: owner, Call: "crm"}
	for _, id := range ids {
		in.Requests = append(in.Requests, contract.Request{ID: id})
	}
	return in
}

func TestAppendSendsChunks(t *testing.T) {
	server := newLaneServer(t).neverRan()
	server.starts(nil).Times(3)
	in := handOver("1", "2", "3", "4", "5")
	in.Failed = &contract.Outcome{ID: "1", Class: "http_5xx"}
	for i := range in.Requests {
		in.Requests[i].Body = strings.Repeat("x", 100<<10)
	}
	appended, err := server.append(t, in)
	require.NoError(t, err)
	require.Equal(t, 5, appended)

	var ids []string
	for i, call := range server.started() {
		chunk := call.Arguments.Get(3).(contract.HandOver)
		size := 0
		for _, request := range chunk.Requests {
			ids = append(ids, request.ID)
			size += request.Size()
		}
		assert.LessOrEqual(t, size, 256<<10)
		assert.Equal(t, owner, chunk.Owner)
		assert.Equal(t, i == 0, chunk.Failed != nil, "the failure is the first request's")
	}
	assert.Equal(t, []string{"1", "2", "3", "4", "5"}, ids)
}

func TestAppendStartsALaneThatOperatorsFind(t *testing.T) {
	server := newLaneServer(t).neverRan()
	server.starts(nil)
	_, err := server.append(t, handOver("1"))
	require.NoError(t, err)
	options := server.started()[0].Arguments.Get(4).(sdkclient.StartWorkflowOptions)
	assert.Equal(t, laneID, options.ID)
	assert.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, options.WorkflowIDReusePolicy)
	assert.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, options.WorkflowIDConflictPolicy)
	assert.Equal(t, "crm for i-1", options.StaticSummary)
	assert.Equal(t, "segue", options.TaskQueue)
	for name, value := range map[string]string{"SegueCall": "crm", "SegueInteraction": "i-1", "SegueContactCenter": "default"} {
		got, ok := options.TypedSearchAttributes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(name))
		assert.True(t, ok)
		assert.Equal(t, value, got)
	}
}

func TestAppendOfOneLargeRequest(t *testing.T) {
	server := newLaneServer(t).neverRan()
	server.starts(nil).Once()
	in := handOver("1")
	in.Requests[0].Body = strings.Repeat("x", 300<<10)
	_, err := server.append(t, in)
	require.NoError(t, err)
}

func TestARepeatedAppendSkipsWhatAClosedLaneKnew(t *testing.T) {
	for name, test := range map[string]struct {
		known, requests, started []string
		hasFailed                bool
	}{
		"all are known":      {known: []string{"1", "2"}, requests: []string{"1", "2"}},
		"the first is known": {known: []string{"1"}, requests: []string{"1", "2"}, started: []string{"2"}},
		"none is known":      {known: []string{"0"}, requests: []string{"1"}, started: []string{"1"}, hasFailed: true},
		"a later is known":   {known: []string{"2"}, requests: []string{"1", "2", "3"}, started: []string{"1", "3"}, hasFailed: true},
	} {
		t.Run(name, func(t *testing.T) {
			server := newLaneServer(t)
			server.closed(enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
			last := mocks.NewWorkflowRun(t)
			last.On("Get", mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
				for _, id := range test.known {
					args.Get(1).(*contract.DeliveryResult).Known.Add(id)
				}
			}).Return(nil)
			server.On("GetWorkflow", mock.Anything, laneID, "last").Return(last)
			if len(test.started) > 0 {
				server.starts(nil).Once()
			}
			in := handOver(test.requests...)
			in.Failed = &contract.Outcome{ID: "1", Class: "http_5xx"}
			appended, err := server.append(t, in)
			require.NoError(t, err)
			require.Equal(t, len(test.requests), appended, "the lane had the others")
			var started []string
			for _, call := range server.started() {
				chunk := call.Arguments.Get(3).(contract.HandOver)
				assert.Equal(t, test.hasFailed, chunk.Failed != nil)
				for _, request := range chunk.Requests {
					started = append(started, request.ID)
				}
			}
			assert.Equal(t, test.started, started)
		})
	}
}

// A terminated lane leaves no result.
func TestAppendStartsATerminatedLaneAgain(t *testing.T) {
	server := newLaneServer(t)
	server.closed(enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED)
	server.starts(nil).Once()
	_, err := server.append(t, handOver("1"))
	require.NoError(t, err)
}

// Where a part stands in its lane's chain depends on how its last run ended.
func TestAppendPutsAPartInItsPlace(t *testing.T) {
	released, link := &contract.Chain{Released: true}, &contract.Chain{Next: "d9"}
	recovered := &contract.Chain{Recovered: &contract.RecoveredChain{Last: "d1"}}
	const completed, terminated, never = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, 0
	for name, test := range map[string]struct {
		last    enumspb.WorkflowExecutionStatus
		chain   *contract.Chain
		request string
		want    *contract.Chain
		starts  bool
	}{
		"a new part":                         {never, nil, "d2", nil, true},
		"a release that finds nothing":       {never, released, "", &contract.Chain{Released: true, Incomplete: true}, true},
		"more for a completed part":          {completed, nil, "d2", released, true},
		"what a completed part knew":         {completed, nil, "d1", nil, false},
		"a release of a completed part":      {completed, released, "", nil, false},
		"a completed part gets a next one":   {completed, link, "", &contract.Chain{Released: true, Next: "d9"}, true},
		"more for a terminated part":         {terminated, nil, "d2", &contract.Chain{Incomplete: true}, true},
		"a release of a terminated part":     {terminated, released, "", &contract.Chain{Released: true, Incomplete: true}, true},
		"a terminated part that is restored": {terminated, recovered, "d1", recovered, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := laneServer{mocks.NewClient(t)}
			server.signal(serviceerror.NewNotFound("completed"))
			described := server.On("DescribeWorkflowExecution", mock.Anything, laneID+"~d1", "")
			if described.Return(&workflowservice.DescribeWorkflowExecutionResponse{
				WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{RunId: "last"}, Status: test.last},
			}, nil); test.last == never {
				described.Return(nil, serviceerror.NewNotFound("no such workflow"))
			}
			if test.last == completed {
				last := mocks.NewWorkflowRun(t)
				last.On("Get", mock.Anything, mock.Anything).Run(func(args mock.Arguments) { args.Get(1).(*contract.DeliveryResult).Known.Add("d1") }).Return(nil)
				server.On("GetWorkflow", mock.Anything, laneID+"~d1", "last").Return(last)
			}
			if test.starts {
				server.On("SignalWithStartWorkflow", mock.Anything, laneID+"~d1", contract.SignalAppend, mock.Anything, mock.Anything,
					contract.WorkflowDelivery, contract.DeliveryStart{Owner: owner, Call: "crm", Part: "d1"}).Return(nil, nil)
			}
			in := handOver()
			if test.request != "" {
				in = handOver(test.request)
			}
			in.Part, in.Chain = "d1", test.chain
			_, err := server.append(t, in)
			require.NoError(t, err)
			if test.starts {
				require.Equal(t, test.want, server.started()[0].Arguments.Get(3).(contract.HandOver).Chain)
			}
		})
	}
}

// A part must not send before it has everything that is recovered.
func TestTheLastSignalOfAnAppendPutsAPartInItsPlace(t *testing.T) {
	server := newLaneServer(t)
	server.signal(nil)
	in := handOver("1", "2", "3")
	for i := range in.Requests {
		in.Requests[i].Body = strings.Repeat("x", 200<<10)
	}
	recovered := &contract.RecoveredChain{Last: "3"}
	in.Part, in.Chain = "1", &contract.Chain{Released: true, Next: "4", Recovered: recovered}
	_, err := server.append(t, in)
	require.NoError(t, err)
	var chains []*contract.Chain
	for _, call := range server.Calls {
		chains = append(chains, call.Arguments.Get(4).(contract.HandOver).Chain)
	}
	waits := &contract.Chain{Incomplete: true, Recovered: recovered}
	require.Equal(t, []*contract.Chain{waits, waits, in.Chain}, chains)
}

// The result of a lane that has opened again in the meantime is not waited for.
func TestAppendSignalsALaneThatHasReopened(t *testing.T) {
	server := newLaneServer(t)
	server.closed(enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING).Once()
	server.signal(nil).Once()
	_, err := server.append(t, handOver("1"))
	require.NoError(t, err)
	require.Empty(t, server.started())
}

func TestAppendStartsNothingWhileItIsUnknownWhatTheLaneKnew(t *testing.T) {
	server := newLaneServer(t)
	server.signal(serviceerror.NewNotFound("completed"))
	server.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, "").Return(nil, serviceerror.NewUnavailable("restarting"))
	_, err := server.append(t, handOver("1"))
	require.ErrorContains(t, err, "appending 1 requests to delivery/default/i-1/crm: restarting")
}

func TestAppendReturnsHowManyRequestsTemporalHas(t *testing.T) {
	server := newLaneServer(t)
	server.signal(nil).Once()
	server.signal(errors.New("unavailable")).Once()
	in := handOver("1", "2", "3")
	for i := range in.Requests {
		in.Requests[i].Body = strings.Repeat("x", 120<<10)
	}
	appended, err := server.append(t, in)
	require.ErrorContains(t, err, "appending 1 requests")
	require.Equal(t, 2, appended)
}

func TestTheOptionsOfALaneWithLongNamesFitTemporal(t *testing.T) {
	server := newLaneServer(t).neverRan()
	server.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything,
		mock.MatchedBy(func(o sdkclient.StartWorkflowOptions) bool {
			return len(o.StaticSummary) <= 400 && o.Priority.PriorityKey == 4 && len(o.Priority.FairnessKey) == 64
		}),
		mock.Anything, mock.Anything).Return(nil, errors.New("unavailable")).Once()
	in := handOver("1", "2")
	in.Owner = contract.Owner{ContactCenter: strings.Repeat("c", 100), Interaction: strings.Repeat("ä", 150)}
	_, err := server.append(t, in)
	assert.ErrorContains(t, err, "appending 2 requests")
}

// Operators are notified of a failing receiver before its backlog is retried.
func TestALaneGoesBehindItsInteractionAndAlertsDoNot(t *testing.T) {
	for receiver, key := range map[string]int{"": 3, "segue/crm": 2} {
		t.Run(fmt.Sprintf("receiver %q", receiver), func(t *testing.T) {
			server := newLaneServer(t).neverRan()
			server.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything,
				mock.MatchedBy(func(o sdkclient.StartWorkflowOptions) bool { return o.Priority.PriorityKey == key }),
				mock.Anything, mock.Anything).Return(nil, nil).Once()
			in := handOver("1")
			in.Owner.Receiver, in.Priority = receiver, contract.Priority{Key: 2}
			_, err := server.append(t, in)
			require.NoError(t, err)
		})
	}
}
