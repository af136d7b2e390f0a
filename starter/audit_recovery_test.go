package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/contract"
)

// The run that recovers an ended interaction may wait for a worker, be ended itself, or be
// started by another audit.
func TestAnInteractionIsRecoveredOnce(t *testing.T) {
	t.Parallel()
	receiver, url := newLedger(t, http.StatusOK)
	dev := startDev(t, "--config", auditConfigFor(t, url, url))
	temporal := dev.temporal(t)
	ends := func(id string) (count int) {
		counts, _ := receiver.bodies(id)
		return counts[fmt.Sprintf(`{"id":%q,"when":"interaction_ends","outcome":"canceled","why":"by mistake"}`, id)]
	}
	var started map[string]string
	dev.into(t, &started, "start", `{"id":"c1","channel":"inbound","queue":"sales"}`)
	const workflowID = "interaction/default/c1"
	terminate := func() { require.NoError(t, temporal.TerminateWorkflow(t.Context(), workflowID, "", "by mistake")) }
	terminate()
	dev.finds(t, 1, "c1")

	// No worker runs on the recovery's task queue.
	require.Equal(t, 1, dev.audit(t, 0, "c1", "--fire", "--task-queue", "nobody").Fired)
	require.Zero(t, dev.audit(t, 0, "c1", "--fire").Fired, "it is being recovered")
	terminate()
	dev.finds(t, 1, "c1")
	require.Equal(t, 1, dev.audit(t, 0, "c1", "--fire").Fired, "the recovery had done nothing yet")
	require.Eventually(t, func() bool { return ends("c1") == 1 && dev.isOver(t, workflowID) }, time.Minute, 50*time.Millisecond)
	require.Zero(t, dev.audit(t, 0, "c1", "--fire").Fired)

	run, err := temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: workflowID, TaskQueue: "segue"}, "Interaction",
		json.RawMessage(`{}`), contract.RecoveryStart{Recovers: contract.EndedRun{WorkflowID: workflowID, RunID: started["run_id"]}})
	require.NoError(t, err)
	err = run.Get(t.Context(), nil)
	require.ErrorContains(t, err, "cannot be recovered: run ")
	require.ErrorContains(t, err, "has recovered it")
	require.Equal(t, 1, ends("c1"))
	require.Equal(t, 0, dev.interrupt(t))
}
