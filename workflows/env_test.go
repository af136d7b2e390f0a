package workflows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"segue/contract"
	"segue/interaction"
	"segue/workflows"
)

const (
	testID       = "i-1"
	testWorkflow = "interaction/cc/i-1"
)

// env is a test environment with Segue's plugin, and activities that do what the test wants
// and record their inputs.
type env struct {
	*testsuite.TestWorkflowEnvironment
	t      *testing.T
	logged *bytes.Buffer // what the workflows log

	mu        sync.Mutex
	events    []interaction.Event
	inputs    []contract.DispatchInput
	attempts  []contract.AttemptInput
	handOvers []contract.HandOver
	renders   []contract.RenderInput

	// onDispatch, onAttempt, onHandOver, onRender and onCancelReason may replace what the activities answer.
	onDispatch func(in *contract.DispatchInput, result *contract.DispatchResult)
	onAttempt  func(in contract.AttemptInput) contract.AttemptResult
	onHandOver func(in contract.HandOver) error
	onRender   func(in contract.RenderInput) contract.Request

	onCancelReason func() (string, error)
}

func newEnv(t *testing.T, interceptors ...interceptor.WorkerInterceptor) *env {
	return newMeasuredEnv(t, client.MetricsNopHandler, interceptors...)
}

func newMeasuredEnv(t *testing.T, handler client.MetricsHandler, interceptors ...interceptor.WorkerInterceptor) *env {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetMetricsHandler(handler)
	logged := &bytes.Buffer{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(logged, nil))))
	e := &env{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t, logged: logged}
	plugin, err := workflows.NewPlugin()
	require.NoError(t, err)
	e.SetWorkerOptions(worker.Options{
		Plugins: []worker.Plugin{plugin}, Interceptors: interceptors,
		DeadlockDetectionTimeout: 8 * time.Second, // as the workers of Segue
	})
	e.RegisterActivityWithOptions(e.dispatch, activity.RegisterOptions{Name: contract.ActivityDispatch})
	e.RegisterActivityWithOptions(e.attempt, activity.RegisterOptions{Name: contract.ActivityAttempt})
	e.RegisterActivityWithOptions(e.handOver, activity.RegisterOptions{Name: contract.ActivityHandOver})
	e.RegisterActivityWithOptions(e.render, activity.RegisterOptions{Name: contract.ActivityRender})
	e.RegisterActivityWithOptions(e.cancelReason, activity.RegisterOptions{Name: contract.ActivityCancelReason})
	workflows.Register(e)
	e.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: testWorkflow, TaskQueue: "segue"})
	e.SetTestTimeout(10 * time.Second)

	return e
}

func (e *env) dispatch(_ context.Context, in *contract.DispatchInput) (*contract.DispatchResult, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inputs = append(e.inputs, *in)
	result := &contract.DispatchResult{Version: "v1", Rules: &contract.Rules{Timeouts: contract.Timeouts{LateEvents: time.Minute}}, Through: in.After}
	for _, turn := range in.Turns {
		for _, event := range turn.Events {
			if event.Sequence > in.After {
				e.events = append(e.events, event)
				result.Through = event.Sequence
			}
		}
	}
	if e.onDispatch != nil {
		e.onDispatch(in, result)
	}
	return result, nil
}

func (e *env) attempt(_ context.Context, in contract.AttemptInput) (contract.AttemptResult, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.attempts = append(e.attempts, in)
	if e.onAttempt != nil {
		return e.onAttempt(in), nil
	}
	var result contract.AttemptResult
	for _, request := range in.Requests {
		result.Outcomes = append(result.Outcomes, delivered(request.ID))
	}
	return result, nil
}

func (e *env) handOver(_ context.Context, in contract.HandOver) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handOvers = append(e.handOvers, in)
	if e.onHandOver != nil {
		return e.onHandOver(in)
	}
	return nil
}

func (e *env) render(_ context.Context, in contract.RenderInput) (contract.Request, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.renders = append(e.renders, in)
	renewed := in.Request
	if e.onRender != nil {
		renewed = e.onRender(in)
	}
	return renewed.WithoutSource(), nil
}

func (e *env) cancelReason(context.Context) (string, error) {
	if e.onCancelReason != nil {
		return e.onCancelReason()
	}
	return "", nil
}

func delivered(id string) contract.Outcome {
	return contract.Outcome{ID: id, Verdict: contract.VerdictDelivered, Code: 200, Class: "ok"}
}

// start runs the interaction to its end with the given start fields.
func (e *env) start(fields string) {
	e.t.Helper()
	e.ExecuteWorkflow(contract.WorkflowInteraction, json.RawMessage(fields))
	require.True(e.t, e.IsWorkflowCompleted())
}

// goOn runs a workflow that continues another one.
func (e *env) goOn(workflow string, start, carried any) {
	e.t.Helper()
	e.SetContinuedExecutionRunID("the-run-before")
	e.ExecuteWorkflow(workflow, start, carried)
}

// signals sends commands in one workflow task, some time after the start.
func (e *env) signals(after time.Duration, commands ...[2]string) {
	e.RegisterDelayedCallback(func() {
		last := len(commands) - 1
		for _, c := range commands[:last] {
			e.SignalWorkflowSkippingWorkflowTask(c[0], json.RawMessage(c[1]))
		}
		e.SignalWorkflow(commands[last][0], json.RawMessage(commands[last][1]))
	}, after)
}

func query[T any](e *env, name string) T {
	e.t.Helper()
	value, err := e.QueryWorkflow(name)
	require.NoError(e.t, err)
	return decoded[T](e.t, value)
}

func decoded[T any](t *testing.T, value converter.EncodedValue) T {
	t.Helper()
	var got T
	require.NoError(t, value.Get(&got))
	return got
}

// moments lists the moments that were dispatched, with segment and leg where they have one.
func (e *env) moments() []string {
	var names []string
	for _, event := range e.events {
		name := string(event.Moment)
		if event.Moment == interaction.MomentSegmentChange {
			name = string(event.Segment) + "." + string(event.Leg)
		}
		names = append(names, name)
	}
	return names
}

// details returns the current details of the workflow in the Temporal UI.
func (e *env) details() string {
	e.t.Helper()
	return query[*sdkpb.WorkflowMetadata](e, "__temporal_workflow_metadata").GetCurrentDetails()
}
