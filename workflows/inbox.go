package workflows

import (
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// inbox hands the signals of one run to its workflow in the order in which they
// arrived. The SDK keeps a channel per signal name, so two names that arrive
// together can be read in the wrong order; the interceptor sees the true one.
type inbox struct {
	waiting   []signal
	handle    func(ctx workflow.Context, s signal)
	received  int
	converter converter.DataConverter
}

type signal struct {
	name string
	args *commonpb.Payloads
}

// open gives the signals that came before the workflow was ready to handle, in
// order, and from then on every further one as it arrives. handle must not block
// and must issue no Temporal command.
func (b *inbox) open(ctx workflow.Context, handle func(workflow.Context, signal)) {
	b.handle = handle
	for len(b.waiting) > 0 {
		next := b.waiting[0]
		b.waiting = b.waiting[1:]
		handle(ctx, next)
	}
}

func (b *inbox) receive(ctx workflow.Context, s signal) {
	b.received++
	if b.handle == nil {
		b.waiting = append(b.waiting, s)
		return
	}
	b.handle(ctx, s)
}

type inboxKey struct{}

// inboxOf returns the run's inbox. Without the plugin there is none, and every
// signal would be lost, so the workflow task fails until the plugin is there.
func inboxOf(ctx workflow.Context) *inbox {
	b, ok := ctx.Value(inboxKey{}).(*inbox)
	if !ok {
		panic("the worker lacks workflows.NewPlugin: signals would be read out of order")
	}
	return b
}

// orderInterceptor gives every run an inbox of its own.
type orderInterceptor struct {
	interceptor.WorkerInterceptorBase
	converter converter.DataConverter
}

// InterceptWorkflow wraps one run.
func (o *orderInterceptor) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	run := &orderedRun{inbox: &inbox{converter: o.converter}}
	run.Next = next
	return run
}

type orderedRun struct {
	interceptor.WorkflowInboundInterceptorBase
	inbox *inbox
}

// ExecuteWorkflow lets the workflow function find its inbox.
func (r *orderedRun) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	return r.Next.ExecuteWorkflow(workflow.WithValue(ctx, inboxKey{}, r.inbox), in)
}

// HandleSignal takes the signals of Segue's own workflow types off the SDK's
// channels; those of any other type on the same worker go their usual way.
func (r *orderedRun) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	switch workflow.GetInfo(ctx).WorkflowType.Name {
	case TypeInteraction, TypeDelivery, TypeReceiver:
		r.inbox.receive(ctx, signal{name: in.SignalName, args: in.Arg})
		return nil
	default:
		return r.Next.HandleSignal(ctx, in)
	}
}
