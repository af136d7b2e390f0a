package workflows_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/workflows"
)

func TestOperatorsAreNotifiedOnceOfALongFailureAndOfItsRecovery(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	for i := range 500 { // 20 workers, again and again
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
	require.Equal(t, []string{"5m0s delivery_failing for 300", "1h1m0s receiver_recovered delivered for 3600"}, r.notified)
	require.Equal(t, time.Hour+time.Minute, r.lasted())
	require.Equal(t, map[string]any{
		"call": "crm", "class": "http_5xx", "code": 503.0, "message": "HTTP 503", "since": r.begin.UTC().Format(time.RFC3339Nano),
		"failing_for": 300.0, "count": 0.0, "lanes": 7.0, "parked": 0.0, "contact_center": "cc", "interaction": "i-1", "delivery": "d1",
	}, r.events[0])
}

func TestAShortFailureNotifiesNobody(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.delivers(4 * time.Minute)
	r.run()
	require.Empty(t, r.notified)
	require.Equal(t, 5*time.Minute, r.lasted())
}

// Each delivery restarts the time: a receiver that delivers does not fail for long.
func TestAFlappingReceiverNotifiesNobody(t *testing.T) {
	r := newReceiver(t)
	for i := range 20 {
		begin := time.Duration(i) * 4 * time.Minute
		r.fails(begin, begin)
		r.delivers(begin + 210*time.Second)
	}
	r.run()
	require.Empty(t, r.notified)
}

func TestAFlappingBreakerNotifiesOnce(t *testing.T) {
	r := newReceiver(t)
	for i := range 20 {
		begin := time.Duration(i) * 20 * time.Second
		r.opens(begin, begin)
		r.delivers(begin + 15*time.Second)
	}
	r.run()
	require.Equal(t, []string{"0s breaker_open for 0", "7m35s receiver_recovered delivered for 395"}, r.notified)
}

func TestAnOutageNotifiesOfTheBreakerAndOfTheFailure(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.opens(time.Minute, 0)
	r.delivers(10 * time.Minute)
	r.fails(20*time.Minute, 20*time.Minute) // another outage, of which nobody is notified
	r.run()
	require.Equal(t, []string{"1m0s breaker_open for 60", "5m0s delivery_failing for 300", "11m0s receiver_recovered delivered for 600"}, r.notified)
}

// Workers report failures that began earlier, and the clock of one is ahead.
func TestTheTimeCountsFromTheFirstFailure(t *testing.T) {
	r := newReceiver(t)
	r.SetStartTime(time.Now())
	r.fails(0, -4*time.Minute)
	r.fails(time.Second, 10*time.Minute)
	r.delivers(10 * time.Minute)
	r.run()
	require.Equal(t, "1m0s delivery_failing for 300", r.notified[0])
}

// A worker reports failures late, after another worker has delivered.
func TestFailuresBeforeADeliveryDoNotCount(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.delivers(2 * time.Minute)
	r.fails(150*time.Second, 0)
	r.delivers(10 * time.Minute)
	r.run()
	require.Equal(t, []string{"7m0s delivery_failing for 300", "11m0s receiver_recovered delivered for 600"}, r.notified)
}

func TestParkedDeliveriesNotifyAtOnceThenOnceAMinute(t *testing.T) {
	r := newReceiver(t)
	r.parks(0, 1)
	for i := range 100 {
		r.parks(time.Duration(i+1)*time.Second, 50)
	}
	r.at(2*time.Second, func() { require.Equal(t, "parked", r.status().State) })
	r.run()
	require.Equal(t, []string{"0s delivery_parked for 0 count 1", "1m0s delivery_parked for 0 count 2950", "2m0s delivery_parked for 0 count 2050"}, r.notified)
	require.Equal(t, 3*time.Minute+10*time.Second, r.lasted(), "the workflow stays open, so the next notification is not too soon")
	require.Equal(t, 1.0, r.events[0]["parked"], "the list of lanes lags behind")
	require.Equal(t, "gone", r.events[0]["class"])
	require.Equal(t, "i-9", r.events[0]["interaction"])
}

func TestParkedDeliveriesDoNotHideAnOutage(t *testing.T) {
	r := newReceiver(t)
	r.inspection.Parked = 3
	r.at(2*time.Hour, func() { r.inspection.Parked = 0 })
	r.fails(0, 0)
	r.parks(3*time.Minute, 1)
	r.delivers(8 * time.Minute)
	r.run()
	require.Equal(t, []string{"3m0s delivery_parked for 180 count 1", "5m0s delivery_failing for 300", "9m0s receiver_recovered delivered for 480"}, r.notified)
	require.Equal(t, 3.0, r.events[1]["parked"])
}

// The worker that reported the failure has died; another one delivers, and knows of no outage.
func TestAnInspectionFindsThatAnotherWorkerDelivers(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	for _, after := range []time.Duration{29 * time.Minute, 35 * time.Minute} {
		r.at(after, func() { r.inspection.Delivered = r.Now() })
	}
	r.run()
	require.Equal(t, "5m0s delivery_failing for 300", r.notified[0])
	require.Len(t, r.notified, 2)
	require.Contains(t, r.notified[1], "receiver_recovered delivered")
	require.LessOrEqual(t, r.lasted(), 41*time.Minute)
}

// No worker is left that could report the recovery.
func TestAnInspectionFindsThatNothingWaits(t *testing.T) {
	r := newReceiver(t)
	r.opens(0, 0)
	r.at(90*time.Minute, func() { r.inspection.Lanes = 0 })
	r.run()
	require.Len(t, r.notified, 3)
	require.Contains(t, r.notified[2], "receiver_recovered nothing_waits")
	require.LessOrEqual(t, r.lasted(), 102*time.Minute)
}

func TestOneEmptyListIsNotEnough(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.at(290*time.Second, func() { r.inspection.Lanes = 0 })
	r.at(305*time.Second, func() { r.inspection.Lanes = 2 })
	r.delivers(10 * time.Minute)
	r.run()
	require.Equal(t, []string{"5m10s delivery_failing for 310", "11m0s receiver_recovered delivered for 600"}, r.notified)
}

// The receiver fails and nothing waits: an operator discarded it.
func TestAFailureForWhichNothingWaitsNotifiesNobody(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.at(time.Second, func() { r.inspection.Lanes = 0 })
	r.run()
	require.Empty(t, r.notified)
	require.LessOrEqual(t, r.lasted(), 3*time.Minute)
}

func TestOperatorsAreNotifiedWhenNothingCanBeCounted(t *testing.T) {
	r := newReceiver(t)
	r.inspection = contract.Inspection{Rules: r.inspection.Rules}
	r.fails(0, 0)
	r.at(30*time.Hour, func() { require.Len(t, r.notified, 1) })
	r.delivers(31 * time.Hour)
	r.delivers(31*time.Hour + 2*time.Minute)
	r.run()
	require.Equal(t, "31h2m0s receiver_recovered delivered for 111600", r.notified[1])
}

// Between two retries nothing happens: that is no sign of a recovery.
func TestASilentGapIsNoRecovery(t *testing.T) {
	r := newReceiver(t)
	r.inspection.Lanes = 150
	r.fails(0, 0)
	r.deliversOne(time.Hour)
	r.at(80*time.Minute, func() {
		require.Equal(t, "recovering", r.status().State)
		require.Len(t, r.notified, 1)
	})
	r.fails(90*time.Minute, 90*time.Minute)
	r.deliversOne(2 * time.Hour)
	r.deliversOne(2*time.Hour + 30*time.Second)
	r.deliversOne(2*time.Hour + 90*time.Second)
	r.run()
	require.Equal(t, []string{
		"5m0s delivery_failing for 300", "2h1m30s receiver_recovered delivered for 7200",
	}, r.notified)
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
		require.Contains(t, details, "Operators are reminded every 24h.")
	})
	r.at(60*time.Hour, func() { r.inspection.Lanes, r.inspection.Parked = 0, 0 })
	r.run()
	require.Equal(t, []string{"0s delivery_parked for 0 count 2", "24h0m0s delivery_parked reminder for 0", "48h0m0s delivery_parked reminder for 0"}, r.notified)
	require.LessOrEqual(t, r.lasted(), 60*time.Hour+11*time.Minute)
	require.Less(t, r.inspections, 60*6+20)
}

// A delivery may be one that was parked: the next inspection comes soon.
func TestADeliveryAfterParkedOnesIsInspectedSoon(t *testing.T) {
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
		require.Equal(t, want, r.notified)
	}
}

func TestALongOutageCostsFewInspections(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.delivers(24 * time.Hour)
	r.run()
	require.Less(t, r.inspections, 24*6+10)
	require.Greater(t, r.inspections, 24*5)
}

func TestFailingIsOffWhereTheConfigurationSaysSo(t *testing.T) {
	r := newReceiver(t)
	r.inspection.Rules = contract.AlertRules{}
	r.fails(0, 0)
	r.opens(time.Hour, 0)
	r.delivers(2 * time.Hour)
	r.run()
	require.Equal(t, []string{"1h0m0s breaker_open for 3600", "2h0m0s receiver_recovered delivered for 7200"}, r.notified)
}

func TestChangedRulesApplyFromTheNextInspection(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.at(30*time.Second, func() { r.inspection.Rules.FailingAfter = 2 * time.Minute })
	r.delivers(10 * time.Minute)
	r.run()
	require.Equal(t, "2m0s delivery_failing for 120", r.notified[0])
}

func TestReportsDuringANotificationAreNotLost(t *testing.T) {
	r := newReceiver(t)
	r.during = func(moment string) {
		switch {
		case moment == "operator.receiver_recovered" && len(r.notified) == 2:
			r.inspection.Lanes, r.drained = 7, false
			r.SignalWorkflow(contract.SignalHealth, r.failing(contract.HealthBreakerOpen, r.lasted()))
		case moment == "operator.delivery_parked" && len(r.notified) < 6:
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
	}, r.notified)
}

func TestANotificationIsRetriedUntilTemporalAcceptsIt(t *testing.T) {
	r := newReceiver(t)
	r.refuse = 5
	r.opens(0, 0)
	r.delivers(4 * time.Minute)
	r.run()
	require.Equal(t, []string{"0s breaker_open for 0", "5m0s receiver_recovered delivered for 240"}, r.notified)
}

// A notification that is never accepted must not hold back the next ones.
func TestANotificationThatIsNeverAcceptedHoldsBackNothing(t *testing.T) {
	r := newReceiver(t)
	r.refuse = 1000
	r.opens(0, 0)
	r.at(3*time.Hour, func() {
		require.Empty(t, r.notified)
		require.True(t, r.status().Alerts[0].GivenUp)
		r.refuse = 0
	})
	r.delivers(5 * time.Hour)
	r.run()
	require.Equal(t, []string{"5h1m0s receiver_recovered delivered for 18000"}, r.notified)
}

func TestEachNotificationHasItsOwnIdentity(t *testing.T) {
	r := newReceiver(t)
	r.opens(0, 0)
	r.delivers(10 * time.Minute)
	r.run()
	require.Len(t, r.ids, 3)
	require.NotEqual(t, r.ids[0], r.ids[1])
	require.NotEqual(t, r.ids[1], r.ids[2])
}

func TestSignalsThatAreNotHealthReportsChangeNothing(t *testing.T) {
	r := newReceiver(t)
	r.at(0, func() { r.SignalWorkflow(contract.SignalHealth, "nonsense") })
	r.at(0, func() { r.SignalWorkflow("redeliver", json.RawMessage(`{}`)) })
	r.at(0, func() { r.SignalWorkflow(contract.SignalHealth, json.RawMessage(`{"health":"splendid"}`)) })
	r.run()
	require.Empty(t, r.notified)
}

func TestAHealthReportMayOmitTimes(t *testing.T) {
	r := newReceiver(t)
	r.reports(0, contract.HealthReport{Health: contract.HealthBreakerOpen})
	r.reports(time.Minute, contract.HealthReport{Health: contract.HealthDelivered})
	r.at(time.Minute, func() { r.inspection.Lanes = 0 })
	r.run()
	require.Equal(t, []string{"0s breaker_open for 0", "2m0s receiver_recovered delivered for 60"}, r.notified)
}

func TestACancellationSilencesAReceiver(t *testing.T) {
	r := newReceiver(t)
	r.fails(0, 0)
	r.at(time.Minute, r.CancelWorkflow)
	r.run()
	require.Empty(t, r.notified)
	require.Equal(t, time.Minute, r.lasted())
}

// The next run does not repeat notifications.
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
	require.Equal(t, []string{"0s breaker_open for 0", "1m0s delivery_parked for 60 count 2", "5m0s delivery_failing for 300"}, r.notified)

	next := newReceiver(t)
	next.hold.off, next.begin, next.notified = true, r.begin, r.notified
	next.SetStartTime(r.Now())
	next.delivers(time.Minute)
	next.env.goOn(contract.WorkflowReceiver, contract.ReceiverStart{Call: "crm"}, &carried)
	require.NoError(t, next.GetWorkflowError())
	require.Len(t, next.notified, 4)
	require.Equal(t, "12m1s receiver_recovered delivered for 661", next.notified[3])
}
