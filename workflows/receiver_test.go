package workflows_test

import (
	"bytes"
	"context"
	"encoding/json"
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
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/workflows"
)

// receiverEnv runs one Receiver in virtual time.
type receiverEnv struct {
	*env
	hold  *signalFirst
	begin time.Time
	// inspection is what a look finds; when answers otherwise for a time.
	inspection contract.Inspection
	looks      int
	drained    bool // nothing waits since it delivers
	// said is what operators heard: "5m0s delivery_failing http_5xx since 0s".
	said   []string
	events []map[string]any
	ids    []string
	last   int64 // the sequence of the last one
	// during is called while operators are being told; refuse lets that fail so often.
	during func(when string)
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
	if r.looks++; r.looks == 5000 { // virtual time has no end
		r.t.Error("it looks forever")
		r.CancelWorkflow()
	}
	return r.inspection, nil
}

func (r *receiverEnv) alert(_ context.Context, in contract.AlertInput) (contract.AlertResult, error) {
	if r.refuse > 0 {
		r.refuse--
		return contract.AlertResult{}, errors.New("Temporal takes nothing")
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
	r.said, r.events = append(r.said, text), append(r.events, event.Fields)
	id := contract.DeliveryID(in.Owner, &event, "pager")
	r.ids = append(r.ids, id)
	if r.during != nil {
		r.during(string(event.Moment))
	}
	return contract.AlertResult{Version: "v1", Deliveries: []contract.Delivery{{ID: id, Call: "pager", Moment: string(event.Moment), Sequence: event.Sequence, Status: contract.StatusInLane}}}, nil
}

// tell is what a worker process tells, at a moment after the start.
func (r *receiverEnv) tell(after time.Duration, told contract.HealthReport) {
	r.RegisterDelayedCallback(func() { r.SignalWorkflow(contract.SignalHealth, told) }, after)
}

// fails tells at a moment that nothing was delivered since another.
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

// delivers tells that something arrived, as all that waited does.
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
	r.tell(after, contract.HealthReport{Parked: n, LastParked: &contract.Failure{
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

func TestAReceiverThatFailsForLongIsSaidOnceAndThatItRecovered(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	for i := range 500 { // 20 processes, and again and again
		r.fails(10*time.Second+time.Duration(i)*time.Second, time.Duration(i%20)*time.Second)
	}
	r.at(6*time.Minute, func() {
		status := r.status()
		require.Equal(t, "failing", status.State)
		require.Equal(t, 7, status.Lanes)
		require.Equal(t, "http_5xx", status.Failure.Class)
		require.Len(t, status.Alerts, 1)
		require.Equal(t, "alert/segue/crm/pager", status.Alerts[0].Deliveries[0].WorkflowID)
	})
	r.delivers(time.Hour)
	r.at(time.Hour+30*time.Second, func() { require.Equal(t, "recovering", r.status().State) })
	r.run()
	require.Equal(t, []string{"5m0s delivery_failing for 300", "1h1m0s receiver_recovered delivered for 3600"}, r.said)
	require.Equal(t, time.Hour+time.Minute, r.lasted())
	require.Equal(t, map[string]any{
		"call": "crm", "class": "http_5xx", "code": 503.0, "message": "HTTP 503", "since": r.begin.UTC().Format(time.RFC3339Nano),
		"failing_for": 300.0, "count": 0.0, "lanes": 7.0, "parked": 0.0, "contact_center": "cc", "interaction": "i-1", "delivery": "d1",
	}, r.events[0])
}

func TestWhatFailsForAShortTimeIsNotSaid(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.delivers(4 * time.Minute)
	r.run()
	require.Empty(t, r.said)
	require.Equal(t, 5*time.Minute, r.lasted())
}

// Each success begins the time anew: nothing is said to fail for long that delivers.
func TestAReceiverThatFlapsIsNotSaidToFail(t *testing.T) {
	r := newReceiver(t)
	for i := range 20 {
		begin := time.Duration(i) * 4 * time.Minute
		r.fails(begin, begin)
		r.delivers(begin + 210*time.Second)
	}
	r.run()
	require.Empty(t, r.said)
}

func TestABreakerThatFlapsIsSaidOnce(t *testing.T) {
	r := newReceiver(t)
	for i := range 20 {
		begin := time.Duration(i) * 20 * time.Second
		r.opens(begin, begin)
		r.delivers(begin + 15*time.Second)
	}
	r.run()
	require.Equal(t, []string{"0s breaker_open for 0", "7m35s receiver_recovered delivered for 395"}, r.said)
}

func TestBothAreSaidOfAnEpisode(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.opens(time.Minute, 0)
	r.delivers(10 * time.Minute)
	r.fails(20*time.Minute, 20*time.Minute) // another one, of which nobody hears
	r.run()
	require.Equal(t, []string{"1m0s breaker_open for 60", "5m0s delivery_failing for 300", "11m0s receiver_recovered delivered for 600"}, r.said)
}

// The processes told at once, of what began before; and one's clock is ahead.
func TestTheTimeCountsFromTheFirstFailure(t *testing.T) {
	r := newReceiver(t)
	r.SetStartTime(time.Now())
	r.fails(0, -4*time.Minute)
	r.fails(time.Second, 10*time.Minute)
	r.delivers(10 * time.Minute)
	r.run()
	require.Equal(t, "1m0s delivery_failing for 300", r.said[0])
}

// A process that could not deliver for a while tells late, when another could.
func TestWhatFailedBeforeASuccessDoesNotCount(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.delivers(2 * time.Minute)
	r.fails(150*time.Second, 0)
	r.delivers(10 * time.Minute)
	r.run()
	require.Equal(t, []string{"7m0s delivery_failing for 300", "11m0s receiver_recovered delivered for 600"}, r.said)
}

func TestParkedOnesAreSaidAtOnceThenOnceAMinute(t *testing.T) {
	r := newReceiver(t)
	r.parks(0, 1)
	for i := range 100 {
		r.parks(time.Duration(i+1)*time.Second, 50)
	}
	r.at(2*time.Second, func() { require.Equal(t, "parked", r.status().State) })
	r.run()
	require.Equal(t, []string{"0s delivery_parked for 0 count 1", "1m0s delivery_parked for 0 count 2950", "2m0s delivery_parked for 0 count 2050"}, r.said)
	require.Equal(t, 3*time.Minute+10*time.Second, r.lasted(), "what is parked next is not said too soon either")
	require.Equal(t, 1.0, r.events[0]["parked"], "the list of lanes may not know it yet")
	require.Equal(t, "gone", r.events[0]["class"])
	require.Equal(t, "i-9", r.events[0]["interaction"])
}

func TestParkedOnesDoNotHideAnEpisode(t *testing.T) {
	r := newReceiver(t)
	r.inspection.Parked = 3
	r.at(2*time.Hour, func() { r.inspection.Parked = 0 })
	r.fails(0, 0)
	r.parks(3*time.Minute, 1)
	r.delivers(8 * time.Minute)
	r.run()
	require.Equal(t, []string{"3m0s delivery_parked for 180 count 1", "5m0s delivery_failing for 300", "9m0s receiver_recovered delivered for 480"}, r.said)
	require.Equal(t, 3.0, r.events[1]["parked"])
}

// The worker that told of the failure has died; another delivers, and does not know.
func TestALookFindsThatAnotherWorkerDelivers(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	for _, after := range []time.Duration{29 * time.Minute, 35 * time.Minute} {
		r.at(after, func() { r.inspection.Delivered = r.Now() })
	}
	r.run()
	require.Equal(t, "5m0s delivery_failing for 300", r.said[0])
	require.Len(t, r.said, 2)
	require.Contains(t, r.said[1], "receiver_recovered delivered")
	require.LessOrEqual(t, r.lasted(), 41*time.Minute)
}

// No worker is left that could have seen it.
func TestALookFindsThatNothingWaitsAnyMore(t *testing.T) {
	r := newReceiver(t)
	r.opens(0, 0)
	r.at(90*time.Minute, func() { r.inspection.Lanes = 0 })
	r.run()
	require.Len(t, r.said, 3)
	require.Contains(t, r.said[2], "receiver_recovered nothing_waits")
	require.LessOrEqual(t, r.lasted(), 102*time.Minute)
}

func TestOneEmptyListIsNotBelieved(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.at(290*time.Second, func() { r.inspection.Lanes = 0 })
	r.at(305*time.Second, func() { r.inspection.Lanes = 2 })
	r.delivers(10 * time.Minute)
	r.run()
	require.Equal(t, []string{"5m10s delivery_failing for 310", "11m0s receiver_recovered delivered for 600"}, r.said)
}

// It fails, and nothing waits: an operator gave up what there was.
func TestWhatNobodyWaitsForIsNotSaid(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.at(time.Second, func() { r.inspection.Lanes = 0 })
	r.run()
	require.Empty(t, r.said)
	require.LessOrEqual(t, r.lasted(), 3*time.Minute)
}

func TestOperatorsHearAlsoWhenNothingCanBeCounted(t *testing.T) {
	r := newReceiver(t)
	r.inspection = contract.Inspection{Rules: r.inspection.Rules}
	r.fails(0, 0)
	r.at(30*time.Hour, func() { require.Len(t, r.said, 1) })
	r.delivers(31 * time.Hour)
	r.delivers(31*time.Hour + 2*time.Minute)
	r.run()
	require.Equal(t, "31h2m0s receiver_recovered delivered for 111600", r.said[1])
}

// Between two retries nothing happens: that says nothing of the receiver.
func TestASilentGapIsNoRecovery(t *testing.T) {
	r := newReceiver(t)
	r.inspection.Lanes = 150
	r.fails(0, 0)
	r.deliversOne(time.Hour)
	r.at(80*time.Minute, func() {
		require.Equal(t, "recovering", r.status().State)
		require.Len(t, r.said, 1)
	})
	r.fails(90*time.Minute, 90*time.Minute)
	r.deliversOne(2 * time.Hour)
	r.deliversOne(2*time.Hour + 30*time.Second)
	r.deliversOne(2*time.Hour + 90*time.Second)
	r.run()
	require.Equal(t, []string{
		"5m0s delivery_failing for 300", "2h1m30s receiver_recovered delivered for 7200",
	}, r.said)
}

func TestAReceiverStaysOpenWhileAnythingIsParkedAndReminds(t *testing.T) {
	r := newReceiver(t)
	r.inspection.Rules.RemindEvery = 24 * time.Hour
	r.inspection.Lanes, r.inspection.Parked = 2, 2
	r.parks(0, 2)
	r.at(50*time.Hour, func() {
		status := r.status()
		require.Equal(t, "parked", status.State)
		require.Equal(t, r.begin.UTC().Format(time.RFC3339Nano), status.Since)
		details := r.details()
		require.Contains(t, details, "Deliveries of **crm** have been parked since "+r.begin.UTC().Format(time.DateTime))
		require.Contains(t, details, "Parked deliveries are not retried: they wait for an operator")
		require.NotContains(t, details, "are retried on the schedule")
		require.Contains(t, details, "Operators are reminded every 24h")
	})
	r.at(60*time.Hour, func() { r.inspection.Lanes, r.inspection.Parked = 0, 0 })
	r.run()
	require.Equal(t, []string{"0s delivery_parked for 0 count 2", "24h0m0s delivery_parked reminder for 0", "48h0m0s delivery_parked reminder for 0"}, r.said)
	require.LessOrEqual(t, r.lasted(), 60*time.Hour+11*time.Minute)
	require.Less(t, r.looks, 60*6+20)
}

// A redelivery that arrives may be of what was parked: then nobody waits for a look.
func TestADeliveryAfterParkedOnesIsLookedAtSoon(t *testing.T) {
	r := newReceiver(t)
	r.inspection.Lanes, r.inspection.Parked = 1, 1
	r.parks(0, 1)
	r.at(3*time.Hour, func() { r.inspection.Lanes, r.inspection.Parked = 0, 0 })
	r.deliversOne(3 * time.Hour)
	r.run()
	require.LessOrEqual(t, r.lasted(), 3*time.Hour+21*time.Second)
}

func TestAReceiverThatFailsForDaysReminds(t *testing.T) {
	for every, want := range map[time.Duration][]string{
		24 * time.Hour: {
			"5m0s delivery_failing for 300", "24h5m0s delivery_failing reminder for 86700", "48h5m0s delivery_failing reminder for 173100",
			"50h1m0s receiver_recovered delivered for 180000",
		},
		0: {"5m0s delivery_failing for 300", "50h1m0s receiver_recovered delivered for 180000"},
	} {
		r := newReceiver(t)
		r.inspection.Rules.RemindEvery = every
		r.fails(0, 0)
		r.delivers(50 * time.Hour)
		r.run()
		require.Equal(t, want, r.said)
	}
}

func TestALongOutageCostsFewLooks(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.delivers(24 * time.Hour)
	r.run()
	require.Less(t, r.looks, 24*6+10)
	require.Greater(t, r.looks, 24*5)
}

func TestFailingIsOffWhereTheConfigurationSaysSo(t *testing.T) {
	r := newReceiver(t)
	r.inspection.Rules = contract.AlertRules{}
	r.fails(0, 0)
	r.opens(time.Hour, 0)
	r.delivers(2 * time.Hour)
	r.run()
	require.Equal(t, []string{"1h0m0s breaker_open for 3600", "2h0m0s receiver_recovered delivered for 7200"}, r.said)
}

func TestRulesThatChangeHoldFromTheNextLook(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.at(30*time.Second, func() { r.inspection.Rules.FailingAfter = 2 * time.Minute })
	r.delivers(10 * time.Minute)
	r.run()
	require.Equal(t, "2m0s delivery_failing for 120", r.said[0])
}

func TestWhatIsToldMeanwhileIsNotLost(t *testing.T) {
	r := newReceiver(t)
	r.during = func(when string) {
		switch {
		case when == "operator.receiver_recovered" && len(r.said) == 2:
			r.inspection.Lanes, r.drained = 7, false
			r.SignalWorkflow(contract.SignalHealth, r.failing(contract.HealthBreakerOpen, r.lasted()))
		case when == "operator.delivery_parked" && len(r.said) < 6:
			r.parks(0, 2)
		}
	}
	r.opens(0, 0)
	r.delivers(time.Minute)
	r.delivers(4 * time.Minute)
	r.parks(5*time.Minute, 1)
	r.run()
	require.Equal(t, []string{
		"0s breaker_open for 0", "2m0s receiver_recovered delivered for 60", "2m0s breaker_open for 0",
		"5m0s receiver_recovered delivered for 120", "5m0s delivery_parked for 0 count 1", "6m0s delivery_parked for 0 count 2",
	}, r.said)
}

func TestOperatorsAreToldUntilTemporalTakesIt(t *testing.T) {
	r := newReceiver(t)
	r.refuse = 5
	r.opens(0, 0)
	r.delivers(4 * time.Minute)
	r.run()
	require.Equal(t, []string{"0s breaker_open for 0", "5m0s receiver_recovered delivered for 240"}, r.said)
}

// Should it never be taken, what comes after must not wait for ever.
func TestAnAlertThatIsNeverTakenKeepsNothingBack(t *testing.T) {
	r := newReceiver(t)
	r.refuse = 1000
	r.opens(0, 0)
	r.at(3*time.Hour, func() {
		require.Empty(t, r.said)
		require.True(t, r.status().Alerts[0].GivenUp)
		r.refuse = 0
	})
	r.delivers(5 * time.Hour)
	r.run()
	require.Equal(t, []string{"5h1m0s receiver_recovered delivered for 18000"}, r.said)
}

func TestAnAlertHasAnIdentityOfItsOwn(t *testing.T) {
	r := newReceiver(t)
	r.opens(0, 0)
	r.delivers(10 * time.Minute)
	r.run()
	require.Len(t, r.ids, 3)
	require.NotEqual(t, r.ids[0], r.ids[1])
	require.NotEqual(t, r.ids[1], r.ids[2])
}

func TestSignalsThatAreNoTellingsChangeNothing(t *testing.T) {
	r := newReceiver(t)
	r.at(0, func() { r.SignalWorkflow(contract.SignalHealth, "nonsense") })
	r.at(0, func() { r.SignalWorkflow("redeliver", json.RawMessage(`{}`)) })
	r.at(0, func() { r.SignalWorkflow(contract.SignalHealth, json.RawMessage(`{"health":"splendid"}`)) })
	r.run()
	require.Empty(t, r.said)
}

func TestATellingMayLeaveOutTimes(t *testing.T) {
	r := newReceiver(t)
	r.tell(0, contract.HealthReport{Health: contract.HealthBreakerOpen})
	r.tell(time.Minute, contract.HealthReport{Health: contract.HealthDelivered})
	r.at(time.Minute, func() { r.inspection.Lanes = 0 })
	r.run()
	require.Equal(t, []string{"0s breaker_open for 0", "2m0s receiver_recovered delivered for 60"}, r.said)
}

func TestAPersonMaySilenceAReceiver(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.at(time.Minute, r.CancelWorkflow)
	r.run()
	require.Empty(t, r.said)
	require.Equal(t, time.Minute, r.lasted())
}

// A run that continues another one has said what that one has.
func TestALongEpisodeContinuesAsNew(t *testing.T) {
	r := newReceiver(t)
	r.opens(0, 0)
	r.parks(time.Minute, 2)
	for i := range 40 {
		r.at(10*time.Minute+time.Duration(i)*time.Millisecond, func() {
			for range 100 {
				r.SignalWorkflowSkippingWorkflowTask(contract.SignalHealth, r.failing(contract.HealthFailing, 0))
			}
		})
	}
	r.fails(10*time.Minute+time.Second, 0)
	r.begin = r.Now()
	r.ExecuteWorkflow(contract.WorkflowReceiver, contract.ReceiverStart{Call: "crm"})
	var again *workflow.ContinueAsNewError
	require.True(t, errors.As(r.GetWorkflowError(), &again), "%v", r.GetWorkflowError())
	require.Equal(t, contract.WorkflowReceiver, again.WorkflowType.Name)
	require.Len(t, again.Input.GetPayloads(), 2)
	var carried workflows.CarriedReceiver
	require.NoError(t, json.Unmarshal(again.Input.GetPayloads()[1].GetData(), &carried))
	require.Equal(t, []string{"0s breaker_open for 0", "1m0s delivery_parked for 60 count 2", "5m0s delivery_failing for 300"}, r.said)

	next := newReceiver(t)
	next.hold.off, next.begin, next.said = true, r.begin, r.said
	next.SetStartTime(r.Now())
	next.delivers(time.Minute)
	next.env.goOn(contract.WorkflowReceiver, contract.ReceiverStart{Call: "crm"}, &carried)
	require.NoError(t, next.GetWorkflowError())
	require.Len(t, next.said, 4)
	require.Equal(t, "12m1s receiver_recovered delivered for 661", next.said[3])
}
