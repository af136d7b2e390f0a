package main_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// ledger is a receiver that remembers what it got and answers as it is told.
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

// shownDelivery is what a test reads of a delivery.
type shownDelivery struct {
	ID, Call, When, Status, Class, Interaction string
	Code                                       int
	ContactCenter                              string `json:"contact_center"`
	WorkflowID                                 string `json:"workflow_id"`
}

// eventually runs a listing until it has n entries: lists lag behind.
func eventually(t *testing.T, dev *live, n int, args ...string) []shownDelivery {
	t.Helper()
	var listed []shownDelivery
	require.Eventually(t, func() bool {
		listed = nil
		dev.into(t, &listed, args...)
		return len(listed) == n
	}, 20*time.Second, 100*time.Millisecond)
	return listed
}

// isOver tells whether a workflow has closed as completed.
func (l *live) isOver(t *testing.T, workflowID string) bool {
	temporal, err := client.Dial(client.Options{HostPort: l.ready.TemporalAddress, Namespace: l.ready.Namespace})
	require.NoError(t, err)
	defer temporal.Close()
	described, err := temporal.DescribeWorkflowExecution(context.Background(), workflowID, "")
	require.NoError(t, err)
	return described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
}

// A receiver says 410: an operator sees what is parked.
func TestOperatorsAgainstALiveSegue(t *testing.T) {
	receiver, url := newLedger(t, http.StatusGone)
	dev := startDev(t, "--config", configFor(t, url))

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
	require.Equal(t, "interaction_ends", all[1].When, "it waits behind the parked one")
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
	t.Run("in words", func(t *testing.T) {
		table := dev.run(t, "deliveries", "--limit", "1")
		require.Equal(t, 0, table.code)
		for _, part := range []string{"default/c1", "parked", "410 gone", "a person", parked[0].ID} {
			require.Contains(t, table.out, part)
		}
		require.Contains(t, table.errs, "more than 1")
	})
	require.Len(t, receiver.requests(), 1)
	require.Equal(t, 0, dev.interrupt(t))
}
