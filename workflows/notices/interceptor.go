package notices

import (
	"context"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Interceptor returns a gRPC interceptor for the client of the worker. It runs for each attempt
// of a request.
func (c *Collector) Interceptor() grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		send := func() error { return invoke(ctx, method, request, reply, conn, options...) }
		switch request := request.(type) {
		case *workflowservice.PollWorkflowTaskQueueRequest:
			err := send()
			if polled, ok := reply.(*workflowservice.PollWorkflowTaskQueueResponse); ok && err == nil && polled.GetQuery() == nil {
				c.begin(taskOf(polled), polled.GetTaskToken())
			}
			return err
		case *workflowservice.RespondWorkflowTaskCompletedRequest:
			if request.GetIntermediatePage() {
				return send()
			}
			completed, _ := reply.(*workflowservice.RespondWorkflowTaskCompletedResponse)
			return c.complete(request.GetTaskToken(), completed, send)
		case *workflowservice.RespondWorkflowTaskFailedRequest:
			c.abandon(request.GetTaskToken())
		}
		return send()
	}
}

// complete sends the completion of a task, and publishes the task's changes if Temporal took it.
func (c *Collector) complete(token []byte, completed *workflowservice.RespondWorkflowTaskCompletedResponse, send func() error) error {
	c.announce(token)
	err := send()
	if err != nil {
		if isFinal(err) {
			c.abandon(token)
		} else {
			c.await(token)
		}
		return err
	}
	if completed.GetResetHistoryEventId() != 0 {
		c.take(token) // dropped from the history
	} else {
		c.commit(token)
	}
	if next := completed.GetWorkflowTask(); next != nil {
		c.begin(taskOf(next), next.GetTaskToken())
	}
	return nil
}

// isFinal reports whether the task is over for this process.
func isFinal(err error) bool {
	code := status.Code(err)
	return code == codes.NotFound || code == codes.InvalidArgument
}

func taskOf(t *workflowservice.PollWorkflowTaskQueueResponse) Task {
	return Task{RunID: t.GetWorkflowExecution().GetRunId(), Started: t.GetStartedEventId()}
}
