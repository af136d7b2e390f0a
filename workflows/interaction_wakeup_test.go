package workflows_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

// timerLog records what happens to the durable timers of a workflow.
type timerLog struct{ started, fired, stopped []time.Duration }

func timersOf(e *env) *timerLog {
	l := &timerLog{}
	running := map[string]time.Duration{}
	e.SetOnTimerScheduledListener(func(id string, after time.Duration) {
		running[id] = after.Round(time.Second)
		l.started = append(l.started, running[id])
	})
	e.SetOnTimerFiredListener(func(id string) { l.fired = append(l.fired, running[id]) })
	e.SetOnTimerCanceledListener(func(id string) { l.stopped = append(l.stopped, running[id]) })
	return l
}

// usual are the default timeouts.
var usual = contract.Timeouts{
	Offer: 30 * time.Second, Queue: 10 * time.Minute, WrapUp: 2 * time.Minute, Lifetime: 168 * time.Hour, LateEvents: 15 * time.Minute,
}

// A call with the pauses that calls have: no timer fires in vain, and few are started.
func TestACallNeedsFewTimers(t *testing.T) {
	e := newEnv(t)
	ruled(e, timeouts(usual))
	timers := timersOf(e)
	for after, command := range map[time.Duration][2]string{
		20 * time.Second:  {"place_in_queue", `{"queue":"sales"}`},
		60 * time.Second:  {"offer", `{"agent":{"id":"a1"}}`},
		70 * time.Second:  {"accept", `{"agent":{"id":"a1"}}`},
		300 * time.Second: {"disconnect", `{}`},
		320 * time.Second: {"complete", `{}`},
	} {
		e.signals(after, command)
	}
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	const week = 168 * time.Hour
	require.Equal(t, []time.Duration{week, 10 * time.Minute, 30 * time.Second, 2 * time.Minute, 15 * time.Minute}, timers.started)
	require.Equal(t, []time.Duration{15 * time.Minute}, timers.fired)
	require.ElementsMatch(t, []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute}, timers.stopped)
}

// The timer of a queue runs on while its interaction is handled: it ends no later deadline.
func TestATimerThatIsLeftRunningEndsNothing(t *testing.T) {
	e := newEnv(t)
	ruled(e, timeouts(usual))
	timers := timersOf(e)
	e.signals(20*time.Second, [2]string{"place_in_queue", `{"queue":"sales"}`})
	e.signals(30*time.Second, [2]string{"offer", `{"agent":{"id":"a1"}}`}, [2]string{"accept", `{"agent":{"id":"a1"}}`})
	e.start(startInbound)
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, interaction.OutcomeExpired, last.Outcome, "after its lifetime")
	require.Contains(t, timers.fired, 10*time.Minute)
}

func TestListsAreWrittenAtOnceAndThenEveryFiveSeconds(t *testing.T) {
	e := newEnv(t)
	ruled(e, timeouts(usual))
	var written []string
	begin := e.Now()
	onUpsert(e, func(state string) {
		written = append(written, fmt.Sprintf("%s after %s", state, e.Now().Sub(begin).Round(100*time.Millisecond)))
	})
	for after, command := range map[time.Duration][2]string{
		10 * time.Second:         {"place_in_queue", `{"queue":"sales"}`},
		10500 * time.Millisecond: {"offer", `{"agent":{"id":"a1"}}`},
		11 * time.Second:         {"accept", `{"agent":{"id":"a1"}}`},
		40 * time.Second:         {"disconnect", `{}`},
		40500 * time.Millisecond: {"complete", `{}`},
	} {
		e.signals(after, command)
	}
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, []string{
		"started after 0s", "queued after 10s", "offered after 10.5s",
		"handling after 15s", "wrap_up after 40s",
		"completed after 40.5s", // an end is written at once
	}, written)
}

// Until a change is written, the queries and the details have it.
func TestQueriesDoNotLag(t *testing.T) {
	e := newEnv(t)
	ruled(e, timeouts(usual))
	e.signals(time.Second, [2]string{"place_in_queue", `{"queue":"sales"}`})
	e.signals(1500*time.Millisecond, [2]string{"offer", `{"agent":{"id":"a1"}}`})
	e.signals(2*time.Second, [2]string{"accept", `{"agent":{"id":"a1"}}`})
	e.RegisterDelayedCallback(func() {
		require.Equal(t, interaction.StateHandling, query[contract.State](e, contract.QueryState).State)
		require.Contains(t, e.details(), "**handling**")
		require.Contains(t, e.details(), "lifetime: the interaction ends as expired")
		e.SignalWorkflow("complete", json.RawMessage(`{}`))
	}, 3*time.Second)
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
}
