package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"segue/client/feed"
)

// A feed sends signals faster than a worker applies them, so it waits for the interaction now and then. The server ends a
// workflow whose history has 50 MB, and with it the commands that it has acknowledged; these have 60 MB. CI sends the
// same signals, with fewer and larger commands in each.
func TestAFeedOfOneLargeInteractionLosesNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(crm.URL, "interaction_ends"))
	var lines strings.Builder
	lines.WriteString(`{"interaction":"l1","command":"start","channel":"inbound"}` + "\n")
	const all = 60_000_000
	each := reduced(8_000, 1_000)
	for i := range all / each {
		fmt.Fprintf(&lines, `{"interaction":"l1","command":"signal_added","name":"s","event_id":"e%d","p":%q}`+"\n", i, strings.Repeat("x", each))
	}
	result := e.feed(feed.ModeSignal, lines.String())
	require.Zero(t, len(result.Rejected), "the interaction ended during the feed")
	answer, err := e.client.DescribeWorkflowExecution(t.Context(), e.workflowID("l1"), "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, answer.GetWorkflowExecutionInfo().GetStatus())
	require.Zero(t, result.Unknown)
}
