package activities_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"

	"segue/config"
	"segue/contract"
	"segue/interaction"
)

func (f *fixture) attempt(t *testing.T, in contract.AttemptInput) []contract.Outcome {
	t.Helper()
	value, err := f.ExecuteActivity(contract.ActivityAttempt, in)
	require.NoError(t, err)
	var result contract.AttemptResult
	require.NoError(t, value.Get(&result))
	return result.Outcomes
}

func (f *fixture) batch(call string, n int) contract.AttemptInput {
	in := contract.AttemptInput{Owner: owner, Call: call, Number: 1}
	for i := range n {
		in.Requests = append(in.Requests, contract.Request{
			ID: contract.DeliveryID(owner, &interaction.Event{Sequence: int64(i + 1)}, call), Call: call, Sequence: int64(i + 1),
			Method: "POST", URL: f.receiver.URL + "/" + call, Body: fmt.Sprint(i + 1),
		})
	}
	return in
}

func TestAttemptSendsInOrderAndHeartbeats(t *testing.T) {
	f := newFixture(t)
	var beats []int
	f.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		var done []contract.Outcome
		if assert.NoError(t, details.Get(&done)) {
			beats = append(beats, len(done))
		}
	})
	in := f.batch("crm", 3)
	outcomes := f.attempt(t, in)
	require.Len(t, outcomes, 3)
	for i, o := range outcomes {
		assert.Equal(t, contract.VerdictDelivered, o.Verdict)
		assert.Equal(t, in.Requests[i].ID, o.ID)
		assert.True(t, strings.HasSuffix(f.receiver.requests()[i], in.Requests[i].ID+" "+in.Requests[i].Body))
	}
	require.NotEmpty(t, beats)
	assert.Equal(t, 1, beats[0])
}

func TestAttemptStopsAtTheFirstThatFails(t *testing.T) {
	f := newFixture(t)
	f.receiver.answer(503)
	in := f.batch("crm", 3)
	in.Number = 2
	outcomes := f.attempt(t, in)
	require.Len(t, outcomes, 1)
	assert.Equal(t, contract.VerdictRetry, outcomes[0].Verdict)
	assert.InDelta(t, float64(5*time.Minute), float64(outcomes[0].RetryIn), float64(time.Minute), "after the second attempt")
	assert.Len(t, f.receiver.requests(), 1)
}

func TestAttemptResumesAfterItsHeartbeat(t *testing.T) {
	f := newFixture(t)
	in := f.batch("crm", 3)
	f.SetHeartbeatDetails([]contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictDelivered, Class: "ok", Code: 204}})
	outcomes := f.attempt(t, in)
	require.Len(t, outcomes, 3)
	assert.Equal(t, 204, outcomes[0].Code)
	requests := f.receiver.requests()
	require.Len(t, requests, 2)
	assert.Contains(t, requests[0], in.Requests[1].ID)
}

func TestAttemptIgnoresHeartbeatsOfOtherRequests(t *testing.T) {
	for _, details := range []any{
		"nonsense",
		[]contract.Outcome{{ID: "another", Verdict: contract.VerdictDelivered}},
	} {
		f := newFixture(t)
		f.SetHeartbeatDetails(details)
		assert.Len(t, f.attempt(t, f.batch("crm", 2)), 2)
		assert.Len(t, f.receiver.requests(), 2)
	}
}

func TestARepeatOfAnAttemptAdoptsWhatThisProcessSent(t *testing.T) {
	f := newFixture(t)
	f.receiver.answer(503)
	in := f.batch("crm", 1)
	first := f.attempt(t, in)
	f.renew() // the same activity again: its result was lost
	second := f.attempt(t, in)
	assert.Equal(t, first[0].At, second[0].At)
	assert.Len(t, f.receiver.requests(), 1)
}

// A redelivery starts the schedule, and the number of the attempt, from the beginning.
func TestARedeliverySendsTheSameRequestAgain(t *testing.T) {
	f := newFixture(t)
	f.know(t, "crm")
	f.receiver.answer(400)
	result := f.dispatch(t, turns("interaction_starts"))
	require.Equal(t, "1 crm waiting http_4xx", statuses(result))
	f.receiver.answer(200)
	outcomes := f.attempt(t, contract.AttemptInput{Owner: owner, Call: "crm", Number: 1, Requests: []contract.Request{*result.Deliveries[0].Request}})
	assert.Equal(t, "ok", outcomes[0].Class)
	requests := f.receiver.requests()
	require.Len(t, requests, 2)
	assert.Equal(t, requests[0], requests[1], "the same id and bytes")
}

func TestAttemptReturnsFaultsAsOutcomes(t *testing.T) {
	f := newFixture(t)
	in := f.batch("crm", 2)
	in.Requests[0].Fault = "json.x: has no value"
	outcomes := f.attempt(t, in)
	require.Len(t, outcomes, 1)
	assert.Equal(t, "render", outcomes[0].Class)
	assert.Equal(t, contract.VerdictFinal, outcomes[0].Verdict)
	assert.Equal(t, "json.x: has no value", outcomes[0].Message)
	assert.Equal(t, 720*time.Hour, outcomes[0].Retention)

	outcomes = f.attempt(t, f.batch("draft", 1))
	assert.Equal(t, "config", outcomes[0].Class, "it was rendered before the call became a dry run")
	assert.Equal(t, contract.VerdictFinal, outcomes[0].Verdict)

	empty, err := config.Parse("test.yaml", nil)
	require.NoError(t, err)
	f.Config = func() *config.Set { return empty }
	outcomes = f.attempt(t, f.batch("crm", 1))
	assert.Equal(t, "config", outcomes[0].Class)
	assert.Equal(t, contract.VerdictFinal, outcomes[0].Verdict)
	assert.Empty(t, f.receiver.requests())
}

func TestAnOpenBreakerTakesNoStepOfTheSchedule(t *testing.T) {
	f := newFixture(t)
	f.trip(t, "crm")
	in := f.batch("crm", 2)
	in.Number = 10 // the last of the schedule
	outcomes := f.attempt(t, in)
	require.Len(t, outcomes, 1)
	assert.Equal(t, "breaker_open", outcomes[0].Class)
	assert.Equal(t, contract.VerdictRetry, outcomes[0].Verdict)
	assert.True(t, outcomes[0].Free)
	assert.Greater(t, outcomes[0].RetryIn, 5*time.Second)
}

// A worker that stops completes the request in flight and returns its outcome.
func TestAStoppingWorkerStartsNoFurtherRequest(t *testing.T) {
	f := newFixture(t)
	stop := make(chan struct{})
	f.SetWorkerStopChannel(stop)
	release := f.receiver.holdAnswers()
	go func() {
		<-f.receiver.arrived
		close(stop)
		release()
	}()
	outcomes := f.attempt(t, f.batch("crm", 3))
	require.Len(t, outcomes, 1)
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
	assert.Len(t, f.receiver.requests(), 1)
}

// The activity's context ends while a request is in flight, because the worker stops or the
// activity is canceled. The outcome is still returned.
func TestAnAttemptWaitsForItsRequestAfterItsContextEnded(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(context.Background())
	f.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	release := f.receiver.holdAnswers()
	go func() {
		<-f.receiver.arrived
		cancel()
		release()
	}()
	outcomes := f.attempt(t, f.batch("crm", 2))
	require.Len(t, outcomes, 1, "no further request is sent")
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
}

// When a call moves to another host, a request for the old host is not sent until an operator
// has it rendered again or the URL is restored.
func TestARequestForAnotherHostIsNotSent(t *testing.T) {
	t.Setenv("SEGUE_TEST_TOKEN", "token-of-the-new-host")
	f, moved := newFixture(t), newReceiver(t)
	in := turns("interaction_starts")
	first := *f.dispatch(t, in).Deliveries[0].Request
	first.Source = contract.SourceOf(&in.Turns[0].View, &in.Turns[0].Events[0])

	before := f.Config()
	set, err := config.Parse("test.yaml", []byte(`calls: [{name: crm, method: POST, url: "`+moved.URL+`/crm", json: {id: "${interaction.id}"}, auth: {bearer: env:SEGUE_TEST_TOKEN}}]`))
	require.NoError(t, err)
	f.Config = config.NewStore(set).Current
	attempt := func(r contract.Request, number int) contract.Outcome {
		return f.attempt(t, contract.AttemptInput{Owner: owner, Call: "crm", Requests: []contract.Request{r}, Number: number})[0]
	}
	o := attempt(first, 1)
	assert.Equal(t, "config", o.Class)
	assert.Equal(t, contract.VerdictFinal, o.Verdict)
	assert.Contains(t, o.Message, f.receiver.URL)
	assert.Contains(t, o.Message, moved.URL)
	assert.Empty(t, f.receiver.requests())

	o = attempt(f.render(t, first), 2)
	assert.Equal(t, "ok", o.Class, o.Message)
	require.Len(t, moved.requests(), 1)
	assert.Contains(t, moved.requests()[0], first.ID, "under the same id")

	f.Config = func() *config.Set { return before }
	o = attempt(first, 3)
	assert.Equal(t, "ok", o.Class, o.Message)
	assert.Len(t, f.receiver.requests(), 1)
}
