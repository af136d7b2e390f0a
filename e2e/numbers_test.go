package e2e_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"segue/contract"
)

// TestNumberedCommandsInDisorder sends numbered commands, eight at once, as signals and as updates, some of them
// twice: each is applied and delivered once, in the order of the numbers.
func TestNumberedCommandsInDisorder(t *testing.T) {
	t.Parallel()
	const commands, atOnce = 200, 8
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(replaceOnce(t, probeConfig(crm.URL, "script_signal"), `"${event.when}"}`, `"${event.when}", number: "${event.p1}"}`))
	run := e.start("n1", "inbound")
	repeats := 0
	for from := 1; from <= commands; from += atOnce {
		var block errgroup.Group
		for n := from; n < from+atOnce; n++ {
			payload := fmt.Sprintf(`{"p1":"%d","source_sequence":%d,"event_id":"n%d"}`, n, n, n)
			send := func() error {
				return e.client.SignalWorkflow(t.Context(), e.workflowID("n1"), "", "script_signal", json.RawMessage(payload))
			}
			if n%2 == 0 { // waits for the numbers before it
				block.Go(func() error {
					_, err := e.update(t.Context(), "n1", "script_signal", payload)
					return err
				})
			} else {
				block.Go(send)
			}
			if n%5 == 0 {
				repeats++
				block.Go(send)
			}
		}
		require.NoError(t, block.Wait())
	}
	var status contract.State
	e.eventually(time.Minute, "all arrive", func() bool {
		var err error
		status, err = query[contract.State](e, "n1", contract.QueryState)
		return err == nil && len(crm.seen()) >= commands && status.Duplicates == repeats
	})
	require.Zero(t, status.RejectedCount)
	e.signal("n1", "abandon", `{}`)
	require.NoError(t, run.Get(t.Context(), nil))
	requireInOrderOnce(t, crm.seen(), commands)
	for i, a := range crm.seen() {
		require.Contains(t, a.Body, fmt.Sprintf(`"number":"%d"`, i+1))
	}
	require.NoError(t, replayWith(e.history("n1", run.GetRunID())))
}
