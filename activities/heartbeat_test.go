package activities_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// beats counts the heartbeats of an activity, before the SDK throttles them.
type beats struct {
	interceptor.WorkerInterceptorBase
	on func(count int)
}

func (b *beats) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &beatsInbound{interceptor.ActivityInboundInterceptorBase{Next: next}, b}
}

type beatsInbound struct {
	interceptor.ActivityInboundInterceptorBase
	beats *beats
}

func (i *beatsInbound) Init(outbound interceptor.ActivityOutboundInterceptor) error {
	return i.Next.Init(&beatsOutbound{ActivityOutboundInterceptorBase: interceptor.ActivityOutboundInterceptorBase{Next: outbound}, beats: i.beats})
}

type beatsOutbound struct {
	interceptor.ActivityOutboundInterceptorBase
	beats *beats
	count int
}

func (o *beatsOutbound) RecordHeartbeat(ctx context.Context, details ...any) {
	o.count++
	o.beats.on(o.count)
	o.Next.RecordHeartbeat(ctx, details...)
}

func TestAPendingRequestSendsThreeHeartbeatsWithinTheTimeout(t *testing.T) {
	const count = 3 // heartbeats within the timeout
	for name, timeout := range map[string]time.Duration{"short": 600 * time.Millisecond, "long": 1800 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			release := f.receiver.holdAnswers()
			defer release()
			began := time.Now()
			var once sync.Once
			var took time.Duration
			e := new(testsuite.WorkflowTestSuite).NewTestWorkflowEnvironment()
			e.SetTestTimeout(20 * time.Second)
			e.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&beats{on: func(n int) {
				if n == count {
					once.Do(func() { took = time.Since(began) })
					release()
				}
			}}}})
			e.RegisterActivityWithOptions(f.Attempt, activity.RegisterOptions{Name: contract.ActivityAttempt})
			e.ExecuteWorkflow(func(ctx workflow.Context, in contract.AttemptInput) (result contract.AttemptResult, err error) {
				ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, HeartbeatTimeout: timeout})
				err = workflow.ExecuteActivity(ctx, contract.ActivityAttempt, in).Get(ctx, &result)
				return result, err
			}, f.batch("crm", 1))
			require.NoError(t, e.GetWorkflowError(), "no heartbeat timed out")
			var result contract.AttemptResult
			require.NoError(t, e.GetWorkflowResult(&result))
			require.Equal(t, contract.VerdictDelivered, result.Outcomes[0].Verdict)
			require.GreaterOrEqual(t, took, timeout, "%d heartbeats take the whole timeout", count)
			require.Len(t, f.receiver.requests(), 1)
		})
	}
}
