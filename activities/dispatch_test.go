package activities_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

func TestDeliveriesToUnknownReceiversWait(t *testing.T) {
	f := newFixture(t)
	result := f.dispatch(t, turns("interaction_starts", "interaction_ends"))
	assert.Equal(t, "1 crm waiting, 2 crm waiting, 2 bi waiting", statuses(result))
	assert.EqualValues(t, 2, result.Through)
	assert.False(t, result.Sent)
	assert.Empty(t, f.receiver.requests())
	first := result.Deliveries[0]
	assert.Equal(t, contract.DeliveryID(owner, &interaction.Event{Sequence: 1}, "crm"), first.ID)
	require.NotNil(t, first.Request)
	assert.Equal(t, `{"id":"i-1","seq":1}`, first.Request.Body)
	assert.Equal(t, f.Config().Version, first.Request.Version)
}

func TestDeliveriesToFastReceiversAreSentInline(t *testing.T) {
	f := newFixture(t)
	f.know(t, "crm", "bi")
	in := turns("interaction_starts", "interaction_ends")
	before, err := json.Marshal(in)
	require.NoError(t, err)
	result := f.dispatch(t, in)
	assert.Equal(t, "1 crm delivered ok, 2 crm delivered ok, 2 bi delivered ok", statuses(result))
	assert.True(t, result.Sent)
	for _, delivery := range result.Deliveries {
		assert.Nil(t, delivery.Request)
		assert.Empty(t, delivery.Outcome.Excerpt)
	}
	assert.Equal(t, map[string]any{"crm_tier": "gold"}, result.Deliveries[0].Outcome.Returns)
	crm := slices.DeleteFunc(f.receiver.requests(), func(r string) bool { return !strings.HasPrefix(r, "/crm ") })
	assert.Equal(t, []string{
		"/crm " + contract.DeliveryID(owner, &interaction.Event{Sequence: 1}, "crm") + ` {"id":"i-1","seq":1}`,
		"/crm " + contract.DeliveryID(owner, &interaction.Event{Sequence: 2}, "crm") + ` {"id":"i-1","seq":2}`,
	}, crm, "in order")
	after, err := json.Marshal(in)
	require.NoError(t, err)
	assert.JSONEq(t, string(before), string(after), "the input is only read")
}

func TestARepeatedDispatchSendsNothingAgain(t *testing.T) {
	f := newFixture(t)
	f.know(t, "crm", "bi")
	f.dispatch(t, turns("interaction_starts"))
	f.receiver.answer(500)
	redone := turns("interaction_starts", "interaction_ends")
	for range 2 {
		result := f.dispatch(t, redone)
		assert.Equal(t, "1 crm delivered ok, 2 crm waiting http_5xx, 2 bi waiting http_5xx", statuses(result))
		assert.True(t, result.Sent)
	}
	assert.Len(t, f.receiver.requests(), 3)
}

func TestTheLaneBehindAFailureWaits(t *testing.T) {
	f := newFixture(t)
	f.know(t, "crm")
	f.receiver.answer(503)
	result := f.dispatch(t, turns("interaction_starts", "interaction_starts", "interaction_ends"))
	assert.Equal(t, "1 crm waiting http_5xx, 2 crm waiting, 3 crm waiting, 3 bi waiting", statuses(result))
	assert.Len(t, f.receiver.requests(), 1)
	failed := result.Deliveries[0]
	assert.NotNil(t, failed.Request)
	assert.Equal(t, contract.VerdictRetry, failed.Outcome.Verdict)
	assert.Equal(t, 10, failed.Outcome.Of)
	assert.NotZero(t, failed.Outcome.RetryIn)
}

// Each of two receivers responds only after the other has received its request.
func TestLanesAreSentInParallel(t *testing.T) {
	f := newFixture(t)
	f.know(t, "crm", "bi")
	release := f.receiver.holdAnswers()
	var both sync.WaitGroup
	both.Go(func() {
		<-f.receiver.arrived
		<-f.receiver.arrived
		release()
	})
	result := f.dispatch(t, turns("interaction_ends"))
	both.Wait()
	assert.Equal(t, "1 crm delivered ok, 1 bi delivered ok", statuses(result))
}

func TestARequestThatOutlastsDispatchIsAdoptedByAttempt(t *testing.T) {
	f := newFixture(t)
	f.know(t, "crm")
	release := f.receiver.holdAnswers()
	begin := time.Now()
	result := f.dispatch(t, turns("interaction_starts", "interaction_starts"))
	assert.Less(t, time.Since(begin), time.Second)
	assert.Equal(t, "1 crm waiting in_flight, 2 crm waiting", statuses(result))
	assert.Equal(t, contract.VerdictInFlight, result.Deliveries[0].Outcome.Verdict)
	assert.True(t, result.Sent)

	again := f.dispatch(t, turns("interaction_starts", "interaction_starts"))
	assert.Equal(t, "1 crm waiting in_flight, 2 crm waiting", statuses(again), "repeated while the request is in flight")
	call, _ := f.Config().Call("crm")
	assert.False(t, f.Sender.Health(call.Policy).Inline(), "slow from now on")
	release()
	outcomes := f.attempt(t, contract.AttemptInput{
		Owner: owner, Call: "crm", Number: 1,
		Requests: []contract.Request{*result.Deliveries[0].Request, *result.Deliveries[1].Request},
	})
	require.Len(t, outcomes, 2)
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
	assert.Equal(t, contract.VerdictDelivered, outcomes[1].Verdict)
	assert.Len(t, f.receiver.requests(), 2)
}

func TestDispatchSendsAtMostEightRequests(t *testing.T) {
	f := newFixture(t)
	f.know(t, "crm", "bi")
	nine := slices.Repeat([]interaction.Moment{"interaction_starts"}, 9)
	f.dispatch(t, turns(nine...))
	assert.Empty(t, f.receiver.requests(), "nine events wait")

	five := slices.Repeat([]interaction.Moment{"interaction_ends"}, 5)
	in := turns(five...)
	in.Owner.Interaction = "i-2"
	result := f.dispatch(t, in)
	assert.Len(t, f.receiver.requests(), 8)
	assert.Equal(t, "4 crm delivered ok, 4 bi delivered ok, 5 crm waiting, 5 bi waiting", statuses(contract.DispatchResult{Deliveries: result.Deliveries[6:]}))
}

// A Dispatch gets the events of several commands, and most of them fire nothing.
func TestEventsThatFireNothingDoNotPreventInlineSending(t *testing.T) {
	f := newFixture(t)
	f.know(t, "crm", "bi")
	many := slices.Repeat([]interaction.Moment{"fault", "noengage"}, 10)
	result := f.dispatch(t, turns(append(many, "interaction_ends")...))
	sent := result.Deliveries[len(result.Deliveries)-2:]
	assert.Equal(t, "21 crm delivered ok, 21 bi delivered ok", statuses(contract.DispatchResult{Deliveries: sent}))
}

func TestACallThatIsNotIdempotentIsNotSentInline(t *testing.T) {
	f := newFixture(t)
	f.know(t, "once")
	assert.Equal(t, "1 once waiting", statuses(f.dispatch(t, turns("engage"))))
	assert.Empty(t, f.receiver.requests())
}

func TestACallWithInlineOffIsNotSentInline(t *testing.T) {
	f := newFixture(t)
	f.know(t, "later", "crm")
	result := f.dispatch(t, turns("script_signal", "interaction_starts"))
	assert.Equal(t, "1 later waiting, 2 crm delivered ok", statuses(result))
	assert.Len(t, f.receiver.requests(), 1)
	outcomes := f.attempt(t, contract.AttemptInput{
		Owner: owner, Call: "later", Number: 1, Requests: []contract.Request{*result.Deliveries[0].Request},
	})
	require.Len(t, outcomes, 1)
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
	assert.Len(t, f.receiver.requests(), 2)
}

func TestTheDeliveriesOfABusyLaneWait(t *testing.T) {
	f := newFixture(t)
	f.know(t, "crm", "bi")
	in := turns("interaction_ends")
	in.Lanes = map[string]contract.LaneState{"crm": contract.LaneBusy}
	assert.Equal(t, "1 crm waiting, 1 bi delivered ok", statuses(f.dispatch(t, in)))
}

func TestDryRunsAreRecorded(t *testing.T) {
	f := newFixture(t)
	result := f.dispatch(t, turns("noengage"))
	assert.Equal(t, "1 quiet delivered dry_run, 1 draft delivered dry_run", statuses(result))
	require.NotNil(t, result.Deliveries[1].Request, "the history has what would have been sent")
	assert.Equal(t, f.receiver.URL+"/draft", result.Deliveries[1].Request.URL)
	assert.Equal(t, `{"seq":1}`, result.Deliveries[1].Request.Body)
	assert.False(t, result.Sent)
	assert.Empty(t, f.receiver.requests())
}

func TestEventsThatFireNothing(t *testing.T) {
	f := newFixture(t)
	result := f.dispatch(t, turns("fault", "fault"))
	assert.Empty(t, result.Deliveries)
	assert.EqualValues(t, 2, result.Through)
}

func TestDispatchReturnsTheRulesIfTheyChanged(t *testing.T) {
	f := newFixture(t)
	in := turns("fault")
	result := f.dispatch(t, in)
	assert.Equal(t, f.Config().Version, result.Version)
	require.NotNil(t, result.Rules)
	assert.Equal(t, 45*time.Second, result.Rules.Offer)
	in.Known = result.Rules
	assert.Nil(t, f.dispatch(t, in).Rules)
}

func TestDispatchStopsBeforeItsResultIsTooLarge(t *testing.T) {
	f := newFixture(t)
	in := turns("fault", "user_data_changed", "user_data_changed", "user_data_changed", "fault")
	for i := range in.Turns {
		in.Turns[i].View.UserData = map[string]any{"large": strings.Repeat("x", 100<<10)}
	}
	in.Turns[2].View.UserData["large"] = strings.Repeat("x", 250<<10)
	for _, through := range []int64{2, 3, 5} {
		result := f.dispatch(t, in)
		assert.Equal(t, through, result.Through)
		assert.Len(t, result.Deliveries, 1)
		in.After = result.Through
	}
}

func TestDeliveriesOfAHandedOverLaneAreAppended(t *testing.T) {
	f := newFixture(t)
	f.know(t, "crm", "bi")
	f.expectAppend("crm", nil).Once()
	in := turns("interaction_starts", "interaction_ends")
	in.Lanes = map[string]contract.LaneState{"crm": contract.LaneHandedOver}
	result := f.dispatch(t, in)
	assert.Equal(t, "1 crm in_lane, 2 crm in_lane, 2 bi delivered ok", statuses(result))
	assert.Nil(t, result.Deliveries[0].Request)
	appended := f.lanesStarted()[0].Arguments.Get(3).(contract.HandOver)
	assert.Equal(t, []int64{1, 2}, []int64{appended.Requests[0].Sequence, appended.Requests[1].Sequence})
}

func TestADeliveryThatFailsUnsentIsHandedOver(t *testing.T) {
	f := newFixture(t)
	f.trip(t, "crm")
	f.expectAppend("crm", nil).Once()
	f.expectAppend("strict", nil).Once()
	result := f.dispatch(t, turns("interaction_starts", "survey"))
	assert.Equal(t, "1 crm in_lane, 2 strict in_lane", statuses(result))
	assert.True(t, result.Sent)
	fault := f.lanesStarted()[1].Arguments.Get(3).(contract.HandOver)
	assert.NotEmpty(t, fault.Requests[0].Fault)
}

func TestDeliveriesWaitIfTheyCannotBeAppended(t *testing.T) {
	f := newFixture(t)
	f.trip(t, "crm")
	f.expectAppend("crm", errors.New("unavailable")).Once() // the same Dispatch does not try again
	in := turns("interaction_starts", "interaction_starts", "survey", "interaction_ends")
	in.Lanes = map[string]contract.LaneState{"bi": contract.LaneHandedOver}
	result := f.dispatch(t, in)
	assert.Equal(t, "1 crm waiting breaker_open, 2 crm waiting, 3 strict waiting render, 4 crm waiting, 4 bi waiting", statuses(result))
	assert.True(t, result.Deliveries[0].Outcome.Free)
	assert.Equal(t, contract.VerdictRetry, result.Deliveries[0].Outcome.Verdict)
	assert.Equal(t, contract.VerdictFinal, result.Deliveries[2].Outcome.Verdict)
	for _, delivery := range result.Deliveries {
		assert.NotNil(t, delivery.Request)
	}
	assert.False(t, result.Sent)
}

func (f *fixture) expectAppend(call string, err error) *mock.Call {
	return f.temporal.On("SignalWithStartWorkflow", mock.Anything, contract.DeliveryWorkflowID(owner, call), "append",
		mock.Anything, mock.Anything, "Delivery", contract.DeliveryStart{Owner: owner, Call: call}).Return(nil, err)
}
