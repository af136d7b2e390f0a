package workflows

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/workflows/nexttask"
	"segue/workflows/notices"
)

// inbox gives the signals of one run to its workflow in the order in which they arrived.
// The SDK has one channel for each signal name, so signals with different names can be read
// in the wrong order; the interceptor gets them in the right one.
//
// The SDK passes on a task's signals before it sets the workflow's clock to the start of
// the task. So the interceptor only queues them, and coroutines handle them: the first one
// of the workflow, and every update before it is judged. The first coroutine does that with
// runWithSignals, or by waiting with await and get only.
type inbox struct {
	waiting   []signal
	handle    func(ctx workflow.Context, s signal)
	received  int
	converter converter.DataConverter
	// handledAhead reports that signals were handled before the run's first coroutine in this
	// task: for an update, which is not in the history if it is refused.
	handledAhead bool
	nextTasks    *nexttask.Requests
	notices      *notices.Collector // nil without a sink
}

// requestNextTask makes the next workflow task come as soon as the present one has completed.
func (b *inbox) requestNextTask(ctx workflow.Context) {
	if !workflow.IsReplaying(ctx) {
		b.nextTasks.Add(workflow.GetInfo(ctx).WorkflowExecution.ID)
	}
}

type signal struct {
	name string
	args *commonpb.Payloads
}

// runWithSignals is the body of a workflow function. It does the work in a coroutine of its
// own, and handles the signals of each workflow task before the work continues: the SDK
// resumes the coroutines of a run in the order of their creation. Work that ran before the
// signals of its task would see one state in a task with a refused update, which handles
// signals, too, and another one in the replay, which has no refused updates.
func (b *inbox) runWithSignals(ctx workflow.Context, work func(workflow.Context) error) (err error) {
	done := false
	workflow.Go(ctx, func(ctx workflow.Context) {
		err = work(ctx)
		done = true
	})
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	for !done {
		if err := workflow.Await(lasting, func() bool { return done || b.isDue() || b.handledAhead }); err != nil {
			return fmt.Errorf("waiting for signals: %w", err)
		}
		b.handleWaiting(lasting)
		b.handledAhead = false
	}
	return err
}

// await waits until holds reports true. It is for the first coroutine of a run that has only
// this one to handle the signals: it handles those of each workflow task before it returns, and
// so before the work of any coroutine continues.
func (b *inbox) await(ctx workflow.Context, holds func() bool) error {
	for {
		hasSignals := false
		err := workflow.Await(ctx, func() bool {
			hasSignals = b.isDue() || b.handledAhead
			return hasSignals || holds()
		})
		if err != nil {
			return err
		}
		b.handleWaiting(ctx)
		b.handledAhead = false
		if !hasSignals || holds() {
			return nil
		}
	}
}

// get waits for a future as await does, and reads its value.
func (b *inbox) get(ctx workflow.Context, future workflow.Future, value any) error {
	if err := b.await(ctx, future.IsReady); err != nil {
		return err
	}
	return future.Get(ctx, value)
}

// handleAhead handles the waiting signals before an update is judged.
func (b *inbox) handleAhead(ctx workflow.Context) {
	b.handledAhead = b.handledAhead || b.isDue()
	b.handleWaiting(ctx)
}

// handleWith handles the signals that have arrived, and makes handle handle all further ones.
// handle must not block and must issue no Temporal command.
func (b *inbox) handleWith(ctx workflow.Context, handle func(workflow.Context, signal)) {
	b.handle = handle
	b.handleWaiting(ctx)
}

func (b *inbox) isDue() bool { return b.handle != nil && len(b.waiting) > 0 }

// handleWaiting handles the waiting signals, in order. Only coroutines of the workflow may call
// it.
func (b *inbox) handleWaiting(ctx workflow.Context) {
	for b.isDue() {
		next := b.waiting[0]
		b.waiting[0] = signal{} // releases its payload, which the array would keep
		b.waiting = b.waiting[1:]
		b.handle(ctx, next)
	}
}

func (b *inbox) receive(s signal) {
	b.received++
	b.waiting = append(b.waiting, s)
}

type inboxKey struct{}

// inboxOf returns the run's inbox. Without the plugin there is none and every signal would
// be lost, so the workflow task fails until the worker has the plugin.
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
	nextTasks *nexttask.Requests
	notices   *notices.Collector
}

// InterceptWorkflow wraps one run.
func (o *orderInterceptor) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	run := &orderedRun{inbox: &inbox{converter: o.converter, nextTasks: o.nextTasks, notices: o.notices}}
	run.Next = next
	return run
}

type orderedRun struct {
	interceptor.WorkflowInboundInterceptorBase
	inbox *inbox
}

// ExecuteWorkflow gives the workflow function its inbox.
func (r *orderedRun) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	return r.Next.ExecuteWorkflow(workflow.WithValue(ctx, inboxKey{}, r.inbox), in)
}

// HandleSignal queues the signals of Segue's workflow types; those of other types on the
// same worker go to the SDK's channels.
func (r *orderedRun) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	switch workflow.GetInfo(ctx).WorkflowType.Name {
	case contract.WorkflowInteraction, contract.WorkflowDelivery, contract.WorkflowReceiver:
		r.inbox.receive(signal{name: in.SignalName, args: in.Arg})
		return nil
	default:
		return r.Next.HandleSignal(ctx, in)
	}
}

// ValidateUpdate handles the signals that arrived before an update, then validates it.
func (r *orderedRun) ValidateUpdate(ctx workflow.Context, in *interceptor.UpdateInput) error {
	r.inbox.handleAhead(ctx)
	return r.Next.ValidateUpdate(ctx, in)
}

// ExecuteUpdate does the same in a replay, which validates no update.
func (r *orderedRun) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	r.inbox.handleAhead(ctx)
	return r.Next.ExecuteUpdate(ctx, in)
}
