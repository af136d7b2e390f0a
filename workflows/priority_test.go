package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// turns sees with which priority activities and child workflows are started; the
// test environment itself does not tell.
type turns struct {
	interceptor.WorkerInterceptorBase
	of map[string]temporal.Priority
}

func (t *turns) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &turnsOfRun{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, turns: t}
}

type turnsOfRun struct {
	interceptor.WorkflowInboundInterceptorBase
	turns *turns
}

func (r *turnsOfRun) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return r.Next.Init(&turnsOut{WorkflowOutboundInterceptorBase: interceptor.WorkflowOutboundInterceptorBase{Next: next}, turns: r.turns})
}

type turnsOut struct {
	interceptor.WorkflowOutboundInterceptorBase
	turns *turns
}

func (o *turnsOut) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o.turns.of[name] = workflow.GetActivityOptions(ctx).Priority
	return o.Next.ExecuteActivity(ctx, name, args...)
}

func (o *turnsOut) ExecuteChildWorkflow(ctx workflow.Context, name string, args ...any) workflow.ChildWorkflowFuture {
	o.turns.of[name] = workflow.GetChildWorkflowOptions(ctx).Priority
	return o.Next.ExecuteChildWorkflow(ctx, name, args...)
}

// What an interaction has done has the priority that the last Dispatch told, and its
// contact center as the fairness key, whatever the workflow was started with.
func TestWhatAnInteractionHasDoneGetsItsTurn(t *testing.T) {
	seen := &turns{of: map[string]temporal.Priority{}}
	e := newEnv(t, seen)
	urgent := contract.Priority{Key: 1, Weight: 2}
	e.onDispatch = func(_ *contract.DispatchInput, result *contract.DispatchResult) {
		result.Rules.Priority, result.Rules.Lifetime = urgent, time.Hour
		if len(e.inputs) == 1 {
			result.Deliveries = []contract.Delivery{{
				ID: "d1", Call: "crm", Sequence: result.Through, Status: contract.StatusWaiting,
				Request: &contract.Request{ID: "d1", Call: "crm", Sequence: result.Through},
			}}
		}
	}
	e.onAttempt = func(contract.AttemptInput) contract.AttemptResult {
		return contract.AttemptResult{Outcomes: []contract.Outcome{{ID: "d1", Verdict: contract.VerdictFinal, Class: "gone"}}}
	}
	e.signals(time.Second, [2]string{"accept", `{"agent":{"id":"a"}}`})
	e.signals(2*time.Second, [2]string{"reply", `{}`})
	e.signals(3*time.Second, [2]string{"cancel", `{}`})
	e.start(`{"id":"i-1","contact_center":"cc","channel":"email"}`)
	want := temporal.Priority{PriorityKey: 1, FairnessKey: "cc", FairnessWeight: 2}
	require.Equal(t, map[string]temporal.Priority{
		contract.ActivityAttempt: want, contract.ActivityHandOver: want, contract.WorkflowInteraction: want,
	}, seen.of)
	require.Len(t, e.handOvers, 1)
	require.Equal(t, urgent, e.handOvers[0].Priority)
}
