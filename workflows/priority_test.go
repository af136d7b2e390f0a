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

// priorities records the priority with which activities and child workflows are started;
// the test environment does not.
type priorities struct {
	interceptor.WorkerInterceptorBase
	of map[string]temporal.Priority
}

func (t *priorities) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &prioritiesOfRun{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, priorities: t}
}

type prioritiesOfRun struct {
	interceptor.WorkflowInboundInterceptorBase
	priorities *priorities
}

func (r *prioritiesOfRun) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return r.Next.Init(&prioritiesOut{WorkflowOutboundInterceptorBase: interceptor.WorkflowOutboundInterceptorBase{Next: next}, priorities: r.priorities})
}

type prioritiesOut struct {
	interceptor.WorkflowOutboundInterceptorBase
	priorities *priorities
}

func (o *prioritiesOut) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o.priorities.of[name] = workflow.GetActivityOptions(ctx).Priority
	return o.Next.ExecuteActivity(ctx, name, args...)
}

func (o *prioritiesOut) ExecuteChildWorkflow(ctx workflow.Context, name string, args ...any) workflow.ChildWorkflowFuture {
	o.priorities.of[name] = workflow.GetChildWorkflowOptions(ctx).Priority
	return o.Next.ExecuteChildWorkflow(ctx, name, args...)
}

// Activities and child workflows of an interaction have the priority of the last Dispatch,
// and the contact center as fairness key, whatever the workflow was started with.
func TestActivitiesAndChildrenHaveThePriorityOfTheInteraction(t *testing.T) {
	seen := &priorities{of: map[string]temporal.Priority{}}
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
