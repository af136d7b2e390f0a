package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

// TestABacklogOfOneInteractionIsProcessed sends one interaction more signals than a run takes while no worker runs, and
// with SEGUE_WHOLE=1 nearly as many as the server accepts for one run: its first task has all of them.
func TestABacklogOfOneInteractionIsProcessed(t *testing.T) {
	t.Parallel()
	count := reduced(4500, 9000)
	e := newEnv(t)
	receiver := newReceiver(t, func(arrival) int { return 200 })
	run := e.start("backlog", "inbound")
	for i := range count {
		e.signal("backlog", "script_signal", fmt.Sprintf(`{"p1":"%d","event_id":"e%d"}`, i, i))
	}
	begin := time.Now()
	e.startWorker(probeConfig(receiver.URL, "interaction_starts", "interaction_ends"))
	e.signal("backlog", "abandon", `{}`)
	var status contract.State
	require.NoError(t, run.Get(t.Context(), &status))
	t.Logf("%d signals processed in %s", count, time.Since(begin).Round(time.Millisecond))
	require.Equal(t, interaction.OutcomeAbandoned, status.Outcome)
	require.EqualValues(t, 0, status.RejectedCount)
	require.Len(t, receiver.seen(), 2)
	require.Empty(t, failedTasks(e.history("backlog", run.GetRunID())))
}
