package nexttask

import (
	"context"
	"sync"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
)

// Requests are the workflows of one worker process that want their next task at once. It is
// safe for concurrent use.
type Requests struct {
	mu      sync.Mutex
	waiting map[string]struct{}
}

// New returns an empty set of requests.
func New() *Requests { return &Requests{waiting: map[string]struct{}{}} }

// Add asks for a next task of a workflow, as soon as the present one has completed. Code of a
// workflow must not call it in a replay.
func (r *Requests) Add(workflowID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[resourceOf(workflowID)] = struct{}{}
}

// take reports whether a workflow asked for a next task, and forgets it.
func (r *Requests) take(resource string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, asked := r.waiting[resource]
	delete(r.waiting, resource)
	return asked
}

// resourceOf returns how the SDK names a workflow in the requests of its worker.
func resourceOf(workflowID string) string { return "workflow:" + workflowID }

// Interceptor returns a gRPC interceptor for the client of the worker.
func (r *Requests) Interceptor() grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		switch request := request.(type) {
		case *workflowservice.RespondWorkflowTaskCompletedRequest:
			// A large completion comes in pages, and the last one counts.
			if !request.GetIntermediatePage() && r.take(request.GetResourceId()) {
				request.ForceCreateNewWorkflowTask = true
			}
		case *workflowservice.RespondWorkflowTaskFailedRequest:
			r.take(request.GetResourceId()) // the task is done again, and asks again
		}
		return invoke(ctx, method, request, reply, conn, options...)
	}
}
