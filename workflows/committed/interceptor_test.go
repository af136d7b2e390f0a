package committed_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"segue/workflows/committed"
)

// at numbers events, from first on.
func at(first int64, events ...*historypb.HistoryEvent) []*historypb.HistoryEvent {
	for n, event := range events {
		event.EventId = first + int64(n)
	}
	return events
}

func of(kind enumspb.EventType) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventType: kind}
}

func scheduled() *historypb.HistoryEvent { return of(enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) }
func started() *historypb.HistoryEvent   { return of(enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED) }
func completed() *historypb.HistoryEvent { return of(enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) }
func failed() *historypb.HistoryEvent    { return of(enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED) }
func signaled() *historypb.HistoryEvent  { return of(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) }

func accepted() *historypb.HistoryEvent {
	return of(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
}

func marker(task int64) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_MARKER_RECORDED,
		Attributes: &historypb.HistoryEvent_MarkerRecordedEventAttributes{
			MarkerRecordedEventAttributes: &historypb.MarkerRecordedEventAttributes{WorkflowTaskCompletedEventId: task}}}
}

func closed(task int64) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{
			WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{WorkflowTaskCompletedEventId: task}}}
}

// The histories have one completed task, started with event 3; the one of "two tasks"
// has another, started with event 8.
var histories = []struct {
	name  string
	after []*historypb.HistoryEvent // event 4, the completion, on
	task  int64                     // the last one that had completed when the query was polled
	kept  int64                     // the last event that the worker may see
}{
	{"quiescent", at(4, completed()), 3, 4},
	{"quiescent, with what the task did", at(4, completed(), accepted(), marker(4), accepted()), 3, 7},
	{"closed", at(4, completed(), marker(4), closed(4)), 3, 6},
	{"a signal for the next task", at(4, completed(), marker(4), signaled()), 3, 5},
	{"the next task is scheduled", at(4, completed(), signaled(), scheduled()), 3, 4},
	{"the next task is in progress", at(4, completed(), accepted(), signaled(), scheduled(), started()), 3, 5},
	{"the next task failed", at(4, completed(), signaled(), scheduled(), started(), failed()), 3, 4},
	{"the next task failed, and the run was terminated", at(4, completed(), signaled(), scheduled(), started(), failed(),
		of(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED)), 3, 4},
	{"the next task completed after the poll", at(4, completed(), marker(4), signaled(), scheduled(), started(), completed(), marker(9)), 3, 5},
	{"two tasks", at(4, completed(), marker(4), signaled(), scheduled(), started(), completed(), marker(9), signaled(), scheduled(), started()), 8, 10},
}

func whole(after []*historypb.HistoryEvent) *historypb.History {
	history := &historypb.History{Events: at(1, of(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED), scheduled(), started())}
	for _, event := range after {
		history.Events = append(history.Events, proto.CloneOf(event))
	}
	return history
}

func last(t *testing.T, history *historypb.History) int64 {
	t.Helper()
	require.NotEmpty(t, history.GetEvents())
	return history.GetEvents()[len(history.GetEvents())-1].GetEventId()
}

// polled returns the answer to a poll as the worker gets it.
func polled(t *testing.T, answer *workflowservice.PollWorkflowTaskQueueResponse) *workflowservice.PollWorkflowTaskQueueResponse {
	t.Helper()
	got := &workflowservice.PollWorkflowTaskQueueResponse{}
	call(t, &workflowservice.PollWorkflowTaskQueueRequest{}, got, func(_, reply any) error {
		proto.Merge(reply.(proto.Message), answer)
		return nil
	})
	return got
}

// fetched returns a page of the history that the worker fetches for a task, and checks the
// request that the server gets.
func fetched(t *testing.T, task *workflowservice.PollWorkflowTaskQueueResponse, page *workflowservice.GetWorkflowExecutionHistoryResponse) *workflowservice.GetWorkflowExecutionHistoryResponse {
	t.Helper()
	got := &workflowservice.GetWorkflowExecutionHistoryResponse{}
	request := &workflowservice.GetWorkflowExecutionHistoryRequest{Namespace: "default", Execution: task.GetWorkflowExecution(), NextPageToken: []byte("from")}
	call(t, request, got, func(sent, reply any) error {
		want := &workflowservice.GetWorkflowExecutionHistoryRequest{Namespace: "default", Execution: execution(), NextPageToken: []byte("from")}
		require.True(t, proto.Equal(want, sent.(proto.Message)), "the server sees the request as the SDK made it: %v", sent)
		proto.Merge(reply.(proto.Message), page)
		return nil
	})
	return got
}

func call(t *testing.T, request, reply any, serve func(request, reply any) error) {
	t.Helper()
	require.NoError(t, committed.Interceptor()(t.Context(), "", request, reply, nil,
		func(_ context.Context, _ string, request, reply any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
			return serve(request, reply)
		}))
}

func execution() *commonpb.WorkflowExecution {
	return &commonpb.WorkflowExecution{WorkflowId: "interaction/cc/i1", RunId: "r1"}
}

func queryTask(started int64) *workflowservice.PollWorkflowTaskQueueResponse {
	return &workflowservice.PollWorkflowTaskQueueResponse{
		TaskToken: []byte("t"), WorkflowExecution: execution(), Query: &querypb.WorkflowQuery{QueryType: "state"}, PreviousStartedEventId: started,
	}
}

func TestAQuerySeesTheCommittedHistory(t *testing.T) {
	for _, h := range histories {
		t.Run(h.name, func(t *testing.T) {
			isCut := h.kept < last(t, whole(h.after))
			t.Run("in the poll's answer", func(t *testing.T) {
				task := queryTask(h.task)
				task.History, task.NextPageToken = whole(h.after), []byte("more")
				task = polled(t, task)
				require.Equal(t, h.kept, last(t, task.GetHistory()))
				require.Equal(t, isCut, task.GetNextPageToken() == nil, "nothing beyond the cut is fetched")
			})
			t.Run("fetched", func(t *testing.T) {
				page := fetched(t, polled(t, queryTask(h.task)), &workflowservice.GetWorkflowExecutionHistoryResponse{History: whole(h.after), NextPageToken: []byte("more")})
				require.Equal(t, h.kept, last(t, page.GetHistory()))
				require.Equal(t, isCut, page.GetNextPageToken() == nil)
			})
			t.Run("fetched event by event", func(t *testing.T) {
				task := polled(t, queryTask(h.task))
				seen := int64(0)
				for _, event := range whole(h.after).GetEvents() {
					page := fetched(t, task, &workflowservice.GetWorkflowExecutionHistoryResponse{
						History: &historypb.History{Events: []*historypb.HistoryEvent{event}}, NextPageToken: []byte("more")})
					seen += int64(len(page.GetHistory().GetEvents()))
					if page.GetNextPageToken() == nil {
						break
					}
				}
				require.Equal(t, h.kept, seen)
			})
			t.Run("fetched raw", func(t *testing.T) {
				var blobs []*commonpb.DataBlob
				for _, event := range whole(h.after).GetEvents() {
					data, err := proto.Marshal(&historypb.History{Events: []*historypb.HistoryEvent{event}})
					require.NoError(t, err)
					blobs = append(blobs, &commonpb.DataBlob{EncodingType: enumspb.ENCODING_TYPE_PROTO3, Data: data})
				}
				page := fetched(t, polled(t, queryTask(h.task)), &workflowservice.GetWorkflowExecutionHistoryResponse{RawHistory: blobs})
				require.Empty(t, page.GetRawHistory())
				require.Equal(t, h.kept, last(t, page.GetHistory()))
			})
		})
	}
}

func TestAWorkflowTaskSeesTheWholeHistory(t *testing.T) {
	for _, h := range histories {
		task := queryTask(h.task)
		task.Query, task.History, task.NextPageToken = nil, whole(h.after), []byte("more")
		got := polled(t, task)
		require.True(t, proto.Equal(task, got), h.name)
		page := &workflowservice.GetWorkflowExecutionHistoryResponse{History: whole(h.after), NextPageToken: []byte("more")}
		require.True(t, proto.Equal(page, fetched(t, got, page)), h.name)
	}
}

func TestAnEmptyPollIsUnchanged(t *testing.T) {
	require.True(t, proto.Equal(&workflowservice.PollWorkflowTaskQueueResponse{}, polled(t, &workflowservice.PollWorkflowTaskQueueResponse{})))
}

func TestAnUnreadableHistoryIsAnError(t *testing.T) {
	for _, blob := range []*commonpb.DataBlob{
		{EncodingType: enumspb.ENCODING_TYPE_JSON, Data: []byte(`{}`)},
		{EncodingType: enumspb.ENCODING_TYPE_PROTO3, Data: []byte("\xff")},
	} {
		task := polled(t, queryTask(3))
		err := committed.Interceptor()(t.Context(), "", &workflowservice.GetWorkflowExecutionHistoryRequest{Execution: task.GetWorkflowExecution()},
			&workflowservice.GetWorkflowExecutionHistoryResponse{}, nil,
			func(_ context.Context, _ string, _, reply any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
				proto.Merge(reply.(proto.Message), &workflowservice.GetWorkflowExecutionHistoryResponse{RawHistory: []*commonpb.DataBlob{blob}})
				return nil
			})
		require.ErrorContains(t, err, "history for a query")
	}
}

func TestErrorsOfTheServerAreReturned(t *testing.T) {
	refused := errors.New("refused")
	for _, request := range []any{&workflowservice.PollWorkflowTaskQueueRequest{}, &workflowservice.GetWorkflowExecutionHistoryRequest{}} {
		require.ErrorIs(t, committed.Interceptor()(t.Context(), "", request, &workflowservice.PollWorkflowTaskQueueResponse{}, nil,
			func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return refused }), refused)
	}
}
