package committed

import (
	"context"
	"fmt"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Interceptor returns a gRPC interceptor for the client of a worker. It changes the
// history of query tasks only: the first page, which may come with the task, and the
// pages that the worker fetches for it. It keeps no state and is safe for concurrent use.
func Interceptor() grpc.UnaryClientInterceptor { return intercept }

func intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	fetch, _ := request.(*workflowservice.GetWorkflowExecutionHistoryRequest)
	started, forQuery := markOf(fetch.GetExecution())
	if forQuery {
		fetch = proto.CloneOf(fetch)
		unmark(fetch.GetExecution())
		request = fetch
	}
	if err := invoke(ctx, method, request, reply, conn, options...); err != nil {
		return err
	}
	switch reply := reply.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		// A run without a completed task has no committed state; Temporal refuses its queries.
		if reply.GetQuery() != nil && reply.GetPreviousStartedEventId() > 0 {
			mark(reply.GetWorkflowExecution(), reply.GetPreviousStartedEventId())
			if cut(reply.GetHistory(), reply.GetPreviousStartedEventId()) {
				reply.NextPageToken = nil
			}
		}
	case *workflowservice.GetWorkflowExecutionHistoryResponse:
		if forQuery {
			return cutPage(reply, started)
		}
	}
	return nil
}

// cutPage cuts a page of a history, decoding the form that servers may be configured to
// send to SDKs. Reports an error if it cannot be decoded.
func cutPage(page *workflowservice.GetWorkflowExecutionHistoryResponse, started int64) error {
	if len(page.GetRawHistory()) > 0 {
		history := &historypb.History{}
		for _, blob := range page.GetRawHistory() {
			if blob.GetEncodingType() != enumspb.ENCODING_TYPE_PROTO3 {
				return fmt.Errorf("history for a query: its encoding is %s, want %s", blob.GetEncodingType(), enumspb.ENCODING_TYPE_PROTO3)
			}
			batch := &historypb.History{}
			if err := proto.Unmarshal(blob.GetData(), batch); err != nil {
				return fmt.Errorf("history for a query: %w", err)
			}
			history.Events = append(history.Events, batch.GetEvents()...)
		}
		page.History, page.RawHistory = history, nil
	}
	if cut(page.GetHistory(), started) {
		page.NextPageToken = nil
	}
	return nil
}

// cut removes what follows the last completed task and the events that this task wrote;
// started is the id of its WorkflowTaskStarted event. It reports whether anything was
// removed; then nothing on later pages is committed either.
func cut(history *historypb.History, started int64) bool {
	completed := started + 1
	end := slices.IndexFunc(history.GetEvents(), func(event *historypb.HistoryEvent) bool {
		return event.GetEventId() > completed && !isWrittenBy(event, completed)
	})
	if end < 0 {
		return false
	}
	history.Events = history.Events[:end]
	return true
}

// isWrittenBy reports whether the workflow task whose WorkflowTaskCompleted event has
// the id completed wrote an event that follows it. The events of commands name the task.
// Those of updates do not, but only a completing task writes them, and the next task
// begins with another event.
func isWrittenBy(event *historypb.HistoryEvent, completed int64) bool {
	switch event.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
		return true
	}
	message := event.ProtoReflect()
	attributes := message.WhichOneof(message.Descriptor().Oneofs().ByName("attributes"))
	if attributes == nil {
		return false
	}
	task := attributes.Message().Fields().ByName("workflow_task_completed_event_id")
	return task != nil && message.Get(attributes).Message().Get(task).Int() == completed
}
