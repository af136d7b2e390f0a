package workflows_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/workflows"
)

var laneStart = contract.DeliveryStart{
	Owner: contract.Owner{ContactCenter: "cc", Interaction: "i-1", FirstRunID: "first"}, Call: "crm",
}

// laneEnv runs one Delivery in virtual time, with a receiver that answers as the test says and
// an interaction that records the reports.
type laneEnv struct {
	*env
	begin time.Time
	hold  *signalFirst
	// answers are a delivery's next outcomes; after the last one, it is delivered.
	answers map[string][]contract.Outcome
	// during is called while a delivery is being attempted.
	during func(in contract.AttemptInput)
	// tries lists the time, the delivery and the number of each attempt; batches lists how
	// many deliveries each attempt had.
	tries   []string
	batches []int
	// reports are the reports to the interaction; gone lets each of them fail.
	reports []string
	last    []map[string]any
	gone    bool
	// onChain is called when a lane and its parts signal each other.
	onChain func(workflowID, signal string, arg any) error
	// onReport is called while a report is being sent.
	onReport func(signal string)
	parked   []int64  // the values of the search attribute SegueParked
	outcomes []string // the values of SegueOutcome
}

// signalFirst starts a workflow function with its first signal, as signal-with-start does; the
// test environment cannot.
type signalFirst struct {
	interceptor.WorkerInterceptorBase
	off bool
}

func (s *signalFirst) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	r := &signalFirstRun{signaled: s.off}
	r.Next = next
	return r
}

type signalFirstRun struct {
	interceptor.WorkflowInboundInterceptorBase
	signaled bool
}

func (r *signalFirstRun) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	r.signaled = true
	return r.Next.HandleSignal(ctx, in)
}

func (r *signalFirstRun) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	if err := workflow.Await(ctx, func() bool { return r.signaled }); err != nil {
		return nil, err
	}
	return r.Next.ExecuteWorkflow(ctx, in)
}

func newLane(t *testing.T) *laneEnv {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	logged := &bytes.Buffer{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(logged, nil))))
	l := &laneEnv{
		env:  &env{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t, logged: logged},
		hold: &signalFirst{}, answers: map[string][]contract.Outcome{},
	}
	plugin, err := workflows.NewPlugin()
	require.NoError(t, err)
	l.SetWorkerOptions(worker.Options{Plugins: []worker.Plugin{plugin}, Interceptors: []interceptor.WorkerInterceptor{l.hold}})
	l.RegisterActivityWithOptions(l.attempt, activity.RegisterOptions{Name: contract.ActivityAttempt})
	l.RegisterActivityWithOptions(l.handOver, activity.RegisterOptions{Name: contract.ActivityHandOver})
	workflows.Register(l)
	l.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: contract.DeliveryWorkflowID(laneStart.Owner, laneStart.Call), TaskQueue: "segue"})
	l.SetTestTimeout(10 * time.Second)
	l.onAttempt = l.answer
	l.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(l.report).Maybe()
	l.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
		if parked, ok := args.Get(0).(temporal.SearchAttributes).GetInt64(contract.AttributeParked); ok {
			l.parked = append(l.parked, parked)
		}
		if outcome, ok := args.Get(0).(temporal.SearchAttributes).GetKeyword(contract.AttributeOutcome); ok {
			l.outcomes = append(l.outcomes, outcome)
		}
	}).Return(nil).Maybe()
	return l
}

// answer plays the receiver.
func (l *laneEnv) answer(in contract.AttemptInput) contract.AttemptResult {
	require.Equal(l.t, laneStart.Owner, in.Owner)
	require.True(l.t, in.InLane)
	if l.during != nil {
		defer l.during(in)
	}
	var result contract.AttemptResult
	for i, request := range in.Requests {
		number := 1
		if i == 0 {
			number = in.Number
		}
		outcome := l.answerOne(request, number)
		if outcome.Verdict == "" {
			break
		}
		outcome.ID, outcome.At = request.ID, l.Now()
		result.Outcomes = append(result.Outcomes, outcome)
		if outcome.Verdict != contract.VerdictDelivered {
			break
		}
	}
	l.batches = append(l.batches, len(in.Requests))
	return result
}

func (l *laneEnv) answerOne(request contract.Request, number int) contract.Outcome {
	require.Equal(l.t, bodyOf(request.ID), request.Body)
	require.Equal(l.t, headersOf(request.ID), request.Headers)
	l.tries = append(l.tries, fmt.Sprintf("%s %s #%d", l.elapsed(), request.ID, number))
	outcome := delivered(request.ID)
	if next := l.answers[request.ID]; len(next) > 0 {
		outcome, l.answers[request.ID] = next[0], next[1:]
	}
	return outcome
}

// report plays the interaction.
func (l *laneEnv) report(_, workflowID, runID, signal string, arg any) error {
	if l.onChain != nil && workflowID != testWorkflow {
		return l.onChain(workflowID, signal, arg)
	}
	require.Equal(l.t, testWorkflow, workflowID)
	require.Empty(l.t, runID, "the latest run of the interaction")
	if l.onReport != nil {
		l.onReport(signal)
	}
	payload, err := json.Marshal(arg)
	require.NoError(l.t, err)
	var message struct {
		Call, Last string
		FirstRunID string `json:"first_run_id"`
		Results    []map[string]any
	}
	require.NoError(l.t, json.Unmarshal(payload, &message))
	require.Equal(l.t, "crm first", message.Call+" "+message.FirstRunID)
	text := fmt.Sprintf("%s %s", l.elapsed(), signal)
	for _, result := range message.Results {
		text += fmt.Sprintf(" %s:%s", result["id"], result["status"])
	}
	l.reports, l.last = append(l.reports, text+" last="+message.Last), message.Results
	if l.gone {
		return errors.New("workflow execution already completed")
	}
	return nil
}

func (l *laneEnv) elapsed() time.Duration { return l.Now().Sub(l.begin) }

// at calls do at a time after the start.
func (l *laneEnv) at(after time.Duration, do func()) { l.RegisterDelayedCallback(do, after) }

func (l *laneEnv) signal(after time.Duration, name, payload string) {
	var input any
	if payload != "" {
		input = json.RawMessage(payload)
	}
	l.at(after, func() { l.SignalWorkflow(name, input) })
}

func (l *laneEnv) append(after time.Duration, in contract.HandOver) {
	l.at(after, func() { l.SignalWorkflow(contract.SignalAppend, in) })
}

// run runs the lane to its end.
func (l *laneEnv) run() {
	l.t.Helper()
	l.begin = l.Now()
	l.ExecuteWorkflow(contract.WorkflowDelivery, laneStart)
	require.True(l.t, l.IsWorkflowCompleted())
	require.NoError(l.t, l.GetWorkflowError())
}

// runOn runs the lane until it continues as new, and returns what it carries over.
func (l *laneEnv) runOn() *workflows.CarriedLane {
	l.t.Helper()
	l.begin = l.Now()
	l.ExecuteWorkflow(contract.WorkflowDelivery, laneStart)
	return l.carried()
}

func (l *laneEnv) carried() *workflows.CarriedLane {
	l.t.Helper()
	require.True(l.t, l.IsWorkflowCompleted())
	var again *workflow.ContinueAsNewError
	require.True(l.t, errors.As(l.GetWorkflowError(), &again), "%v", l.GetWorkflowError())
	require.Equal(l.t, contract.WorkflowDelivery, again.WorkflowType.Name)
	require.Len(l.t, again.Input.GetPayloads(), 2)
	var start contract.DeliveryStart
	require.NoError(l.t, json.Unmarshal(again.Input.GetPayloads()[0].GetData(), &start))
	require.Equal(l.t, laneStart, start)
	var carried workflows.CarriedLane
	require.NoError(l.t, json.Unmarshal(again.Input.GetPayloads()[1].GetData(), &carried))
	return &carried
}

// goOn runs the next run of a lane.
func (l *laneEnv) goOn(before *laneEnv, carried *workflows.CarriedLane) {
	l.t.Helper()
	l.hold.off, l.begin = true, before.begin
	l.SetStartTime(before.Now())
	l.env.goOn(contract.WorkflowDelivery, laneStart, carried)
	require.True(l.t, l.IsWorkflowCompleted())
	require.NoError(l.t, l.GetWorkflowError())
}

// statuses queries the lane: "d1:waiting d2:waiting".
func (l *laneEnv) statuses() string {
	l.t.Helper()
	var list []string
	for _, record := range query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries) {
		list = append(list, record.ID+":"+string(record.Status))
	}
	return strings.Join(list, " ")
}

func bodyOf(id string) string { return `{"of":"` + id + `"}` }

func headersOf(id string) []contract.Header { return []contract.Header{{Name: "X-Of", Value: id}} }

func handOver(ids ...string) contract.HandOver {
	in := contract.HandOver{Owner: laneStart.Owner, Call: laneStart.Call}
	for i, id := range ids {
		in.Requests = append(in.Requests, contract.Request{
			ID: id, Call: laneStart.Call, Moment: "inbound.dtmf", Sequence: int64(i + 1), Method: "POST", URL: "http://crm/x",
			Headers: headersOf(id), Body: bodyOf(id),
		})
	}
	return in
}

// afterFailing hands over because the first attempt of the first delivery failed.
func afterFailing(outcome contract.Outcome, ids ...string) contract.HandOver {
	in := handOver(ids...)
	outcome.ID = ids[0]
	in.Failed = &outcome
	return in
}

func retry(in time.Duration) contract.Outcome {
	return contract.Outcome{Verdict: contract.VerdictRetry, Code: 503, Class: "http_5xx", MS: 7, RetryIn: in, Of: 10, Message: "HTTP 503"}
}

func free(in time.Duration) contract.Outcome {
	return contract.Outcome{Verdict: contract.VerdictRetry, Class: "breaker_open", RetryIn: in, Free: true, Of: 10}
}

func final() contract.Outcome {
	return contract.Outcome{Verdict: contract.VerdictFinal, Code: 400, Class: "http_4xx", Of: 10, Message: "HTTP 400"}
}

func ordered(order string, outcome contract.Outcome) contract.Outcome {
	outcome.Order = order
	return outcome
}

func kept(retention time.Duration, outcome contract.Outcome) contract.Outcome {
	outcome.Retention = retention
	return outcome
}

func ids(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("d%d", i+1))
	}
	return list
}
