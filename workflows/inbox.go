package workflows

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// inbox gives the signals of one run to its workflow in the order in which they
// arrived. The SDK keeps a channel per signal name, so two names that arrive
// together can be read in the wrong order; the interceptor sees the true one.
//
// The SDK hands a task's signals over before it sets the workflow's clock to the
// task's start. So the interceptor only queues them, and coroutines handle them: the
// workflow's first one, and every update before it is judged.
type inbox struct {
	waiting   []signal
	handle    func(ctx workflow.Context, s signal)
	received  int
	converter converter.DataConverter
	// ahead says that signals were handled before the run's first coroutine came to them
	// in this task: for an update, which may be refused and is in no history then.
	ahead bool
}

type signal struct {
	name string
	args *commonpb.Payloads
}

// serve is the body of a workflow function. It does the work in a coroutine of its
// own, and handles the signals of each workflow task before the work goes on in it:
// the SDK resumes a run's coroutines in the order of their creation. Whatever ran
// before the signals of its task would see one state in a task with a refused update,
// which handles signals, too, and another in the replay, which has no refused updates.
func (b *inbox) serve(ctx workflow.Context, work func(workflow.Context) error) (err error) {
	done := false
	workflow.Go(ctx, func(ctx workflow.Context) {
		err = work(ctx)
		done = true
	})
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	for !done {
		if err := workflow.Await(lasting, func() bool { return done || b.isDue() || b.ahead }); err != nil {
			return fmt.Errorf("waiting for signals: %w", err)
		}
		b.drain(lasting)
		b.ahead = false
	}
	return err
}

// handleAhead handles the signals that wait, for an update.
func (b *inbox) handleAhead(ctx workflow.Context) {
	b.ahead = b.ahead || b.isDue()
	b.drain(ctx)
}

// open handles the signals that came before the workflow was ready for them, and lets
// further ones be handled. handle must not block and must issue no Temporal command.
func (b *inbox) open(ctx workflow.Context, handle func(workflow.Context, signal)) {
	b.handle = handle
	b.drain(ctx)
}

func (b *inbox) isDue() bool { return b.handle != nil && len(b.waiting) > 0 }

// drain handles the signals that wait, in order. Only coroutines of the workflow may
// call it.
func (b *inbox) drain(ctx workflow.Context) {
	for b.isDue() {
		next := b.waiting[0]
		b.waiting = b.waiting[1:]
		b.handle(ctx, next)
	}
}

func (b *inbox) receive(s signal) {
	b.received++
	b.waiting = append(b.waiting, s)
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
	case contract.WorkflowInteraction, contract.WorkflowDelivery, contract.WorkflowReceiver:
		r.inbox.receive(signal{name: in.SignalName, args: in.Arg})
		return nil
	default:
		return r.Next.HandleSignal(ctx, in)
	}
}

// ValidateUpdate judges an update on the state that the signals before it have led to.
func (r *orderedRun) ValidateUpdate(ctx workflow.Context, in *interceptor.UpdateInput) error {
	r.inbox.handleAhead(ctx)
	return r.Next.ValidateUpdate(ctx, in)
}

// ExecuteUpdate does the same in a replay, which validates nothing.
func (r *orderedRun) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	r.inbox.handleAhead(ctx)
	return r.Next.ExecuteUpdate(ctx, in)
}
