package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThePhaseOfARun(t *testing.T) {
	for name, c := range map[string]struct {
		conditions conditions
		want       phase
	}{
		"open":                                 {conditions{}, phaseRunning},
		"open, requests in flight":             {conditions{hasBacklog: true, isInFlight: true}, phaseRunning},
		"long, an attempt in flight":           {conditions{renewalDue: true, isInFlight: true}, phaseDraining},
		"long, an update waits for its answer": {conditions{renewalDue: true, isAnswering: true}, phaseDraining},
		"long, canceled":                       {conditions{renewalDue: true, isCanceling: true}, phaseDraining},
		"long, its task sent requests":         {conditions{renewalDue: true, hasSent: true}, phaseDraining},
		"long, with a backlog":                 {conditions{renewalDue: true, hasBacklog: true}, phaseRenewing},
		"over, events wait":                    {conditions{isOver: true, hasBacklog: true}, phaseRunning},
		"over, an attempt in flight":           {conditions{isOver: true, isInFlight: true}, phaseRunning},
		"over, its task sent requests":         {conditions{isOver: true, hasSent: true}, phaseSettling},
		"over, nothing left":                   {conditions{isOver: true}, phaseClosing},
		"over, long, its task sent requests":   {conditions{isOver: true, renewalDue: true, hasSent: true}, phaseSettling},
		"over, long, nothing left":             {conditions{isOver: true, renewalDue: true}, phaseRenewing},
		"over, long, canceled, nothing left":   {conditions{isOver: true, renewalDue: true, isCanceling: true}, phaseClosing},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.conditions.phase()) })
	}
}

func TestEveryCombinationOfConditionsKeepsTheGuarantees(t *testing.T) {
	for bits := range 1 << 7 {
		is := func(n int) bool { return bits&(1<<n) != 0 }
		c := conditions{
			renewalDue: is(0), isOver: is(1), hasBacklog: is(2), isInFlight: is(3), isAnswering: is(4), isCanceling: is(5), hasSent: is(6),
		}
		p := c.phase()
		ends := p == phaseRenewing || p == phaseClosing
		require.False(t, ends && c.hasSent, "a task that sent requests ends the run: %+v", c)
		require.False(t, ends && c.isInFlight, "the run ends with something in flight: %+v", c)
		require.False(t, ends && c.isAnswering, "the run ends before an update has its answer: %+v", c)
		require.False(t, p == phaseClosing && (!c.isOver || c.hasBacklog), "the run closes and something is left: %+v", c)
		require.False(t, p == phaseRenewing && c.isCanceling, "the next run would not know of the cancellation: %+v", c)
		require.False(t, c.renewalDue && c.hasBacklog && p == phaseRunning, "a run that is to be renewed begins something: %+v", c)
		require.False(t, c.hasBacklog && !c.renewalDue && p != phaseRunning, "the backlog is not worked off: %+v", c)
		require.Equal(t, p.isDue(), ends || p == phaseSettling, "%+v", c)
	}
}
