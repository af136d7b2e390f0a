package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	updatepb "go.temporal.io/api/update/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"segue/client"
	"segue/contract"
)

// histories is a Temporal that has the histories of runs; "" is the last one.
type histories struct {
	sdkclient.Client
	runs map[string][]*historypb.HistoryEvent
	err  error
	// isOpen reports that the workflow runs. queried is set by a query.
	isOpen, queried bool
}

func (h *histories) GetWorkflowHistory(_ context.Context, _, runID string, _ bool, filter enumspb.HistoryEventFilterType) sdkclient.HistoryEventIterator {
	if h.isOpen && filter == enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT {
		panic("the server waits for the close event")
	}
	events := h.runs[runID]
	if filter == enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT && len(events) > 0 {
		events = events[len(events)-1:]
	}
	return &iterator{events, h.err}
}

func (h *histories) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	status := enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	if h.isOpen {
		status = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: status}}, h.err
}

func (h *histories) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	h.queried = true
	return rejected{}, nil
}

type iterator struct {
	events []*historypb.HistoryEvent
	err    error
}

func (i *iterator) HasNext() bool { return len(i.events) > 0 || i.err != nil }

func (i *iterator) Next() (*historypb.HistoryEvent, error) {
	if i.err != nil {
		return nil, i.err
	}
	next := i.events[0]
	i.events = i.events[1:]
	return next, nil
}

// payloads encodes JSON texts, and other values as the SDK does.
func payloads(t *testing.T, values ...any) *commonpb.Payloads {
	t.Helper()
	for i, value := range values {
		if text, ok := value.(string); ok {
			values[i] = json.RawMessage(text)
		}
	}
	encoded, err := converter.GetDefaultDataConverter().ToPayloads(values...)
	require.NoError(t, err)
	return encoded
}

func started(before string, input *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: input, ContinuedExecutionRunId: before},
	}}
}

func signaled(name string, input *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{
		WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{SignalName: name, Input: input},
	}}
}

func accepted(name, id string, input *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionUpdateAcceptedEventAttributes{
		WorkflowExecutionUpdateAcceptedEventAttributes: &historypb.WorkflowExecutionUpdateAcceptedEventAttributes{
			AcceptedRequest: &updatepb.Request{Meta: &updatepb.Meta{UpdateId: id}, Input: &updatepb.Input{Name: name, Args: input}},
		},
	}}
}

func answered(id string, results *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionUpdateCompletedEventAttributes{
		WorkflowExecutionUpdateCompletedEventAttributes: &historypb.WorkflowExecutionUpdateCompletedEventAttributes{
			Meta: &updatepb.Meta{UpdateId: id}, Outcome: &updatepb.Outcome{Value: &updatepb.Outcome_Success{Success: results}},
		},
	}}
}

func failed(id string) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionUpdateCompletedEventAttributes{
		WorkflowExecutionUpdateCompletedEventAttributes: &historypb.WorkflowExecutionUpdateCompletedEventAttributes{
			Meta: &updatepb.Meta{UpdateId: id}, Outcome: &updatepb.Outcome{Value: &updatepb.Outcome_Failure{Failure: &failurepb.Failure{}}},
		},
	}}
}

var one = client.Name{ContactCenter: "cc", ID: "i1"}

func TestReceivedReadsEventIDsOfAllMessages(t *testing.T) {
	const array = `[{"command":"hold","event_id":"a1"},{"command":"retrieve"},7,{"command":"hold","event_id":"a2"}]`
	for name, test := range map[string]struct {
		events []*historypb.HistoryEvent
		want   []string
	}{
		"a signal":                         {[]*historypb.HistoryEvent{signaled("hold", payloads(t, `{"event_id":"e1"}`)), signaled("hold", payloads(t, `{}`))}, []string{"e1"}},
		"a signal that is no JSON":         {[]*historypb.HistoryEvent{signaled("hold", payloads(t, []byte{1})), signaled("hold", nil)}, nil},
		"an array":                         {[]*historypb.HistoryEvent{signaled("commands", payloads(t, array))}, []string{"a1", "a2"}},
		"no array":                         {[]*historypb.HistoryEvent{signaled("commands", payloads(t, `{"event_id":"e1"}`))}, nil},
		"an update":                        {[]*historypb.HistoryEvent{accepted("hold", "u1", payloads(t, `{}`)), answered("u1", payloads(t, `{}`))}, []string{"u1"}},
		"an update with an event_id":       {[]*historypb.HistoryEvent{accepted("hold", "u1", payloads(t, `{"event_id":"e1"}`)), answered("u1", payloads(t, `{}`))}, []string{"e1", "u1"}},
		"an update without a result":       {[]*historypb.HistoryEvent{accepted("hold", "u1", payloads(t, `{"event_id":"e1"}`))}, []string{"e1", "u1"}},
		"an update that was refused later": {[]*historypb.HistoryEvent{accepted("hold", "u1", payloads(t, `{"event_id":"e1"}`)), failed("u1")}, []string{"u1"}},
		"an array with commands that do not wait": {[]*historypb.HistoryEvent{
			accepted("commands", "u1", payloads(t, `[{"command":"hold","event_id":"a1","no_wait":true,"source_sequence":7},{"command":"hold","event_id":"a2","no_wait":true}]`)),
			answered("u1", payloads(t, `[{"state":"queued","waiting":true},{"error":{"type":"IllegalCommand","why":"state"}}]`)),
		}, []string{"a1", "u1"}},
		"an array whose result is not known": {[]*historypb.HistoryEvent{accepted("commands", "u1", payloads(t, array))}, []string{"a1", "a2", "u1"}},
		"an array with a refused command": {[]*historypb.HistoryEvent{
			accepted("commands", "u1", payloads(t, array)), answered("u1", payloads(t, `[{"error":{"type":"IllegalCommand"}},{},{},{}]`)),
		}, []string{"a2", "u1"}},
		"a refused command that came as a signal, too": {[]*historypb.HistoryEvent{
			signaled("hold", payloads(t, `{"event_id":"a1"}`)),
			accepted("commands", "u1", payloads(t, array)), answered("u1", payloads(t, `[{"error":{}},{},{},{"error":{}}]`)),
		}, []string{"a1", "u1"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := &histories{runs: map[string][]*historypb.HistoryEvent{
				"":      append([]*historypb.HistoryEvent{started("first", payloads(t, `{}`, `{"commands":[{"event_id":"no"}]}`))}, test.events...),
				"first": {started("", payloads(t, `{"event_id":"s1"}`, contract.FirstCommands{Commands: json.RawMessage(`[{"command":"hold","event_id":"f1"},{}]`)}))},
			}}
			got, err := (&client.Client{Temporal: h}).Received(t.Context(), one)
			require.NoError(t, err)
			require.ElementsMatch(t, append(test.want, "s1", "f1"), slices.Collect(maps.Keys(got)))
		})
	}
}

// The result of a closed interaction needs no worker.
func TestRejectedQueriesOnlyWhereSomethingMayBeRefused(t *testing.T) {
	completed := func(result string) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{
			WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{Result: payloads(t, result)},
		}}
	}
	for name, test := range map[string]struct {
		last    *historypb.HistoryEvent
		isOpen  bool
		err     error
		queried bool
	}{
		"closed, nothing refused":    {completed(`{"state":"completed","rejected_count":0}`), false, nil, false},
		"closed, something refused":  {completed(`{"state":"completed","rejected_count":1}`), false, nil, true},
		"closed with another result": {completed(`null`), false, nil, true},
		"open":                       {signaled("hold", nil), true, nil, true},
		"not readable":               {nil, false, errors.New("shard"), true},
		"without events":             {nil, false, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := &histories{runs: map[string][]*historypb.HistoryEvent{}, err: test.err, isOpen: test.isOpen}
			if test.last != nil {
				h.runs[""] = []*historypb.HistoryEvent{test.last}
			}
			list, err := (&client.Client{Temporal: h}).Rejected(t.Context(), one)
			require.NoError(t, err)
			require.NotNil(t, list)
			require.Equal(t, test.queried, h.queried)
		})
	}
}
