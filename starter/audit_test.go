package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"segue/contract"
	"segue/interaction"
)

// auditResult is what a test reads of an audit.
type auditResult struct {
	Looked, Fired, Skipped int
	Findings               []auditFinding
	Failures               []any
	Missing                struct{ Events, Deliveries, Drafts int }
	Discarded              []struct{ ID, Interaction, By string }
}

type auditFinding struct {
	WorkflowID  string `json:"workflow_id"`
	RunID       string `json:"run_id"`
	Interaction string
	Call        string
	Ended       string
	Reason      string
	State       string
	Events      []struct {
		Sequence int64
		When     string
	}
	Deliveries []struct{ ID, Call, When string }
}

// audit runs an audit, which must end with the exit code.
func (d *devProcess) audit(t *testing.T, code int, args ...string) auditResult {
	t.Helper()
	result := d.run(t, append(append([]string{"audit"}, args...), "--json")...)
	require.Equal(t, code, result.code, result.errs+result.out)
	var got auditResult
	require.NoError(t, json.Unmarshal([]byte(result.out), &got))
	require.Empty(t, got.Failures)
	return got
}

// finds runs audits until one has n findings: Temporal's lists lag behind.
func (d *devProcess) finds(t *testing.T, n int, args ...string) auditResult {
	t.Helper()
	code := 6
	if n == 0 {
		code = 0
	}
	var got auditResult
	require.Eventually(t, func() bool {
		result := d.run(t, append(append([]string{"audit"}, args...), "--json")...)
		got = auditResult{}
		return json.Unmarshal([]byte(result.out), &got) == nil && len(got.Findings) == n && result.code == code
	}, time.Minute, 100*time.Millisecond, "%+v", got)
	return got
}

func (d *devProcess) temporal(t *testing.T) client.Client {
	c, err := client.Dial(client.Options{HostPort: d.ready.TemporalAddress, Namespace: d.ready.Namespace})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// bodies counts the requests for an interaction by body, and returns their ids in order.
func (l *ledger) bodies(id string) (counts map[string]int, ids []string) {
	counts = map[string]int{}
	for _, r := range l.requests() {
		if strings.Contains(r.body, `"`+id+`"`) {
			counts[r.body]++
			ids = append(ids, r.id)
		}
	}
	return counts, ids
}

func auditConfigFor(t *testing.T, receiver, failing string) string {
	return fileOf(t, "segue.yaml", fmt.Sprintf(`
calls:
  - {name: crm, method: POST, url: "%s/x", json: {id: "${interaction.id}", when: "${event.when}", outcome: "${interaction.outcome}", why: "${event.reason}"}}
  - {name: bi, method: POST, url: "%s/x", json: {id: "${interaction.id}", when: "${event.when}"}, retry: {schedule: [1h]}}
triggers:
  - {when: [interaction_starts, interaction_ends], call: crm}
  - {when: survey, call: bi}
timeouts: {default: {late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, receiver, failing))
}

// However a workflow is ended from outside, an audit finds what it left undone and has it done
// once.
func TestAnAuditDoesWhatTerminatedWorkflowsLeftUndone(t *testing.T) {
	t.Parallel()
	receiver, url := newLedger(t, http.StatusOK)
	failing, failingURL := newLedger(t, http.StatusServiceUnavailable)
	dev := startDev(t, "--config", auditConfigFor(t, url, failingURL))
	temporal := dev.temporal(t)
	start := func(id string) string {
		var started map[string]string
		dev.into(t, &started, "start", fmt.Sprintf(`{"id":%q,"channel":"inbound","queue":"sales"}`, id))
		return started["run_id"]
	}
	update := func(id, command, payload string) {
		require.Equal(t, 0, dev.run(t, "signal", command, id, payload, "--update").code)
	}
	terminate := func(workflowID string) {
		require.NoError(t, temporal.TerminateWorkflow(t.Context(), workflowID, "", "by mistake"))
	}
	arrives := func(l *ledger, body string) {
		require.Eventually(t, func() bool {
			for _, r := range l.requests() {
				if r.body == body {
					return true
				}
			}
			return false
		}, time.Minute, 20*time.Millisecond, body)
	}
	ended := func(id, outcome, why string) string {
		return fmt.Sprintf(`{"id":%q,"when":"interaction_ends","outcome":%q,"why":%q}`, id, outcome, why)
	}
	nothing := dev.audit(t, 0)
	require.Zero(t, nothing.Looked)

	t.Run("a terminated interaction", func(t *testing.T) {
		first := start("c1")
		update("c1", "offer", `{"agent":"bea"}`)
		update("c1", "accept", `{"agent":"bea"}`)
		terminate("interaction/default/c1")
		found := dev.finds(t, 1)
		finding := found.Findings[0]
		require.Equal(t, "interaction/default/c1", finding.WorkflowID)
		require.Equal(t, "terminated", finding.Ended)
		require.Equal(t, "by mistake", finding.Reason)
		require.Equal(t, "handling", finding.State)
		require.Empty(t, finding.Deliveries)
		last := finding.Events[len(finding.Events)-1]
		require.Equal(t, "interaction_ends", last.When)
		text := dev.run(t, "audit")
		require.Equal(t, 6, text.code)
		require.Contains(t, text.out, "default/c1")
		require.Contains(t, text.out, "by mistake")
		require.Len(t, receiver.requests(), 1, "without --fire, an audit sends nothing")

		require.Equal(t, 1, dev.audit(t, 0, "--fire").Fired)
		arrives(receiver, ended("c1", "canceled", "by mistake"))
		require.Eventually(t, func() bool { return dev.isOver(t, "interaction/default/c1") }, time.Minute, 20*time.Millisecond)
		owner := contract.Owner{ContactCenter: "default", Interaction: "c1", FirstRunID: first}
		_, ids := receiver.bodies("c1")
		ending := interaction.Event{Cause: fmt.Sprintf("\nworkflow_cancel  1#%d", len(finding.Events)-1)}
		require.Equal(t, contract.DeliveryID(owner, &ending, "crm"), ids[1], "the id that the interaction itself would have used")
		var shown struct {
			State struct{ State, Outcome string }
		}
		dev.into(t, &shown, "show", "c1")
		require.Equal(t, "completed", shown.State.State)
		require.Equal(t, "canceled", shown.State.Outcome)

		require.Zero(t, dev.audit(t, 0, "--fire").Fired, "the second audit finds nothing left")
		counts, _ := receiver.bodies("c1")
		require.Len(t, counts, 2)
		for body, count := range counts {
			require.Equal(t, 1, count, body)
		}
	})
	t.Run("a terminated interaction that was reopened", func(t *testing.T) {
		start("c2")
		terminate("interaction/default/c2")
		require.Equal(t, 0, dev.run(t, "start", `{"id":"c2","channel":"inbound"}`, "--reopen").code)
		found := dev.finds(t, 1, "c2")
		require.Equal(t, 1, dev.audit(t, 0, "c2", "--fire").Fired)
		arrives(receiver, ended("c2", "canceled", "by mistake"))
		require.Equal(t, found.Findings[0].WorkflowID, "interaction/default/c2")
		update("c2", "abandon", `{}`)
		arrives(receiver, ended("c2", "abandoned", ""))
		dev.finds(t, 0, "c2")
	})
	t.Run("a terminated interaction that was reset", func(t *testing.T) {
		run := start("c3")
		terminate("interaction/default/c3")
		dev.finds(t, 1, "c3")
		_, err := temporal.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
			Namespace: dev.ready.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "interaction/default/c3", RunId: run},
			Reason: "test", WorkflowTaskFinishEventId: 4, RequestId: "reset-c3",
		})
		require.NoError(t, err)
		require.Zero(t, dev.audit(t, 0, "c3", "--fire").Fired)
		update("c3", "abandon", `{}`)
		dev.finds(t, 0, "c3")
	})
	t.Run("an interaction that timed out before its first task", func(t *testing.T) {
		_, err := temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
			ID: "interaction/default/c4", TaskQueue: "nobody", WorkflowExecutionTimeout: time.Second,
		}, "Interaction", json.RawMessage(`{"id":"c4","contact_center":"default","channel":"chat"}`))
		require.NoError(t, err)
		require.NoError(t, temporal.SignalWorkflow(t.Context(), "interaction/default/c4", "", "place_in_queue", json.RawMessage(`{"queue":"sales"}`)))
		finding := dev.finds(t, 1, "default/c4").Findings[0]
		require.Equal(t, "timedout", finding.Ended)
		require.Equal(t, "queued", finding.State)
		require.EqualValues(t, 1, finding.Events[0].Sequence, "its start was not dispatched either")
		require.Equal(t, 1, dev.audit(t, 0, "c4", "--fire", "--task-queue", "segue").Fired)
		arrives(receiver, `{"id":"c4","when":"interaction_starts","outcome":"","why":""}`)
		arrives(receiver, ended("c4", "canceled", "timedout"))
		dev.finds(t, 0, "c4")
	})
	t.Run("an interaction whose start was refused", func(t *testing.T) {
		run, err := temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "interaction/default/c5", TaskQueue: "segue"}, "Interaction", "no start")
		require.NoError(t, err)
		require.Error(t, run.Get(t.Context(), nil))
		require.Eventually(t, func() bool { return dev.audit(t, 0, "c5").Looked == 1 }, time.Minute, 100*time.Millisecond)
	})
	t.Run("a terminated lane", func(t *testing.T) {
		start("c6")
		update("c6", "survey", `{"answers":{"q":"1"}}`)
		update("c6", "survey", `{"answers":{"q":"2"}}`)
		waiting := eventually(t, dev, 2, "deliveries", "c6", "--call", "bi")
		terminate("delivery/default/c6/bi")
		finding := dev.finds(t, 1, "c6").Findings[0]
		require.Equal(t, "bi", finding.Call)
		require.Len(t, finding.Deliveries, 2)
		require.Equal(t, waiting[0].ID, finding.Deliveries[0].ID)
		failing.answer(http.StatusOK)
		require.Equal(t, 1, dev.audit(t, 0, "c6", "--fire").Fired)
		require.Eventually(t, func() bool { return dev.isOver(t, "delivery/default/c6/bi") }, time.Minute, 20*time.Millisecond)
		require.Zero(t, dev.audit(t, 0, "c6", "--fire").Fired)
		var arrived []string
		for _, r := range failing.requests() {
			arrived = append(arrived, r.id)
		}
		require.Equal(t, []string{waiting[0].ID, waiting[0].ID, waiting[1].ID}, arrived)
		require.Equal(t, failing.requests()[0], failing.requests()[1], "the same bytes")
		update("c6", "abandon", `{}`)
	})
	t.Run("filters", func(t *testing.T) {
		require.Equal(t, 6, dev.audit(t, 0, "--since", "1h", "--contact-center", "default").Looked)
		require.Zero(t, dev.audit(t, 0, "--since", "2999-01-01T00:00:00Z").Looked)
		require.Zero(t, dev.audit(t, 0, "--contact-center", "defaul").Looked)
		require.Zero(t, dev.audit(t, 0, "c").Looked)
	})
	require.Equal(t, 0, dev.interrupt(t))
}
