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

func TestDispatchCountsWhatItDealtWith(t *testing.T) {
	d := newDesk(t)
	p := metricstest.New(t)
	d.Metrics = p.Instruments
	d.know(t, "crm")
	d.trip(t, "bi")
	d.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).
		Return(nil, nil).Once()
	in := turns(interaction.MomentInteractionStarts, interaction.MomentEngage, interaction.MomentNoEngage, interaction.MomentInteractionEnds)
	in.After = 1 // an earlier Dispatch has dealt with the start
	d.dispatch(t, in)
	require.Equal(t, map[string]float64{"when=engage": 1, "when=noengage": 1, "when=interaction_ends": 1}, p.Values("segue_events_dispatched_total"))
	require.Equal(t, map[string]float64{
		"call=once,way=attempt": 1, "call=quiet,way=recorded": 1, "call=draft,way=recorded": 1, "call=crm,way=inline": 1, "call=bi,way=lane": 1,
	}, p.Values("segue_deliveries_dispatched_total"))
	require.Equal(t, map[string]float64{"call=bi": 1}, p.Values("segue_deliveries_handed_over_total"))

	d.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).
		Return(nil, errors.New("unavailable")).Once()
	in = turns(interaction.MomentInteractionEnds)
	in.Owner.Interaction = "i-2"
	d.dispatch(t, in)
	require.Equal(t, 1.0, p.Values("segue_deliveries_dispatched_total")["call=bi,way=attempt"], "what could not be appended is left to the interaction")
	require.Equal(t, map[string]float64{"call=bi": 1}, p.Values("segue_deliveries_handed_over_total"))
}

func TestAttemptsThatAreNotSentAreCounted(t *testing.T) {
	d := newDesk(t)
	p := metricstest.New(t)
	d.Metrics = p.Instruments
	d.attempt(t, d.batch("long-gone", 1))
	in := d.batch("crm", 1)
	in.Requests[0].Fault = "no value"
	require.Equal(t, contract.VerdictFinal, d.attempt(t, in)[0].Verdict)
	require.Equal(t, map[string]float64{"call=(removed),class=config": 1, "call=crm,class=render": 1}, p.Values("segue_delivery_attempts_total"),
		"the name of a call that is not configured is no label")
}

func TestWhatAnActivityHasInHandIsShown(t *testing.T) {
	d := newDesk(t)
	p := metricstest.New(t)
	d.Metrics = p.Instruments
	require.NoError(t, p.Observe(metrics.Sources{
		Calls: func() []string { return []string{"crm"} }, Receivers: func() []metrics.Receiver { return nil },
		Survey: func() *metrics.Survey { return nil }, Configuration: func() metrics.Configuration { return metrics.Configuration{} },
		Ready: func() bool { return true },
	}))
	in := d.batch("crm", 3)
	for i := range in.Requests {
		in.Requests[i].At = time.Now().Add(-time.Hour)
	}
	release := d.receiver.holdAnswers()
	defer release()
	done := make(chan []contract.Outcome)
	go func() { done <- d.attempt(t, in) }()
	<-d.receiver.arrived
	require.Equal(t, map[string]float64{"call=crm": 3}, p.Values("segue_deliveries_in_flight"))
	require.InDelta(t, 3600, p.Values("segue_deliveries_in_flight_oldest_age_seconds")["call=crm"], 10)
	release()
	require.Len(t, <-done, 3)
	require.Equal(t, map[string]float64{"call=crm": 0}, p.Values("segue_deliveries_in_flight"))
}
