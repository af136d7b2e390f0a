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

func (d *desk) attempt(t *testing.T, in contract.AttemptInput) []contract.Outcome {
	t.Helper()
	value, err := d.ExecuteActivity(contract.ActivityAttempt, in)
	require.NoError(t, err)
	var result contract.AttemptResult
	require.NoError(t, value.Get(&result))
	return result.Outcomes
}

func (d *desk) batch(call string, n int) contract.AttemptInput {
	in := contract.AttemptInput{Owner: owner, Call: call, Number: 1}
	for i := range n {
		in.Requests = append(in.Requests, contract.Request{
			ID: contract.DeliveryID(owner, &interaction.Event{Sequence: int64(i + 1)}, call), Call: call, Sequence: int64(i + 1),
			Method: "POST", URL: d.receiver.URL + "/" + call, Body: fmt.Sprint(i + 1),
		})
	}
	return in
}

func TestAttemptSendsInOrderAndHeartbeats(t *testing.T) {
	d := newDesk(t)
	var beats []int
	d.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		var done []contract.Outcome
		if assert.NoError(t, details.Get(&done)) {
			beats = append(beats, len(done))
		}
	})
	in := d.batch("crm", 3)
	outcomes := d.attempt(t, in)
	require.Len(t, outcomes, 3)
	for i, o := range outcomes {
		assert.Equal(t, contract.VerdictDelivered, o.Verdict)
		assert.Equal(t, in.Requests[i].ID, o.ID)
		assert.True(t, strings.HasSuffix(d.receiver.requests()[i], in.Requests[i].ID+" "+in.Requests[i].Body))
	}
	require.NotEmpty(t, beats)
	assert.Equal(t, 1, beats[0])
}

func TestAttemptStopsAtTheFirstThatFails(t *testing.T) {
	d := newDesk(t)
	d.receiver.answer(503)
	in := d.batch("crm", 3)
	in.Number = 2
	outcomes := d.attempt(t, in)
	require.Len(t, outcomes, 1)
	assert.Equal(t, contract.VerdictRetry, outcomes[0].Verdict)
	assert.InDelta(t, float64(5*time.Minute), float64(outcomes[0].RetryIn), float64(time.Minute), "after the second attempt")
	assert.Len(t, d.receiver.requests(), 1)
}

func TestAttemptResumesBehindItsHeartbeat(t *testing.T) {
	d := newDesk(t)
	in := d.batch("crm", 3)
	d.SetHeartbeatDetails([]contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictDelivered, Class: "ok", Code: 204}})
	outcomes := d.attempt(t, in)
	require.Len(t, outcomes, 3)
	assert.Equal(t, 204, outcomes[0].Code)
	requests := d.receiver.requests()
	require.Len(t, requests, 2)
	assert.Contains(t, requests[0], in.Requests[1].ID)
}

func TestAttemptDistrustsHeartbeatsOfSomethingElse(t *testing.T) {
	for _, details := range []any{
		"nonsense",
		[]contract.Outcome{{ID: "another", Verdict: contract.VerdictDelivered}},
	} {
		d := newDesk(t)
		d.SetHeartbeatDetails(details)
		assert.Len(t, d.attempt(t, d.batch("crm", 2)), 2)
		assert.Len(t, d.receiver.requests(), 2)
	}
}

func TestARepeatOfAnAttemptAdoptsWhatThisProcessSent(t *testing.T) {
	d := newDesk(t)
	d.receiver.answer(503)
	in := d.batch("crm", 1)
	first := d.attempt(t, in)
	d.renew() // the same activity once more: its result was lost on the way
	second := d.attempt(t, in)
	assert.Equal(t, first[0].At, second[0].At)
	assert.Len(t, d.receiver.requests(), 1)
}

// An operator redelivers: the schedule starts anew, and so does the number.
func TestARedeliverySendsAgain(t *testing.T) {
	d := newDesk(t)
	d.know(t, "crm")
	d.receiver.answer(400)
	result := d.dispatch(t, turns("interaction_starts"))
	require.Equal(t, "1 crm waiting http_4xx", statuses(result))
	d.receiver.answer(200)
	outcomes := d.attempt(t, contract.AttemptInput{Owner: owner, Call: "crm", Number: 1, Requests: []contract.Request{*result.Deliveries[0].Request}})
	assert.Equal(t, "ok", outcomes[0].Class)
	requests := d.receiver.requests()
	require.Len(t, requests, 2)
	assert.Equal(t, requests[0], requests[1], "the same id and bytes")
}

func TestFaultsArePartOfTheResult(t *testing.T) {
	d := newDesk(t)
	in := d.batch("crm", 2)
	in.Requests[0].Fault = "json.x: has no value"
	outcomes := d.attempt(t, in)
	require.Len(t, outcomes, 1)
	assert.Equal(t, "render", outcomes[0].Class)
	assert.Equal(t, contract.VerdictFinal, outcomes[0].Verdict)
	assert.Equal(t, "json.x: has no value", outcomes[0].Message)
	assert.Equal(t, 720*time.Hour, outcomes[0].Retention)

	outcomes = d.attempt(t, d.batch("draft", 1))
	assert.Equal(t, "config", outcomes[0].Class, "it was made before the call became a dry run")
	assert.Equal(t, contract.VerdictFinal, outcomes[0].Verdict)

	empty, err := config.Parse("test.yaml", nil)
	require.NoError(t, err)
	d.Config = func() *config.Set { return empty }
	outcomes = d.attempt(t, d.batch("crm", 1))
	assert.Equal(t, "config", outcomes[0].Class)
	assert.Equal(t, contract.VerdictFinal, outcomes[0].Verdict)
	assert.Empty(t, d.receiver.requests())
}

func TestAnOpenBreakerCostsNoAttempt(t *testing.T) {
	d := newDesk(t)
	d.trip(t, "crm")
	in := d.batch("crm", 2)
	in.Number = 10 // the last of the schedule
	outcomes := d.attempt(t, in)
	require.Len(t, outcomes, 1)
	assert.Equal(t, "breaker_open", outcomes[0].Class)
	assert.Equal(t, contract.VerdictRetry, outcomes[0].Verdict)
	assert.True(t, outcomes[0].Free)
	assert.Greater(t, outcomes[0].RetryIn, 5*time.Second)
}

// A worker that stops finishes the request under way and reports it.
func TestAStoppingWorkerStartsNoFurtherRequest(t *testing.T) {
	d := newDesk(t)
	stop := make(chan struct{})
	d.SetWorkerStopChannel(stop)
	release := d.receiver.holdAnswers()
	go func() {
		<-d.receiver.arrived
		close(stop)
		release()
	}()
	outcomes := d.attempt(t, d.batch("crm", 3))
	require.Len(t, outcomes, 1)
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
	assert.Len(t, d.receiver.requests(), 1)
}

// The activity's context ends (a worker at its end, a cancel) while a request is
// under way: its outcome is still worth having.
func TestAnAttemptWaitsForItsRequest(t *testing.T) {
	d := newDesk(t)
	ctx, cancel := context.WithCancel(context.Background())
	d.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	release := d.receiver.holdAnswers()
	go func() {
		<-d.receiver.arrived
		cancel()
		release()
	}()
	outcomes := d.attempt(t, d.batch("crm", 2))
	require.Len(t, outcomes, 1, "and no further one is begun")
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
}

// A call that moves to another host: what was rendered for the old one goes nowhere,
// until an operator has it rendered again or the URL is restored.
func TestWhatWasRenderedForAnotherHostIsNotSent(t *testing.T) {
	t.Setenv("SEGUE_TEST_TOKEN", "token-of-the-new-host")
	d, moved := newDesk(t), newReceiver(t)
	in := turns("interaction_starts")
	first := *d.dispatch(t, in).Deliveries[0].Request
	first.Source = contract.SourceOf(&in.Turns[0].View, &in.Turns[0].Events[0])

	before := d.Config()
	set, err := config.Parse("test.yaml", []byte(`calls: [{name: crm, method: POST, url: "`+moved.URL+`/crm", json: {id: "${interaction.id}"}, auth: {bearer: env:SEGUE_TEST_TOKEN}}]`))
	require.NoError(t, err)
	d.Config = config.NewStore(set).Current
	attempt := func(r contract.Request, number int) contract.Outcome {
		return d.attempt(t, contract.AttemptInput{Owner: owner, Call: "crm", Requests: []contract.Request{r}, Number: number})[0]
	}
	o := attempt(first, 1)
	assert.Equal(t, "config", o.Class)
	assert.Equal(t, contract.VerdictFinal, o.Verdict)
	assert.Contains(t, o.Message, d.receiver.URL)
	assert.Contains(t, o.Message, moved.URL)
	assert.Empty(t, d.receiver.requests())

	o = attempt(d.render(t, first), 2)
	assert.Equal(t, "ok", o.Class, o.Message)
	require.Len(t, moved.requests(), 1)
	assert.Contains(t, moved.requests()[0], first.ID, "under the same id")

	d.Config = func() *config.Set { return before }
	o = attempt(first, 3)
	assert.Equal(t, "ok", o.Class, o.Message)
	assert.Len(t, d.receiver.requests(), 1)
}
