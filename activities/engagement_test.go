package activities_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"segue/config"
	"segue/contract"
	"segue/interaction"
)

var begun = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// encoded is the answer of a query.
type encoded struct{ json.RawMessage }

func (e encoded) HasValue() bool   { return true }
func (e encoded) Get(to any) error { return json.Unmarshal(e.RawMessage, to) }

var _ converter.EncodedValue = encoded{}

// engagementFixture has a backend. The queries of the interaction and of the lane of engage are answered with JSON,
// or with an error.
func engagementFixture(t *testing.T, answers map[string]any) *fixture {
	t.Helper()
	f := newFixture(t)
	set, err := config.Parse("test.yaml", []byte("engagement: {backend: '"+f.receiver.URL+"'}"))
	require.NoError(t, err)
	f.Config = config.NewStore(set).Current
	f.renew()
	missing := serviceerror.NewNotFound("no such workflow")
	for _, one := range []string{"interaction/default/i-1 state", "interaction/default/i-1 deliveries", "delivery/default/i-1/engage deliveries"} {
		workflow, query, _ := strings.Cut(one, " ")
		call := f.temporal.On("QueryWorkflow", mock.Anything, workflow, "", query)
		switch answer := answers[one].(type) {
		case nil:
			call.Return(nil, missing).Maybe()
		case error:
			call.Return(nil, answer).Maybe()
		default:
			text, err := json.Marshal(answer)
			require.NoError(t, err)
			call.Return(encoded{text}, nil).Maybe()
		}
	}
	return f
}

// stateOf is the state of an interaction with so many attempts.
func stateOf(state interaction.State, attempts int, started time.Time) contract.State {
	return contract.State{Status: interaction.Status{
		Facts: interaction.Facts{ID: "i-1", ContactCenter: "default", State: state, StartedAt: started}, Engagement: &interaction.Engagement{Attempts: attempts},
	}}
}

// callback is the second attempt of a callback about the first invitation.
func (f *fixture) callback(call string) contract.AttemptInput {
	in := f.batch(call, 1)
	r := &in.Requests[0]
	r.URL, r.Moment, r.At = f.receiver.URL+"/backend/data/gateway/"+call, call, time.Now()
	r.Engagement = &contract.EngagementAttempt{Interaction: "i-1", FirstRunID: "run-1", StartedAt: begun, Number: 1}
	in.Number, in.InLane = 2, true
	return in
}

const (
	ofState = "interaction/default/i-1 state"
	ofList  = "interaction/default/i-1 deliveries"
	ofLane  = "delivery/default/i-1/engage deliveries"
)

func records(status contract.DeliveryStatus, call string) []contract.DeliveryRecord {
	return []contract.DeliveryRecord{{ID: "m", Call: call, Moment: call, Status: status}}
}

func TestACallbackIsSentOnlyWhileItIsTrue(t *testing.T) {
	engaging, ended := stateOf(interaction.StateEngaging, 1, begun), stateOf(interaction.StateCompleted, 1, begun)
	untilAgo := func(ago time.Duration) contract.State {
		state := engaging
		state.EngagedUntil = new(time.Now().Add(-ago))
		return state
	}
	for name, test := range map[string]struct {
		call    string
		answers map[string]any
		age     time.Duration
		class   string
	}{
		"engage, open":                       {"engage", map[string]any{ofState: engaging}, 0, "ok"},
		"engage, until later":                {"engage", map[string]any{ofState: untilAgo(-time.Minute)}, 0, "ok"},
		"engage, timer due":                  {"engage", map[string]any{ofState: untilAgo(time.Second)}, 0, "ok"},
		"engage, terminated":                 {"engage", map[string]any{ofState: untilAgo(2 * time.Minute)}, 0, "outdated"},
		"engage, withdrawn":                  {"engage", map[string]any{ofState: ended}, 0, "outdated"},
		"engage, accepted":                   {"engage", map[string]any{ofState: stateOf(interaction.StateQueued, 1, begun)}, 0, "outdated"},
		"engage, replaced":                   {"engage", map[string]any{ofState: stateOf(interaction.StateEngaging, 2, begun)}, 0, "outdated"},
		"engage, of an earlier start":        {"engage", map[string]any{ofState: stateOf(interaction.StateEngaging, 1, begun.Add(time.Minute))}, 0, "outdated"},
		"engage, dropped by Temporal":        {"engage", nil, 0, "outdated"},
		"engage, not known":                  {"engage", map[string]any{ofState: errors.New("no answer")}, 0, "held"},
		"noengage, delivered engage":         {"noengage", map[string]any{ofState: ended, ofList: records("delivered", "engage")}, 0, "ok"},
		"noengage, dropped by Temporal":      {"noengage", nil, 0, "ok"},
		"noengage, engage in flight":         {"noengage", map[string]any{ofState: ended, ofList: records("attempting", "engage")}, 0, "held"},
		"noengage, engage in flight in lane": {"noengage", map[string]any{ofState: ended, ofList: records("in_lane", "engage"), ofLane: records("attempting", "engage")}, 0, "held"},
		"noengage, engage waits for a retry": {"noengage", map[string]any{ofState: ended, ofList: records("in_lane", "engage"), ofLane: records("waiting", "engage")}, 0, "ok"},
		"noengage, others in flight":         {"noengage", map[string]any{ofState: ended, ofList: records("attempting", "crm")}, 0, "ok"},
		"noengage, not known":                {"noengage", map[string]any{ofState: ended, ofList: errors.New("no answer")}, 0, "held"},
		"noengage, invited again":            {"noengage", map[string]any{ofState: stateOf(interaction.StateEngaging, 1, begun.Add(time.Minute))}, 0, "outdated"},
		"noengage, started again alone": {"noengage", map[string]any{
			ofState: stateOf(interaction.StateStarted, 0, begun.Add(time.Minute)), ofList: records("delivered", "crm")}, 0, "ok"},
		// An engage that was begun before is over by then, also if its run was ended and still says so.
		"noengage, engage in flight for long": {"noengage", map[string]any{ofState: ended, ofList: records("attempting", "engage")}, time.Minute, "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			f := engagementFixture(t, test.answers)
			in := f.callback(test.call)
			in.Requests[0].At = in.Requests[0].At.Add(-test.age)
			outcomes := f.attempt(t, in)
			require.Len(t, outcomes, 1)
			require.Equal(t, test.class, outcomes[0].Class, outcomes[0])
			require.Equal(t, test.class == "ok", len(f.receiver.requests()) == 1)
			switch test.class {
			case "outdated":
				require.Equal(t, contract.VerdictOutdated, outcomes[0].Verdict)
				require.NotEmpty(t, outcomes[0].Message)
			case "held":
				require.Equal(t, contract.VerdictRetry, outcomes[0].Verdict)
				require.True(t, outcomes[0].Free)
				require.Positive(t, outcomes[0].RetryIn)
			}
		})
	}
}

// The workers of the version to which an interaction was pinned stop when it has ended. Nobody can answer for it then.
func TestAnEndedInteractionNeedNotAnswerForItsNoEngage(t *testing.T) {
	unanswered := errors.New("no answer")
	for first, class := range map[string]string{"run-1": "ok", "run-2": "held"} {
		f := engagementFixture(t, map[string]any{ofState: unanswered, ofList: unanswered})
		f.temporal.ExpectedCalls = slices.DeleteFunc(f.temporal.ExpectedCalls, func(c *mock.Call) bool { return c.Method == "DescribeWorkflowExecution" })
		f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, "").Return(&workflowservice.DescribeWorkflowExecutionResponse{
			WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{FirstRunId: first},
		}, nil)
		in := f.callback("noengage")
		in.Requests[0].At = time.Now().Add(-time.Hour)
		require.Equal(t, class, f.attempt(t, in)[0].Class, first)
	}
}

// A callback that an earlier version has rendered does not say its attempt.
func TestACallbackOfAnEarlierVersionIsNotSentOnceNobodyIsInvited(t *testing.T) {
	for state, class := range map[interaction.State]string{interaction.StateEngaging: "ok", interaction.StateCompleted: "outdated"} {
		f := engagementFixture(t, map[string]any{ofState: stateOf(state, 3, begun)})
		in := f.callback("engage")
		in.Requests[0].Engagement = nil
		require.Equal(t, class, f.attempt(t, in)[0].Class)
	}
}

// engagementTurns are the events of an invitation, and of its withdrawal.
func engagementTurns(moments ...interaction.Moment) *contract.DispatchInput {
	in := turns(moments...)
	for i := range in.Turns {
		turn := &in.Turns[i]
		turn.View.Interaction.StartedAt, turn.View.Interaction.State = begun, interaction.StateEngaging
		turn.Events[0].Fields = map[string]any{"ixnProfile": map[string]any{"visitID": "v"}, "cancelData": map[string]any{}, "attempt": 1.0}
		if turn.Events[0].Moment == interaction.MomentNoEngage {
			turn.View.Interaction.State = interaction.StateCompleted
		}
	}
	return in
}

func TestDispatchLeavesToAnAttemptWhatHasToBeChecked(t *testing.T) {
	for name, test := range map[string]struct {
		in    *contract.DispatchInput
		lanes map[string]contract.LaneState
		want  string
	}{
		"engage":                       {engagementTurns("engage"), nil, "1 engage delivered ok"},
		"noengage":                     {engagementTurns("noengage"), nil, "1 noengage delivered ok"},
		"noengage, engage busy":        {engagementTurns("noengage"), map[string]contract.LaneState{"engage": contract.LaneBusy}, "1 noengage waiting"},
		"noengage, engage handed over": {engagementTurns("noengage"), map[string]contract.LaneState{"engage": contract.LaneHandedOver}, "1 noengage waiting"},
		"both at once":                 {engagementTurns("engage", "noengage"), nil, "1 engage waiting, 2 noengage waiting"},
	} {
		t.Run(name, func(t *testing.T) {
			f := engagementFixture(t, nil)
			f.know(t, "engage", "noengage")
			test.in.Lanes = test.lanes
			require.Equal(t, test.want, statuses(f.dispatch(t, test.in)))
		})
	}
}

func TestACallbackSaysItsAttempt(t *testing.T) {
	f := engagementFixture(t, nil)
	for _, call := range []interaction.Moment{"engage", "noengage"} {
		in := engagementTurns(call)
		result := f.dispatch(t, in)
		require.Len(t, result.Deliveries, 1)
		r := result.Deliveries[0].Request
		require.Equal(t, contract.EngagementAttempt{ContactCenter: "default", Interaction: "i-1", FirstRunID: "run-1", StartedAt: begun, Number: 1}, *r.Engagement)
		require.Contains(t, r.Headers, contract.Header{Name: "Segue-Engagement", Value: "interaction=i-1; attempt=1; run=run-1; contact_center=default"})

		// Rendered again, perhaps in the lane of an earlier interaction with this id, it is the same.
		r.Source = contract.SourceOf(&in.Turns[0].View, &in.Turns[0].Events[0])
		earlier := owner
		earlier.FirstRunID = "run-0"
		value, err := f.ExecuteActivity(contract.ActivityRender, contract.RenderInput{Owner: earlier, Request: *r})
		require.NoError(t, err)
		var again contract.Request
		require.NoError(t, value.Get(&again))
		require.True(t, reflect.DeepEqual(r.WithoutSource(), again), "%+v", again)
		f.renew()
	}
}
