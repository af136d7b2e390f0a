package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"segue/client"
	"segue/client/feed"
	"segue/contract"
)

// feed sends lines; the queries of interactions without a worker end after a second.
func (e *env) feed(mode feed.Mode, lines string) feed.Result {
	e.t.Helper()
	target := &client.Client{Temporal: e.client, TaskQueue: e.name}
	result, err := feed.Run(e.t.Context(), target, strings.NewReader(lines), feed.Options{ContactCenter: e.name, Mode: mode})
	require.NoError(e.t, err)
	return result
}

// group is the lines of one interaction, in which not everything is legal.
const group = `{"interaction":"g1","command":"start","channel":"inbound"}
{"interaction":"g1","command":"place_in_queue","queue":"sales","event_id":"e1"}
{"interaction":"g1","command":"hold","event_id":"e2"}
{"interaction":"g1","command":"dtmf","digits":"1"}
{"interaction":"g1","command":"dtmf","digits":"1"}
{"interaction":"g1","command":"place_in_queue","queue":"sales","event_id":"e1"}
{"interaction":"g1","command":"offer","agent":{"id":""},"event_id":"e3"}
{"interaction":"g1","command":"lane_result","call":"probe","results":[{"id":"x","status":"delivered"}]}
{"interaction":"g1","command":"abandon","event_id":7}
{"interaction":"g1","command":"` + longName + `"}
{"interaction":"g1","command":"dtmf","digits":"2","event_id":"e4"}
{"interaction":"g1","command":"abandon","event_id":"e5"}
{"interaction":"g1","command":"dtmf","digits":"3","event_id":"e6"}
`

// longName is longer than what a refusal shows of it.
const longName = "x0123456789x0123456789x0123456789x0123456789x0123456789x0123456789x0123456789x0123456789x0123456789x0123456789x0123456789x0123456789"

func TestAFeedSendsTheLinesOfAnInteractionTogether(t *testing.T) {
	t.Parallel()
	for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			crm := newReceiver(t, func(arrival) int { return 200 })
			e.startWorker(probeConfig(crm.URL, "inbound.dtmf"))
			first := e.feed(mode, group)
			require.Equal(t, 6, first.Accepted)
			require.Equal(t, 1, first.Duplicates)
			require.Zero(t, first.Unknown, first.Unanswered)
			require.Equal(t, []int{3, 7, 8, 9, 10, 13}, linesOf(first))
			run := e.client.GetWorkflow(t.Context(), e.workflowID("g1"), "")
			require.NoError(t, run.Get(t.Context(), nil))
			require.Equal(t, first.Runs[client.Name{ContactCenter: e.name, ID: "g1"}], run.GetRunID())
			requireInOrderOnce(t, crm.seen(), 3)

			messages := map[enumspb.EventType]int{}
			for _, event := range e.history("g1", "") {
				messages[event.GetEventType()]++
			}
			require.Zero(t, messages[enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED])
			if mode == feed.ModeUpdate {
				require.Equal(t, 1, messages[enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED])
			}

			again := e.feed(mode, group)
			require.Zero(t, again.Accepted)
			require.Zero(t, again.Unknown, again.Unanswered)
			require.Equal(t, 7, again.Duplicates)
			require.Equal(t, linesOf(first), linesOf(again))
			requireInOrderOnce(t, crm.seen(), 3)
		})
	}
}

func linesOf(result feed.Result) []int {
	var lines []int
	for _, r := range result.Rejected {
		lines = append(lines, r.Line)
	}
	return lines
}

// A feed may break off anywhere, and what another sender has sent counts as sent.
func TestAFeedGoesOnWithinAGroup(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(crm.URL, "inbound.dtmf"))
	lines := strings.SplitAfter(strings.TrimSpace(group), "\n")
	for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate} {
		for cut := range len(lines) - 1 {
			t.Run(fmt.Sprintf("%s after %d", mode, cut), func(t *testing.T) {
				as := func(lines []string) string {
					return strings.ReplaceAll(strings.Join(lines, ""), `"g1"`, fmt.Sprintf(`"%s-%d"`, mode, cut))
				}
				first := e.feed(mode, as(lines[:cut]))
				whole := e.feed(mode, as(lines))
				require.Equal(t, 7, whole.Accepted+whole.Duplicates)
				repeats := 0 // the repeat within the group is one, even if no earlier feed sent it
				if cut < 6 {
					repeats = 1
				}
				require.Equal(t, first.Accepted+first.Duplicates, whole.Duplicates-repeats)
				require.Equal(t, []int{3, 7, 8, 9, 10, 13}, linesOf(whole))
				id := fmt.Sprintf("%s-%d", mode, cut)
				e.eventually(time.Minute, "all are delivered", func() bool { return len(of(id, crm)) >= 3 })
				requireInOrderOnce(t, of(id, crm), 3)
			})
		}
	}
}

func TestAFeedJoinsAnInteractionThatRuns(t *testing.T) {
	t.Parallel()
	for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			crm := newReceiver(t, func(arrival) int { return 200 })
			e.startWorker(probeConfig(crm.URL, "inbound.dtmf"))
			e.start("g1", "inbound")
			e.signal("g1", "dtmf", `{"digits":"2","event_id":"e4"}`)
			e.signal("g1", contract.SignalCommands, `[{"command":"place_in_queue","queue":"sales","event_id":"e1"},{"command":"hold"}]`)
			result := e.feed(mode, group)
			require.Equal(t, 3, result.Accepted, "the start, e1 and e4 are repeats")
			require.Equal(t, 4, result.Duplicates)
			require.Equal(t, []int{3, 7, 8, 9, 10, 13}, linesOf(result))
			require.Empty(t, result.Runs)
			e.eventually(time.Minute, "all are delivered", func() bool { return len(crm.seen()) == 3 })
		})
	}
}

func TestAGroupWhoseStartIsRefusedIsRejectedLineByLine(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	result := e.feed(feed.ModeSignal, strings.Replace(group, `"inbound"`, `"fax"`, 1))
	require.Zero(t, result.Accepted)
	require.Len(t, result.Rejected, 13)
	require.Contains(t, result.Rejected[0].Reason, "fax")
	require.Contains(t, result.Rejected[1].Reason, "not found")
}

// Without a worker, Temporal stores a start and its commands.
func TestAFeedNeedsNoWorker(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	target := &client.Client{Temporal: e.client, TaskQueue: e.name}
	n := client.Name{ContactCenter: e.name, ID: "g1"}
	start := fmt.Appendf(nil, `{"id":"g1","contact_center":%q,"channel":"inbound"}`, e.name)
	commands := json.RawMessage(`[{"command":"dtmf","digits":"1","event_id":"e1"},{"command":"hold","event_id":"e2"},{"command":"abandon","event_id":"e3"}]`)
	_, err := target.StartWith(t.Context(), n, start, commands, false)
	require.NoError(t, err)
	_, err = target.StartWith(t.Context(), n, start, commands, false)
	var exists *client.ExistsError
	require.ErrorAs(t, err, &exists)
	received, err := target.Received(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"e1": true, "e2": true, "e3": true}, received)

	e.startWorker(probeConfig(crm.URL, "inbound.dtmf"))
	run := e.client.GetWorkflow(t.Context(), e.workflowID("g1"), "")
	var last contract.State
	require.NoError(t, run.Get(t.Context(), &last))
	require.Equal(t, 1, last.RejectedCount)
	rejected, err := target.Rejected(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, []string{"hold e2"}, []string{rejected[0].Command + " " + rejected[0].EventID})
	requireInOrderOnce(t, crm.seen(), 1)

	// The same id starts again with the same commands: they are those of another interaction.
	_, err = target.StartWith(t.Context(), n, start, commands, true)
	require.NoError(t, err)
	require.NoError(t, e.client.GetWorkflow(t.Context(), e.workflowID("g1"), "").Get(t.Context(), nil))
	require.Len(t, crm.seen(), 2)
}

// TestABurstOfArrays sends arrays of commands before a worker runs, with SEGUE_WHOLE=1 as many as may have open deliveries.
func TestABurstOfArrays(t *testing.T) {
	t.Parallel()
	const commands = 1000
	signals := reduced(3, 10)
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	run := e.start("b1", "inbound")
	for i := range signals {
		var b strings.Builder
		for n := range commands {
			fmt.Fprintf(&b, `,{"command":"dtmf","digits":"1","event_id":"%d-%d"}`, i, n)
		}
		e.signal("b1", contract.SignalCommands, "["+b.String()[1:]+"]")
	}
	e.signal("b1", "abandon", `{}`)
	begin := time.Now()
	e.startWorker(probeConfig(crm.URL, "inbound.dtmf"))
	require.NoError(t, run.Get(t.Context(), nil))
	e.eventually(3*time.Minute, "the lane delivers the rest", func() bool { return len(crm.seen()) >= signals*commands })
	t.Logf("%d commands after %s", signals*commands, time.Since(begin))
	requireInOrderOnce(t, crm.seen(), signals*commands)
	for _, cause := range slices.Concat(failedTasks(e.history("b1", "")), failedTasks(e.history("b1", run.GetRunID()))) {
		require.Equal(t, enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, cause, "the lane reported when the run was about to end")
	}
}
