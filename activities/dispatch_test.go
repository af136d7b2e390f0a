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

func TestUnknownReceiversAreLeftToTheWorkflow(t *testing.T) {
	d := newDesk(t)
	result := d.dispatch(t, turns("interaction_starts", "interaction_ends"))
	assert.Equal(t, "1 crm waiting, 2 crm waiting, 2 bi waiting", statuses(result))
	assert.EqualValues(t, 2, result.Through)
	assert.False(t, result.Sent)
	assert.Empty(t, d.receiver.requests())
	first := result.Deliveries[0]
	assert.Equal(t, contract.DeliveryID(owner, &interaction.Event{Sequence: 1}, "crm"), first.ID)
	require.NotNil(t, first.Request)
	assert.Equal(t, `{"id":"i-1","seq":1}`, first.Request.Body)
	assert.Equal(t, d.Config().Version, first.Request.Version)
}

func TestKnownFastReceiversAreSentToAtOnce(t *testing.T) {
	d := newDesk(t)
	d.know(t, "crm", "bi")
	in := turns("interaction_starts", "interaction_ends")
	before, err := json.Marshal(in)
	require.NoError(t, err)
	result := d.dispatch(t, in)
	assert.Equal(t, "1 crm delivered ok, 2 crm delivered ok, 2 bi delivered ok", statuses(result))
	assert.True(t, result.Sent)
	for _, delivery := range result.Deliveries {
		assert.Nil(t, delivery.Request)
		assert.Empty(t, delivery.Outcome.Excerpt)
	}
	assert.Equal(t, map[string]any{"crm_tier": "gold"}, result.Deliveries[0].Outcome.Returns)
	crm := slices.DeleteFunc(d.receiver.requests(), func(r string) bool { return !strings.HasPrefix(r, "/crm ") })
	assert.Equal(t, []string{
		"/crm " + contract.DeliveryID(owner, &interaction.Event{Sequence: 1}, "crm") + ` {"id":"i-1","seq":1}`,
		"/crm " + contract.DeliveryID(owner, &interaction.Event{Sequence: 2}, "crm") + ` {"id":"i-1","seq":2}`,
	}, crm, "in order")
	after, err := json.Marshal(in)
	require.NoError(t, err)
	assert.JSONEq(t, string(before), string(after), "the input is only read")
}

func TestADispatchThatIsRedoneSendsNothingAgain(t *testing.T) {
	d := newDesk(t)
	d.know(t, "crm", "bi")
	d.dispatch(t, turns("interaction_starts"))
	d.receiver.answer(500)
	redone := turns("interaction_starts", "interaction_ends")
	for range 2 {
		result := d.dispatch(t, redone)
		assert.Equal(t, "1 crm delivered ok, 2 crm waiting http_5xx, 2 bi waiting http_5xx", statuses(result))
		assert.True(t, result.Sent)
	}
	assert.Len(t, d.receiver.requests(), 3)
}

func TestBehindAFailureTheLaneWaits(t *testing.T) {
	d := newDesk(t)
	d.know(t, "crm")
	d.receiver.answer(503)
	result := d.dispatch(t, turns("interaction_starts", "interaction_starts", "interaction_ends"))
	assert.Equal(t, "1 crm waiting http_5xx, 2 crm waiting, 3 crm waiting, 3 bi waiting", statuses(result))
	assert.Len(t, d.receiver.requests(), 1)
	failed := result.Deliveries[0]
	assert.NotNil(t, failed.Request)
	assert.Equal(t, contract.VerdictRetry, failed.Outcome.Verdict)
	assert.Equal(t, 10, failed.Outcome.Of)
	assert.NotZero(t, failed.Outcome.RetryIn)
}

// Two receivers, each of which answers only when the other has been asked too.
func TestLanesRunSideBySide(t *testing.T) {
	d := newDesk(t)
	d.know(t, "crm", "bi")
	release := d.receiver.holdAnswers()
	var both sync.WaitGroup
	both.Go(func() {
		<-d.receiver.arrived
		<-d.receiver.arrived
		release()
	})
	result := d.dispatch(t, turns("interaction_ends"))
	both.Wait()
	assert.Equal(t, "1 crm delivered ok, 1 bi delivered ok", statuses(result))
}

func TestARequestThatOutlastsDispatchIsAdopted(t *testing.T) {
	d := newDesk(t)
	d.know(t, "crm")
	release := d.receiver.holdAnswers()
	begin := time.Now()
	result := d.dispatch(t, turns("interaction_starts", "interaction_starts"))
	assert.Less(t, time.Since(begin), time.Second)
	assert.Equal(t, "1 crm waiting in_flight, 2 crm waiting", statuses(result))
	assert.Equal(t, contract.VerdictInFlight, result.Deliveries[0].Outcome.Verdict)
	assert.True(t, result.Sent)

	again := d.dispatch(t, turns("interaction_starts", "interaction_starts"))
	assert.Equal(t, "1 crm waiting in_flight, 2 crm waiting", statuses(again), "redone while it runs")
	call, _ := d.Config().Call("crm")
	assert.False(t, d.Sender.Health(call.Policy).Inline(), "slow from now on")
	release()
	outcomes := d.attempt(t, contract.AttemptInput{
		Owner: owner, Call: "crm", Number: 1,
		Requests: []contract.Request{*result.Deliveries[0].Request, *result.Deliveries[1].Request},
	})
	require.Len(t, outcomes, 2)
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
	assert.Equal(t, contract.VerdictDelivered, outcomes[1].Verdict)
	assert.Len(t, d.receiver.requests(), 2)
}

func TestNoMoreThanAFewAreSentAtOnce(t *testing.T) {
	d := newDesk(t)
	d.know(t, "crm", "bi")
	nine := slices.Repeat([]interaction.Moment{"interaction_starts"}, 9)
	d.dispatch(t, turns(nine...))
	assert.Empty(t, d.receiver.requests(), "nine events wait")

	five := slices.Repeat([]interaction.Moment{"interaction_ends"}, 5)
	in := turns(five...)
	in.Owner.Interaction = "i-2"
	result := d.dispatch(t, in)
	assert.Len(t, d.receiver.requests(), 8)
	assert.Equal(t, "4 crm delivered ok, 4 bi delivered ok, 5 crm waiting, 5 bi waiting", statuses(contract.DispatchResult{Deliveries: result.Deliveries[6:]}))
}

// The events of several commands come together, and most of them fire nothing.
func TestEventsThatFireNothingDoNotCount(t *testing.T) {
	d := newDesk(t)
	d.know(t, "crm", "bi")
	many := slices.Repeat([]interaction.Moment{"fault", "noengage"}, 10)
	result := d.dispatch(t, turns(append(many, "interaction_ends")...))
	sent := result.Deliveries[len(result.Deliveries)-2:]
	assert.Equal(t, "21 crm delivered ok, 21 bi delivered ok", statuses(contract.DispatchResult{Deliveries: sent}))
}

func TestWhatMayNotBeRepeatedIsNotSentAtOnce(t *testing.T) {
	d := newDesk(t)
	d.know(t, "once")
	assert.Equal(t, "1 once waiting", statuses(d.dispatch(t, turns("engage"))))
	assert.Empty(t, d.receiver.requests())
}

func TestACallThatIsNotInlineIsNotSentAtOnce(t *testing.T) {
	d := newDesk(t)
	d.know(t, "later", "crm")
	result := d.dispatch(t, turns("script_signal", "interaction_starts"))
	assert.Equal(t, "1 later waiting, 2 crm delivered ok", statuses(result))
	assert.Len(t, d.receiver.requests(), 1)
	outcomes := d.attempt(t, contract.AttemptInput{
		Owner: owner, Call: "later", Number: 1, Requests: []contract.Request{*result.Deliveries[0].Request},
	})
	require.Len(t, outcomes, 1)
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
	assert.Len(t, d.receiver.requests(), 2)
}

func TestBusyLanes(t *testing.T) {
	d := newDesk(t)
	d.know(t, "crm", "bi")
	in := turns("interaction_ends")
	in.Lanes = map[string]contract.LaneState{"crm": contract.LaneBusy}
	assert.Equal(t, "1 crm waiting, 1 bi delivered ok", statuses(d.dispatch(t, in)))
}

func TestDryRunsAreRecorded(t *testing.T) {
	d := newDesk(t)
	result := d.dispatch(t, turns("noengage"))
	assert.Equal(t, "1 quiet delivered dry_run, 1 draft delivered dry_run", statuses(result))
	require.NotNil(t, result.Deliveries[1].Request, "what would have been sent stands in the history")
	assert.Equal(t, d.receiver.URL+"/draft", result.Deliveries[1].Request.URL)
	assert.Equal(t, `{"seq":1}`, result.Deliveries[1].Request.Body)
	assert.False(t, result.Sent)
	assert.Empty(t, d.receiver.requests())
}

func TestEventsThatFireNothing(t *testing.T) {
	d := newDesk(t)
	result := d.dispatch(t, turns("fault", "fault"))
	assert.Empty(t, result.Deliveries)
	assert.EqualValues(t, 2, result.Through)
}

func TestConfigurationIsTold(t *testing.T) {
	d := newDesk(t)
	in := turns("fault")
	result := d.dispatch(t, in)
	assert.Equal(t, d.Config().Version, result.Version)
	require.NotNil(t, result.Rules)
	assert.Equal(t, 45*time.Second, result.Rules.Offer)
	in.Known = result.Rules
	assert.Nil(t, d.dispatch(t, in).Rules)
}

func TestDispatchStopsWhenItsResultIsLarge(t *testing.T) {
	d := newDesk(t)
	in := turns("fault", "user_data_changed", "user_data_changed", "user_data_changed", "fault")
	for i := range in.Turns {
		in.Turns[i].View.UserData = map[string]any{"large": strings.Repeat("x", 100<<10)}
	}
	in.Turns[2].View.UserData["large"] = strings.Repeat("x", 250<<10)
	for _, through := range []int64{2, 3, 5} {
		result := d.dispatch(t, in)
		assert.Equal(t, through, result.Through)
		assert.Len(t, result.Deliveries, 1)
		in.After = result.Through
	}
}

func TestHandedOverLanesAreAppendedTo(t *testing.T) {
	d := newDesk(t)
	d.know(t, "crm", "bi")
	d.expectAppend("crm", nil).Once()
	in := turns("interaction_starts", "interaction_ends")
	in.Lanes = map[string]contract.LaneState{"crm": contract.LaneHandedOver}
	result := d.dispatch(t, in)
	assert.Equal(t, "1 crm in_lane, 2 crm in_lane, 2 bi delivered ok", statuses(result))
	assert.Nil(t, result.Deliveries[0].Request)
	appended := d.lanesStarted()[0].Arguments.Get(3).(contract.HandOver)
	assert.Equal(t, []int64{1, 2}, []int64{appended.Requests[0].Sequence, appended.Requests[1].Sequence})
}

func TestWhatCannotBeSentIsHandedOver(t *testing.T) {
	d := newDesk(t)
	d.trip(t, "crm")
	d.expectAppend("crm", nil).Once()
	d.expectAppend("strict", nil).Once()
	result := d.dispatch(t, turns("interaction_starts", "survey"))
	assert.Equal(t, "1 crm in_lane, 2 strict in_lane", statuses(result))
	assert.True(t, result.Sent)
	fault := d.lanesStarted()[1].Arguments.Get(3).(contract.HandOver)
	assert.NotEmpty(t, fault.Requests[0].Fault)
}

func TestWithoutTemporalTheWorkflowHandsOver(t *testing.T) {
	d := newDesk(t)
	d.trip(t, "crm")
	d.expectAppend("crm", errors.New("unavailable")).Once() // and no second try in the same Dispatch
	in := turns("interaction_starts", "interaction_starts", "survey", "interaction_ends")
	in.Lanes = map[string]contract.LaneState{"bi": contract.LaneHandedOver}
	result := d.dispatch(t, in)
	assert.Equal(t, "1 crm waiting breaker_open, 2 crm waiting, 3 strict waiting render, 4 crm waiting, 4 bi waiting", statuses(result))
	assert.True(t, result.Deliveries[0].Outcome.Free)
	assert.Equal(t, contract.VerdictRetry, result.Deliveries[0].Outcome.Verdict)
	assert.Equal(t, contract.VerdictFinal, result.Deliveries[2].Outcome.Verdict)
	for _, delivery := range result.Deliveries {
		assert.NotNil(t, delivery.Request)
	}
	assert.False(t, result.Sent)
}

func (d *desk) expectAppend(call string, err error) *mock.Call {
	return d.temporal.On("SignalWithStartWorkflow", mock.Anything, contract.DeliveryWorkflowID(owner, call), "append",
		mock.Anything, mock.Anything, "Delivery", contract.DeliveryStart{Owner: owner, Call: call}).Return(nil, err)
}
