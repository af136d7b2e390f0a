package activities_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"segue/alerts"
	"segue/contract"
	"segue/interaction"
)

// healthReports are the reports that Temporal has received.
type healthReports struct {
	mu   sync.Mutex
	list []string
}

func (l *healthReports) add(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, text)
}

func (l *healthReports) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.list...)
}

// await waits until there are n reports.
func (l *healthReports) await(t *testing.T, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(l.all()) >= n }, time.Minute, time.Millisecond)
}

// withReporter gives the fixture a reporter, and returns what it reports.
func (f *fixture) withReporter(t *testing.T) *healthReports {
	t.Helper()
	reports := &healthReports{}
	f.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, contract.SignalHealth, mock.Anything, mock.Anything, contract.WorkflowReceiver, mock.Anything).
		Run(func(args mock.Arguments) {
			report := args.Get(3).(contract.HealthReport)
			reports.add(fmt.Sprintf("%s %s %d", args.Get(1), report.Health, report.Parked))
		}).Return(nil, nil).Maybe()
	f.temporal.On("SignalWorkflow", mock.Anything, mock.Anything, "", contract.SignalHealth, mock.Anything).Run(func(args mock.Arguments) {
		reports.add(fmt.Sprintf("%s %s", args.Get(1), args.Get(4).(contract.HealthReport).Health))
	}).Return(nil).Maybe()
	f.Alerts = alerts.New(alerts.Options{
		Temporal: f.temporal, TaskQueue: "segue", Rules: func() contract.AlertRules { return contract.AlertRules{FailingAfter: time.Nanosecond} },
	})
	t.Cleanup(func() { f.Alerts.Close(context.Background()) })
	f.renew()
	return reports
}

func (f *fixture) inspect(t *testing.T, call string) contract.Inspection {
	t.Helper()
	value, err := f.ExecuteActivity(contract.ActivityInspect, contract.InspectInput{Call: call})
	require.NoError(t, err)
	var got contract.Inspection
	require.NoError(t, value.Get(&got))
	return got
}

func TestInspectCountsWaitingLanes(t *testing.T) {
	f := newFixture(t)
	f.TaskQueue = "segue"
	const lanes = "WorkflowType = 'Delivery' AND ExecutionStatus = 'Running' AND TaskQueue = 'segue' AND SegueCall = 'crm' AND WorkflowId STARTS_WITH 'delivery/'"
	for query, count := range map[string]int64{lanes: 12, lanes + " AND SegueParked > 0": 3} {
		f.temporal.On("CountWorkflow", mock.Anything, &workflowservice.CountWorkflowExecutionsRequest{Query: query}).
			Return(&workflowservice.CountWorkflowExecutionsResponse{Count: count}, nil).Once()
	}
	assert.Equal(t, contract.Inspection{
		Rules: contract.AlertRules{FailingAfter: 5 * time.Minute, RecoveredAfter: time.Minute, RemindEvery: 24 * time.Hour}, Counted: true, Lanes: 12, Parked: 3,
	}, f.inspect(t, "crm"))
}

func TestInspectReturnsTheRulesWithoutCounts(t *testing.T) {
	f := newFixture(t)
	f.temporal.On("CountWorkflow", mock.Anything, mock.Anything).Return(nil, errors.New("no lists today")).Once()
	got := f.inspect(t, "crm")
	assert.False(t, got.Counted)
	assert.Equal(t, 5*time.Minute, got.Rules.FailingAfter)
	assert.False(t, f.inspect(t, "a' OR 'b").Counted, "Temporal is not queried")
}

func TestInspectReturnsWhenThisProcessDeliveredAndFailed(t *testing.T) {
	f := newFixture(t)
	f.withReporter(t)
	f.temporal.On("CountWorkflow", mock.Anything, mock.Anything).Return(&workflowservice.CountWorkflowExecutionsResponse{}, nil)
	f.attempt(t, f.batch("crm", 1))
	got := f.inspect(t, "crm")
	assert.WithinDuration(t, time.Now(), got.Delivered, 10*time.Second)
	assert.Zero(t, got.Failed)
	f.receiver.answer(503)
	f.renew()
	f.attempt(t, f.batch("bi", 1))
	assert.WithinDuration(t, time.Now(), f.inspect(t, "bi").Failed, 10*time.Second)
}

var receiverOwner = contract.Owner{Receiver: "segue/crm", FirstRunID: "run-9"}

func alertInput(call string) contract.AlertInput {
	owner := receiverOwner
	owner.Receiver = contract.ReceiverName("segue", call)
	return contract.AlertInput{Owner: owner, Turn: interaction.Turn{Events: []interaction.Event{{
		Sequence: 2, Moment: interaction.MomentDeliveryFailing, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Fields: contract.AlertFacts{Call: call, Lanes: 4, Since: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC),
			Failure: contract.Failure{Class: "http_5xx", Code: 503, Interaction: "i-7"}}.Fields(),
	}}}}
}

func (f *fixture) alert(t *testing.T, in contract.AlertInput) (contract.AlertResult, error) {
	t.Helper()
	var result contract.AlertResult
	value, err := f.ExecuteActivity(contract.ActivityAlert, in)
	if err == nil {
		require.NoError(t, value.Get(&result))
	}
	return result, err
}

// appendsAlerts makes appends to lanes of alerts end with a result, and returns the appends.
func (f *fixture) appendsAlerts(result error) (appended *[]contract.HandOver) {
	appended = &[]contract.HandOver{}
	f.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.MatchedBy(func(id string) bool { return strings.HasPrefix(id, "alert/segue/crm/") }),
		contract.SignalAppend, mock.Anything, mock.Anything, contract.WorkflowDelivery, mock.Anything).
		Run(func(args mock.Arguments) { *appended = append(*appended, args.Get(3).(contract.HandOver)) }).Return(nil, result)
	return appended
}

func TestAlertsGoToLanesOfTheirOwn(t *testing.T) {
	f := newFixture(t)
	appended := f.appendsAlerts(nil)
	result, err := f.alert(t, alertInput("crm"))
	require.NoError(t, err)
	require.Len(t, result.Deliveries, 3)
	assert.Equal(t, contract.StatusInLane, result.Deliveries[0].Status)
	assert.Equal(t, contract.StatusDelivered, result.Deliveries[1].Status)
	require.Len(t, *appended, 2)
	request := (*appended)[0].Requests[0]
	assert.Equal(t, receiverOwner, (*appended)[0].Owner)
	assert.Equal(t, `{"text":"crm: http_5xx 503 of i-7","since":"2026-01-02T03:00:00Z","lanes":4}`, request.Body)
	assert.Equal(t, contract.DeliveryID(receiverOwner, &interaction.Event{Sequence: 2}, "pager"), request.ID)
	assert.Equal(t, request.ID, result.Deliveries[0].ID)
	assert.Equal(t, "operator.delivery_failing", request.Moment)
	assert.Equal(t, "bi", (*appended)[1].Call)

	options := f.lanesStarted()[0].Arguments.Get(4).(client.StartWorkflowOptions)
	assert.Equal(t, "alert/segue/crm/pager", options.ID)
	assert.Equal(t, "pager for alerts about segue/crm", options.StaticSummary)
	call, _ := options.TypedSearchAttributes.GetKeyword(contract.AttributeCall)
	assert.Equal(t, "pager", call)
	_, ok := options.TypedSearchAttributes.GetKeyword(contract.AttributeInteraction)
	assert.False(t, ok, "it belongs to no interaction")

	again, err := f.alert(t, alertInput("crm"))
	require.NoError(t, err)
	assert.Equal(t, result, again)
	assert.Equal(t, (*appended)[:2], (*appended)[2:], "a repeat gives the same, which the lane knows")
}

func TestAnAlertCanBeRenderedAgain(t *testing.T) {
	f := newFixture(t)
	appended := f.appendsAlerts(nil)
	_, err := f.alert(t, alertInput("crm"))
	require.NoError(t, err)
	first := (*appended)[0].Requests[0]
	value, err := f.ExecuteActivity(contract.ActivityRender, contract.RenderInput{Owner: receiverOwner, Request: first})
	require.NoError(t, err)
	var got contract.Request
	require.NoError(t, value.Get(&got))
	assert.Equal(t, first.WithoutSource(), got)
}

func TestACallSendsNoAlertsAboutItself(t *testing.T) {
	f := newFixture(t)
	result, err := f.alert(t, alertInput("pager"))
	require.NoError(t, err)
	require.Len(t, result.Deliveries, 1)
	assert.Equal(t, "quiet", result.Deliveries[0].Call)
}

func TestAlertFailsIfALaneCannotBeAppendedTo(t *testing.T) {
	f := newFixture(t)
	appended := f.appendsAlerts(errors.New("unavailable"))
	_, err := f.alert(t, alertInput("crm"))
	require.ErrorContains(t, err, "unavailable")
	assert.Len(t, *appended, 2, "a failed append stops no other")
}

func TestAttemptsReportAFailingReceiver(t *testing.T) {
	f := newFixture(t)
	reports := f.withReporter(t)
	f.receiver.answer(503)
	f.attempt(t, f.batch("crm", 1))
	reports.await(t, 1)
	f.receiver.answer(200)
	in := f.batch("crm", 1)
	in.Number = 2
	f.renew()
	f.attempt(t, in)
	reports.await(t, 2)
	assert.Equal(t, []string{"receiver/segue/crm failing 0", "receiver/segue/crm delivered"}, reports.all())
}

func TestAttemptsReportAnOpenBreaker(t *testing.T) {
	f := newFixture(t)
	reports := f.withReporter(t)
	f.receiver.Close()
	for i := range 5 {
		in := f.batch("crm", 1)
		in.Requests[0].ID = fmt.Sprint(i)
		f.renew()
		f.attempt(t, in)
	}
	require.Eventually(t, func() bool { return slices.Contains(reports.all(), "receiver/segue/crm breaker_open 0") }, time.Minute, time.Millisecond)
}

// A final outcome in a lane is parked. One in an interaction is parked once the lane has it.
func TestAParkedDeliveryIsReportedOnce(t *testing.T) {
	f := newFixture(t)
	reports := f.withReporter(t)
	f.receiver.answer(410)
	in := f.batch("crm", 1)
	outcomes := f.attempt(t, in)
	assert.Empty(t, reports.all(), "the lane does not have it yet")
	f.expectAppend("crm", nil).Once()
	f.renew()
	_, err := f.ExecuteActivity(contract.ActivityHandOver, contract.HandOver{Owner: owner, Call: "crm", Requests: in.Requests, Failed: &outcomes[0]})
	require.NoError(t, err)
	inLane := f.batch("bi", 1)
	inLane.InLane = true
	f.renew()
	f.attempt(t, inLane)
	assert.Equal(t, []string{"receiver/segue/crm  1", "receiver/segue/bi  1"}, reports.all())
}

func TestDispatchReportsAFailingReceiver(t *testing.T) {
	f := newFixture(t)
	reports := f.withReporter(t)
	f.know(t, "crm")
	f.receiver.answer(503)
	f.dispatch(t, turns("interaction_starts"))
	reports.await(t, 1)
	assert.Equal(t, []string{"receiver/segue/crm failing 0"}, reports.all())
}

// A call that sends alerts is not reported when it fails for an alert.
func TestAFailingAlertRaisesNoAlert(t *testing.T) {
	f := newFixture(t)
	reports := f.withReporter(t)
	for _, code := range []int{503, 410} {
		f.receiver.answer(code)
		in := f.batch("pager", 1)
		in.Owner, in.InLane = receiverOwner, true
		in.Requests[0].ID = fmt.Sprint(code)
		f.renew()
		f.attempt(t, in)
	}
	f.Alerts.Close(t.Context())
	assert.Empty(t, reports.all())
}
