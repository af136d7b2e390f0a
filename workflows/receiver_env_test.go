package workflows_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"segue/contract"
	"segue/workflows"
)

// receiverEnv runs one Receiver in virtual time.
type receiverEnv struct {
	*env
	hold  *signalFirst
	begin time.Time
	// inspection is what an inspection finds.
	inspection  contract.Inspection
	inspections int
	drained     bool // nothing waits since the receiver delivers
	// notified lists the notifications: "5m0s delivery_failing for 300".
	notified []string
	events   []map[string]any
	ids      []string
	last     int64 // the sequence of the last notification
	// during is called during a notification; so many of them fail.
	during func(moment string)
	refuse int
}

func newReceiver(t *testing.T) *receiverEnv {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	logged := &bytes.Buffer{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(logged, nil))))
	r := &receiverEnv{
		env:        &env{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t, logged: logged},
		hold:       &signalFirst{},
		inspection: contract.Inspection{Counted: true, Lanes: 7, Rules: contract.AlertRules{FailingAfter: 5 * time.Minute, RecoveredAfter: time.Minute}},
	}
	plugin, err := workflows.NewPlugin()
	require.NoError(t, err)
	r.SetWorkerOptions(worker.Options{Plugins: []worker.Plugin{plugin}, Interceptors: []interceptor.WorkerInterceptor{r.hold}})
	r.RegisterActivityWithOptions(r.inspect, activity.RegisterOptions{Name: contract.ActivityInspect})
	r.RegisterActivityWithOptions(r.alert, activity.RegisterOptions{Name: contract.ActivityAlert})
	workflows.Register(r)
	r.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: contract.ReceiverWorkflowID("segue", "crm"), TaskQueue: "segue"})
	r.SetTestTimeout(10 * time.Second)
	return r
}

func (r *receiverEnv) inspect(_ context.Context, in contract.InspectInput) (contract.Inspection, error) {
	require.Equal(r.t, "crm", in.Call)
	if r.inspections++; r.inspections == 5000 { // virtual time has no end
		r.t.Error("it inspects forever")
		r.CancelWorkflow()
	}
	return r.inspection, nil
}

func (r *receiverEnv) alert(_ context.Context, in contract.AlertInput) (contract.AlertResult, error) {
	if r.refuse > 0 {
		r.refuse--
		return contract.AlertResult{}, errors.New("Temporal is unavailable")
	}
	require.Equal(r.t, "segue/crm", in.Owner.Receiver)
	require.Empty(r.t, in.Owner.Interaction)
	require.Len(r.t, in.Turn.Events, 1)
	event := in.Turn.Events[0]
	require.Equal(r.t, "crm", event.Fields["call"])
	require.Greater(r.t, event.Sequence, r.last)
	r.last = event.Sequence
	text := fmt.Sprintf("%s %s", event.At.Sub(r.begin).Round(time.Second), strings.TrimPrefix(string(event.Moment), "operator."))
	if event.Reason != "" {
		text += " " + event.Reason
	}
	text += fmt.Sprintf(" for %v", event.Fields["failing_for"])
	if n := event.Fields["count"]; n != 0.0 {
		text += fmt.Sprintf(" count %v", n)
	}
	r.notified, r.events = append(r.notified, text), append(r.events, event.Fields)
	id := contract.DeliveryID(in.Owner, &event, "pager")
	r.ids = append(r.ids, id)
	if r.during != nil {
		r.during(string(event.Moment))
	}
	return contract.AlertResult{Version: "v1", Deliveries: []contract.Delivery{{ID: id, Call: "pager", Moment: string(event.Moment), Sequence: event.Sequence, Status: contract.StatusInLane}}}, nil
}

// reports sends the report of a worker, at a time after the start.
func (r *receiverEnv) reports(after time.Duration, report contract.HealthReport) {
	r.RegisterDelayedCallback(func() { r.SignalWorkflow(contract.SignalHealth, report) }, after)
}

// fails reports that the receiver has failed since another time.
func (r *receiverEnv) fails(after, since time.Duration) {
	r.RegisterDelayedCallback(func() {
		if r.drained {
			r.inspection.Lanes, r.drained = 7, false
		}
		r.SignalWorkflow(contract.SignalHealth, r.failing(contract.HealthFailing, since))
	}, after)
}

func (r *receiverEnv) opens(after, since time.Duration) {
	r.RegisterDelayedCallback(func() { r.SignalWorkflow(contract.SignalHealth, r.failing(contract.HealthBreakerOpen, since)) }, after)
}

func (r *receiverEnv) failing(health contract.Health, since time.Duration) contract.HealthReport {
	return contract.HealthReport{Health: health, Since: r.begin.Add(since), At: r.Now(), Failure: &contract.Failure{
		Class: "http_5xx", Code: 503, Message: "HTTP 503", Delivery: "d1", ContactCenter: "cc", Interaction: "i-1", At: r.Now(),
	}}
}

// delivers reports a delivery, after which nothing waits.
func (r *receiverEnv) delivers(after time.Duration) {
	r.at(after, func() { r.inspection.Lanes, r.drained = 0, true })
	r.deliversOne(after)
}

func (r *receiverEnv) deliversOne(after time.Duration) {
	r.RegisterDelayedCallback(func() {
		r.SignalWorkflow(contract.SignalHealth, contract.HealthReport{Health: contract.HealthDelivered, At: r.Now()})
	}, after)
}

func (r *receiverEnv) parks(after time.Duration, n int) {
	r.reports(after, contract.HealthReport{Parked: n, LastParked: &contract.Failure{
		Class: "gone", Code: 410, Message: "HTTP 410 Gone", Delivery: "d9", ContactCenter: "cc", Interaction: "i-9",
	}})
}

func (r *receiverEnv) at(after time.Duration, do func()) { r.RegisterDelayedCallback(do, after) }

func (r *receiverEnv) run() {
	r.t.Helper()
	r.begin = r.Now()
	r.ExecuteWorkflow(contract.WorkflowReceiver, contract.ReceiverStart{Call: "crm"})
	require.True(r.t, r.IsWorkflowCompleted())
	require.NoError(r.t, r.GetWorkflowError())
}

func (r *receiverEnv) lasted() time.Duration { return r.Now().Sub(r.begin).Round(time.Second) }

func (r *receiverEnv) status() contract.ReceiverStatus {
	r.t.Helper()
	return query[contract.ReceiverStatus](r.env, contract.QueryState)
}
