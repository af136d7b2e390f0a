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

// tellings are what the desk's watch has told Temporal.
type tellings struct {
	mu   sync.Mutex
	list []string
}

func (l *tellings) add(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, text)
}

func (l *tellings) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.list...)
}

// await waits until there are so many.
func (l *tellings) await(t *testing.T, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(l.all()) >= n }, 5*time.Second, time.Millisecond)
}

// watched gives the desk a watch.
func (d *desk) watched(t *testing.T) *tellings {
	t.Helper()
	told := &tellings{}
	d.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, contract.SignalHealth, mock.Anything, mock.Anything, contract.WorkflowReceiver, mock.Anything).
		Run(func(args mock.Arguments) {
			telling := args.Get(3).(contract.HealthReport)
			told.add(fmt.Sprintf("%s %s %d", args.Get(1), telling.Health, telling.Parked))
		}).Return(nil, nil).Maybe()
	d.temporal.On("SignalWorkflow", mock.Anything, mock.Anything, "", contract.SignalHealth, mock.Anything).Run(func(args mock.Arguments) {
		told.add(fmt.Sprintf("%s %s", args.Get(1), args.Get(4).(contract.HealthReport).Health))
	}).Return(nil).Maybe()
	d.Alerts = alerts.New(alerts.Options{
		Temporal: d.temporal, TaskQueue: "segue", Rules: func() contract.AlertRules { return contract.AlertRules{FailingAfter: time.Nanosecond} },
	})
	t.Cleanup(func() { d.Alerts.Close(context.Background()) })
	d.renew()
	return told
}

func (d *desk) inspect(t *testing.T, call string) contract.Inspection {
	t.Helper()
	value, err := d.ExecuteActivity(contract.ActivityInspect, contract.InspectInput{Call: call})
	require.NoError(t, err)
	var got contract.Inspection
	require.NoError(t, value.Get(&got))
	return got
}

func TestInspectCountsWhatWaits(t *testing.T) {
	d := newDesk(t)
	d.TaskQueue = "segue"
	const lanes = "WorkflowType = 'Delivery' AND ExecutionStatus = 'Running' AND TaskQueue = 'segue' AND SegueCall = 'crm' AND WorkflowId STARTS_WITH 'delivery/'"
	for query, count := range map[string]int64{lanes: 12, lanes + " AND SegueParked > 0": 3} {
		d.temporal.On("CountWorkflow", mock.Anything, &workflowservice.CountWorkflowExecutionsRequest{Query: query}).
			Return(&workflowservice.CountWorkflowExecutionsResponse{Count: count}, nil).Once()
	}
	assert.Equal(t, contract.Inspection{
		Rules: contract.AlertRules{FailingAfter: 5 * time.Minute, RecoveredAfter: time.Minute, RemindEvery: 24 * time.Hour}, Counted: true, Lanes: 12, Parked: 3,
	}, d.inspect(t, "crm"))
}

func TestInspectAnswersAlsoWhenNothingCanBeCounted(t *testing.T) {
	d := newDesk(t)
	d.temporal.On("CountWorkflow", mock.Anything, mock.Anything).Return(nil, errors.New("no lists today")).Once()
	got := d.inspect(t, "crm")
	assert.False(t, got.Counted)
	assert.Equal(t, 5*time.Minute, got.Rules.FailingAfter)
	assert.False(t, d.inspect(t, "a' OR 'b").Counted, "nobody is asked")
}

func TestInspectTellsWhatThisProcessHasSeen(t *testing.T) {
	d := newDesk(t)
	d.watched(t)
	d.temporal.On("CountWorkflow", mock.Anything, mock.Anything).Return(&workflowservice.CountWorkflowExecutionsResponse{}, nil)
	d.attempt(t, d.batch("crm", 1))
	got := d.inspect(t, "crm")
	assert.WithinDuration(t, time.Now(), got.Delivered, 10*time.Second)
	assert.Zero(t, got.Failed)
	d.receiver.answer(503)
	d.renew()
	d.attempt(t, d.batch("bi", 1))
	assert.WithinDuration(t, time.Now(), d.inspect(t, "bi").Failed, 10*time.Second)
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

func (d *desk) alert(t *testing.T, in contract.AlertInput) (contract.AlertResult, error) {
	t.Helper()
	var result contract.AlertResult
	value, err := d.ExecuteActivity(contract.ActivityAlert, in)
	if err == nil {
		require.NoError(t, value.Get(&result))
	}
	return result, err
}

// appendsAlerts lets lanes of alerts take what they are given, and gives it.
func (d *desk) appendsAlerts(result error) (appended *[]contract.HandOver) {
	appended = &[]contract.HandOver{}
	d.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.MatchedBy(func(id string) bool { return strings.HasPrefix(id, "alert/segue/crm/") }),
		contract.SignalAppend, mock.Anything, mock.Anything, contract.WorkflowDelivery, mock.Anything).
		Run(func(args mock.Arguments) { *appended = append(*appended, args.Get(3).(contract.HandOver)) }).Return(nil, result)
	return appended
}

func TestAlertsGoToLanesOfTheirOwn(t *testing.T) {
	d := newDesk(t)
	appended := d.appendsAlerts(nil)
	result, err := d.alert(t, alertInput("crm"))
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

	options := d.lanesStarted()[0].Arguments.Get(4).(client.StartWorkflowOptions)
	assert.Equal(t, "alert/segue/crm/pager", options.ID)
	assert.Equal(t, "pager for alerts about segue/crm", options.StaticSummary)
	call, _ := options.TypedSearchAttributes.GetKeyword(contract.AttributeCall)
	assert.Equal(t, "pager", call)
	_, ok := options.TypedSearchAttributes.GetKeyword(contract.AttributeInteraction)
	assert.False(t, ok, "it is nobody's interaction")

	again, err := d.alert(t, alertInput("crm"))
	require.NoError(t, err)
	assert.Equal(t, result, again)
	assert.Equal(t, (*appended)[:2], (*appended)[2:], "a repeat gives the same, which the lane knows")
}

// It can be rendered anew like any other, with the configuration of then.
func TestAnAlertIsRenderedAnew(t *testing.T) {
	d := newDesk(t)
	appended := d.appendsAlerts(nil)
	_, err := d.alert(t, alertInput("crm"))
	require.NoError(t, err)
	first := (*appended)[0].Requests[0]
	value, err := d.ExecuteActivity(contract.ActivityRender, contract.RenderInput{Owner: receiverOwner, Request: first})
	require.NoError(t, err)
	var got contract.Request
	require.NoError(t, value.Get(&got))
	assert.Equal(t, first.WithoutSource(), got)
}

func TestACallHearsNothingAboutItself(t *testing.T) {
	d := newDesk(t)
	result, err := d.alert(t, alertInput("pager"))
	require.NoError(t, err)
	require.Len(t, result.Deliveries, 1)
	assert.Equal(t, "quiet", result.Deliveries[0].Call)
}

func TestAnAlertThatIsNotTakenIsTriedAgain(t *testing.T) {
	d := newDesk(t)
	appended := d.appendsAlerts(errors.New("unavailable"))
	_, err := d.alert(t, alertInput("crm"))
	require.ErrorContains(t, err, "unavailable")
	assert.Len(t, *appended, 2, "one that is not taken keeps no other back")
}

func TestAttemptsTellOfAFailingReceiver(t *testing.T) {
	d := newDesk(t)
	told := d.watched(t)
	d.receiver.answer(503)
	d.attempt(t, d.batch("crm", 1))
	told.await(t, 1)
	d.receiver.answer(200)
	in := d.batch("crm", 1)
	in.Number = 2
	d.renew()
	d.attempt(t, in)
	told.await(t, 2)
	assert.Equal(t, []string{"receiver/segue/crm failing 0", "receiver/segue/crm delivered"}, told.all())
}

func TestAttemptsTellOfAnOpenBreaker(t *testing.T) {
	d := newDesk(t)
	told := d.watched(t)
	d.receiver.Close()
	for i := range 5 {
		in := d.batch("crm", 1)
		in.Requests[0].ID = fmt.Sprint(i)
		d.renew()
		d.attempt(t, in)
	}
	require.Eventually(t, func() bool { return slices.Contains(told.all(), "receiver/segue/crm breaker_open 0") }, 5*time.Second, time.Millisecond)
}

// In a lane what is final is parked; an interaction's is, once the lane has it.
func TestWhatIsParkedIsToldOnce(t *testing.T) {
	d := newDesk(t)
	told := d.watched(t)
	d.receiver.answer(410)
	in := d.batch("crm", 1)
	outcomes := d.attempt(t, in)
	assert.Empty(t, told.all(), "the lane does not have it yet")
	d.expectAppend("crm", nil).Once()
	d.renew()
	_, err := d.ExecuteActivity(contract.ActivityHandOver, contract.HandOver{Owner: owner, Call: "crm", Requests: in.Requests, Failed: &outcomes[0]})
	require.NoError(t, err)
	inLane := d.batch("bi", 1)
	inLane.InLane = true
	d.renew()
	d.attempt(t, inLane)
	assert.Equal(t, []string{"receiver/segue/crm  1", "receiver/segue/bi  1"}, told.all())
}

func TestDispatchTellsOfWhatItSends(t *testing.T) {
	d := newDesk(t)
	told := d.watched(t)
	d.know(t, "crm")
	d.receiver.answer(503)
	d.dispatch(t, turns("interaction_starts"))
	told.await(t, 1)
	assert.Equal(t, []string{"receiver/segue/crm failing 0"}, told.all())
}

// An alert that fails raises none, whatever its call fails at besides.
func TestAnAlertThatFailsRaisesNone(t *testing.T) {
	d := newDesk(t)
	told := d.watched(t)
	for _, code := range []int{503, 410} {
		d.receiver.answer(code)
		in := d.batch("pager", 1)
		in.Owner, in.InLane = receiverOwner, true
		in.Requests[0].ID = fmt.Sprint(code)
		d.renew()
		d.attempt(t, in)
	}
	d.Alerts.Close(t.Context())
	assert.Empty(t, told.all())
}
