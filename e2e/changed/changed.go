package changed

import (
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// The changes: with Guarded, runs that started before it continue in the old way, as workflows/ registers changes;
// with Unguarded, that was forgotten.
const (
	Guarded   = "guarded"
	Unguarded = "unguarded"
)

// Interceptor changes the workflows of a worker or a replayer; change is Guarded or
// Unguarded.
func Interceptor(change string) interceptor.WorkerInterceptor { return &workflows{change: change} }

type workflows struct {
	interceptor.WorkerInterceptorBase
	change string
}

// InterceptWorkflow wraps one run.
func (w *workflows) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &inbound{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, change: w.change}
}

type inbound struct {
	interceptor.WorkflowInboundInterceptorBase
	change string
}

// Init wraps the requests of the run to Temporal.
func (i *inbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&outbound{WorkflowOutboundInterceptorBase: interceptor.WorkflowOutboundInterceptorBase{Next: next}, change: i.change})
}

type outbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	change string
}

// ExecuteLocalActivity starts a timer first, unless the run is older than the change.
func (o *outbound) ExecuteLocalActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	if o.change == Unguarded || o.GetVersion(ctx, "timer-before-dispatch", workflow.DefaultVersion, 1) == 1 {
		workflow.NewTimer(ctx, time.Millisecond)
	}
	return o.Next.ExecuteLocalActivity(ctx, activityType, args...)
}
