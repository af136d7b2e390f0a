package activities_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
	"segue/metrics"
	"segue/metrics/metricstest"
)

func TestDispatchCountsItsEventsAndDeliveries(t *testing.T) {
	f := newFixture(t)
	p := metricstest.New(t)
	f.Metrics = p.Instruments
	f.know(t, "crm")
	f.trip(t, "bi")
	f.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).
		Return(nil, nil).Once()
	in := turns(interaction.MomentInteractionStarts, interaction.MomentEngage, interaction.MomentNoEngage, interaction.MomentInteractionEnds)
	in.After = 1 // an earlier Dispatch has taken the start
	f.dispatch(t, in)
	require.Equal(t, map[string]float64{"when=engage": 1, "when=noengage": 1, "when=interaction_ends": 1}, p.Values("segue_events_dispatched_total"))
	require.Equal(t, map[string]float64{
		"call=once,way=attempt": 1, "call=quiet,way=recorded": 1, "call=draft,way=recorded": 1, "call=crm,way=inline": 1, "call=bi,way=lane": 1,
	}, p.Values("segue_deliveries_dispatched_total"))
	require.Equal(t, map[string]float64{"call=bi": 1}, p.Values("segue_deliveries_handed_over_total"))

	f.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).
		Return(nil, errors.New("unavailable")).Once()
	in = turns(interaction.MomentInteractionEnds)
	in.Owner.Interaction = "i-2"
	f.dispatch(t, in)
	require.Equal(t, 1.0, p.Values("segue_deliveries_dispatched_total")["call=bi,way=attempt"], "what could not be appended is left to the interaction")
	require.Equal(t, map[string]float64{"call=bi": 1}, p.Values("segue_deliveries_handed_over_total"))
}

func TestAttemptsThatSendNothingAreCounted(t *testing.T) {
	f := newFixture(t)
	p := metricstest.New(t)
	f.Metrics = p.Instruments
	f.attempt(t, f.batch("long-gone", 1))
	in := f.batch("crm", 1)
	in.Requests[0].Fault = "no value"
	require.Equal(t, contract.VerdictFinal, f.attempt(t, in)[0].Verdict)
	require.Equal(t, map[string]float64{"call=(removed),class=config": 1, "call=crm,class=render": 1}, p.Values("segue_delivery_attempts_total"),
		"the name of a call that is not configured is no label")
}

func TestTheRequestsOfAnActivityAreInFlight(t *testing.T) {
	f := newFixture(t)
	p := metricstest.New(t)
	f.Metrics = p.Instruments
	require.NoError(t, p.Observe(metrics.Sources{
		Calls: func() []string { return []string{"crm"} }, Receivers: func() []metrics.Receiver { return nil },
		Survey: func() *metrics.Survey { return nil }, Configuration: func() metrics.Configuration { return metrics.Configuration{} },
		Ready: func() bool { return true },
	}))
	in := f.batch("crm", 3)
	for i := range in.Requests {
		in.Requests[i].At = time.Now().Add(-time.Hour)
	}
	release := f.receiver.holdAnswers()
	defer release()
	done := make(chan []contract.Outcome)
	go func() { done <- f.attempt(t, in) }()
	<-f.receiver.arrived
	require.Equal(t, map[string]float64{"call=crm": 3}, p.Values("segue_deliveries_in_flight"))
	require.InDelta(t, 3600, p.Values("segue_deliveries_in_flight_oldest_age_seconds")["call=crm"], 10)
	release()
	require.Len(t, <-done, 3)
	require.Equal(t, map[string]float64{"call=crm": 0}, p.Values("segue_deliveries_in_flight"))
}
