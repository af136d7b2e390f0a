package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/client"
)

// ledger is a receiver that records its requests and answers with a configured status.
type ledger struct {
	mu     sync.Mutex
	status int
	got    []received
}

type received struct{ id, key, body string }

func newLedger(t *testing.T, status int) (*ledger, string) {
	l := &ledger{status: status}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return l, server.URL
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body that breaks off fails the comparison
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, received{r.Header.Get("webhook-id"), r.Header.Get("Idempotency-Key"), string(body)})
	w.WriteHeader(l.status)
}

func (l *ledger) answer(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

func (l *ledger) requests() []received {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]received{}, l.got...)
}

// shownDelivery has the fields of a delivery that the tests read.
type shownDelivery struct {
	ID, Call, When, Status, Class, Interaction string
	Code                                       int
	ContactCenter                              string `json:"contact_center"`
	WorkflowID                                 string `json:"workflow_id"`
	Discarded                                  struct{ At, By string }
}

// bulkResult has the fields that redeliver and discard print.
type bulkResult struct {
	Matched, Sent, Skipped, Failed int
	DryRun                         bool `json:"dry_run"`
}

func (d *devProcess) bulk(t *testing.T, args ...string) bulkResult {
	t.Helper()
	var result bulkResult
	d.into(t, &result, args...)
	return result
}

// eventually lists until there are n entries: lists lag.
func eventually(t *testing.T, dev *devProcess, n int, args ...string) []shownDelivery {
	t.Helper()
	var listed []shownDelivery
	require.Eventually(t, func() bool {
		listed = nil
		dev.into(t, &listed, args...)
		return len(listed) == n
	}, time.Minute, 100*time.Millisecond)
	return listed
}

// patientConfigFor returns a configuration that retries after an hour: earlier attempts come from an operator.
func patientConfigFor(t *testing.T, receiver string) string {
	return fileOf(t, "segue.yaml", fmt.Sprintf(`
calls:
  - {name: crm, method: POST, url: "%s/x", json: {id: "${interaction.id}", when: "${event.when}"}, retry: {schedule: [1h]}}
triggers:
  - {when: [interaction_starts, interaction_ends], call: crm}
guard: {allow: ["127.0.0.0/8"]}
`, receiver))
}

// page returns the current details that the Temporal UI shows of a workflow.
func (d *devProcess) page(t *testing.T, workflowID string) string {
	answer, err := d.temporal(t).QueryWorkflow(t.Context(), workflowID, "", "__temporal_workflow_metadata")
	require.NoError(t, err)
	var metadata sdkpb.WorkflowMetadata
	require.NoError(t, answer.Get(&metadata))
	return metadata.GetCurrentDetails()
}

// isOver reports whether a workflow has completed.
func (d *devProcess) isOver(t *testing.T, workflowID string) bool {
	temporal, err := client.Dial(client.Options{HostPort: d.ready.TemporalAddress, Namespace: d.ready.Namespace})
	require.NoError(t, err)
	defer temporal.Close()
	described, err := temporal.DescribeWorkflowExecution(context.Background(), workflowID, "")
	require.NoError(t, err)
	return described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
}

// The receiver answers 410: operators list the parked deliveries, and redeliver or discard them.
func TestOperatorsListRedeliverAndDiscardDeliveries(t *testing.T) {
	t.Parallel()
	receiver, url := newLedger(t, http.StatusGone)
	dev := startDev(t, "--config", patientConfigFor(t, url))

	var none []shownDelivery
	dev.into(t, &none, "deliveries")
	require.NotNil(t, none)
	require.Empty(t, none)
	require.Equal(t, 3, dev.run(t, "deliveries", "nobody").code)

	require.Equal(t, 0, dev.run(t, "start", `{"id":"c1","channel":"inbound"}`).code)
	parked := eventually(t, dev, 1, "deliveries", "--parked")
	require.Equal(t, "parked", parked[0].Status)
	require.Equal(t, "gone", parked[0].Class)
	require.Equal(t, 410, parked[0].Code)
	require.Equal(t, "delivery/default/c1/crm", parked[0].WorkflowID)
	require.Equal(t, "c1", parked[0].Interaction)

	require.Equal(t, 0, dev.run(t, "signal", "abandon", "c1").code)
	all := eventually(t, dev, 2, "deliveries")
	require.Equal(t, "interaction_ends", all[1].When, "it waits behind the parked delivery")
	require.Equal(t, "waiting", all[1].Status)

	t.Run("filters", func(t *testing.T) {
		for want, filters := range map[int][][]string{
			1: {
				{"--call", "crm", "--parked"}, {"--class", "gone"}, {"--id", parked[0].ID}, {"c1", "--parked"}, {"--since", "1h", "--parked"},
				{"--limit", "1"}, {"--contact-center", "default", "--parked"},
			},
			0: {{"--call", "bi"}, {"--class", "timeout"}, {"--id", "msg_none"}, {"--since", "2999-01-01T00:00:00Z"}, {"--contact-center", "berlin"}},
			2: {{"c1"}, {"default/c1"}, {"c1", "--contact-center", "default"}},
		} {
			for _, filter := range filters {
				var listed []shownDelivery
				dev.into(t, &listed, append([]string{"deliveries"}, filter...)...)
				require.Len(t, listed, want, filter)
			}
		}
	})
	t.Run("table", func(t *testing.T) {
		table := dev.run(t, "deliveries", "--limit", "1")
		require.Equal(t, 0, table.code)
		for _, part := range []string{"default/c1", "parked", "410 gone", "an operator", parked[0].ID} {
			require.Contains(t, table.out, part)
		}
		require.Contains(t, table.errs, "more than 1")
	})
	t.Run("a dry run sends nothing", func(t *testing.T) {
		for _, signal := range []string{"redeliver", "discard"} {
			require.Equal(t, bulkResult{Matched: 1, DryRun: true}, dev.bulk(t, signal, "--class", "gone", "--dry-run"))
		}
		require.Equal(t, bulkResult{}, dev.bulk(t, "redeliver", "--call", "bi"))
		require.Equal(t, 3, dev.run(t, "redeliver", "--id", "msg_none").code)
		require.Equal(t, 2, dev.run(t, "discard", "--class", "gone").code)
		require.Len(t, receiver.requests(), 1)
	})
	undelivered := func(t *testing.T, want ...string) {
		t.Helper()
		require.Eventually(t, func() bool {
			var listed []struct{ ID string }
			dev.into(t, &listed, "list", "--undelivered")
			var ids []string
			for _, l := range listed {
				ids = append(ids, l.ID)
			}
			return slices.Equal(ids, want)
		}, time.Minute, 100*time.Millisecond, "list --undelivered has %v", want)
	}
	t.Run("undelivered deliveries of a closed interaction", func(t *testing.T) {
		require.Eventually(t, func() bool { return dev.isOver(t, "interaction/default/c1") }, time.Minute, 50*time.Millisecond)
		undelivered(t, "c1")
		require.Contains(t, dev.run(t, "show", "c1").out, "2 not delivered")
	})
	t.Run("redeliver", func(t *testing.T) {
		receiver.answer(http.StatusOK)
		require.Equal(t, bulkResult{Matched: 1, Sent: 1}, dev.bulk(t, "redeliver", "--call", "crm"))
		require.Eventually(t, func() bool { return len(receiver.requests()) == 3 }, time.Minute, 20*time.Millisecond)
		got := receiver.requests()
		require.Equal(t, received{parked[0].ID, parked[0].ID, `{"id":"c1","when":"interaction_starts"}`}, got[0])
		require.Equal(t, got[0], got[1], "the same id and bytes")
		require.Equal(t, received{all[1].ID, all[1].ID, `{"id":"c1","when":"interaction_ends"}`}, got[2], "then the delivery that waited behind it")
		for _, workflowID := range []string{"delivery/default/c1/crm", "interaction/default/c1"} {
			require.Eventually(t, func() bool { return dev.isOver(t, workflowID) }, time.Minute, 50*time.Millisecond, workflowID)
		}
		eventually(t, dev, 0, "deliveries")
		for _, d := range eventually(t, dev, 2, "deliveries", "c1") {
			require.Equal(t, "delivered", d.Status)
		}
		undelivered(t)
		require.Contains(t, dev.run(t, "show", "c1").out, "0 not delivered")
		require.Regexp(t, `default/c1 +inbound +completed +abandoned +0 `, dev.run(t, "list", "--id", "c1").out)
	})
	t.Run("discard", func(t *testing.T) {
		receiver.answer(http.StatusGone)
		require.Equal(t, 0, dev.run(t, "start", `{"id":"c2","channel":"inbound"}`).code)
		waiting := eventually(t, dev, 1, "deliveries", "--parked")
		require.Equal(t, bulkResult{Matched: 1, Sent: 1}, dev.bulk(t, "discard", "--id", waiting[0].ID))
		eventually(t, dev, 0, "deliveries")
		require.Eventually(t, func() bool { return dev.isOver(t, waiting[0].WorkflowID) }, time.Minute, 50*time.Millisecond)
		require.Len(t, receiver.requests(), 4)
	})
	t.Run("a cancellation discards nothing, and discarded deliveries are listed", func(t *testing.T) {
		receiver.answer(http.StatusGone)
		require.Equal(t, 0, dev.run(t, "start", `{"id":"c4","channel":"inbound"}`).code)
		require.Equal(t, 0, dev.run(t, "signal", "abandon", "c4").code)
		lane := eventually(t, dev, 2, "deliveries", "--contact-center", "default")[0].WorkflowID
		temporal := dev.temporal(t)
		require.NoError(t, temporal.CancelWorkflow(t.Context(), lane, ""))
		require.Eventually(t, func() bool { return strings.Contains(dev.page(t, lane), "It changed nothing") }, time.Minute, 100*time.Millisecond)
		eventually(t, dev, 2, "deliveries")

		// As the Temporal UI sends the signal: without an operator, whose identity is in the history.
		require.NoError(t, temporal.SignalWorkflow(t.Context(), lane, "", "discard", map[string]any{"all": true}))
		require.Eventually(t, func() bool { return dev.isOver(t, lane) }, time.Minute, 50*time.Millisecond)
		require.Contains(t, dev.page(t, lane), "0 to deliver, 0 of them parked. 2 were discarded.")
		discarded := eventually(t, dev, 3, "deliveries", "--discarded")
		by := map[string]string{}
		for _, d := range discarded {
			require.Equal(t, "discarded", d.Status)
			require.NotEmpty(t, d.Discarded.At)
			by[d.Interaction] = d.Discarded.By
		}
		host, err := os.Hostname()
		require.NoError(t, err)
		require.Contains(t, by["c4"], fmt.Sprint(os.Getpid()), "the client's identity")
		require.Contains(t, by["c2"], "@"+host, "the operator who ran segue discard")
		table := dev.run(t, "deliveries", "--discarded")
		require.Contains(t, table.out, by["c2"])
		require.Equal(t, 2, dev.run(t, "deliveries", "--discarded", "--parked").code)

		audited := dev.audit(t, 0)
		require.Len(t, audited.Discarded, 3)
		for _, d := range audited.Discarded {
			require.Equal(t, by[d.Interaction], d.By)
		}
		require.Len(t, dev.audit(t, 0, "c4").Discarded, 2)
		require.Empty(t, dev.audit(t, 0, "--since", "2999-01-01T00:00:00Z").Discarded)
		words := dev.run(t, "audit")
		require.Contains(t, words.out, by["c4"])
	})
	t.Run("redeliver deliveries that still retry", func(t *testing.T) {
		receiver.answer(http.StatusServiceUnavailable)
		require.Equal(t, 0, dev.run(t, "start", `{"id":"c3","channel":"inbound"}`).code)
		require.Equal(t, "waiting", eventually(t, dev, 1, "deliveries", "--class", "http_5xx")[0].Status)
		require.Equal(t, bulkResult{}, dev.bulk(t, "redeliver", "c3"), "it is not parked")
		receiver.answer(http.StatusOK)
		for _, args := range [][]string{{"redeliver", "default/c3"}, {"discard", "default/c3", "--dry-run"}} {
			require.Contains(t, dev.run(t, args...).errs, "None is parked; 1 wait for their next attempt: use --retrying to include them.")
		}
		require.NotContains(t, dev.run(t, "redeliver", "default/c1").errs, "--retrying")
		require.Equal(t, bulkResult{Matched: 1, Sent: 1}, dev.bulk(t, "redeliver", "default/c3", "--retrying", "--rate", "100"))
		require.Eventually(t, func() bool { return dev.isOver(t, "delivery/default/c3/crm") }, time.Minute, 50*time.Millisecond)
	})
	require.Equal(t, 0, dev.interrupt(t))
}
