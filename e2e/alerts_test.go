package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/replay"
)

// alertsConfig has a receiver that will be down, one that is gone, and a pager for operators. Interactions are
// notified of faults at the pager, too.
func alertsConfig(crm, pager string) string {
	return fmt.Sprintf(`
calls:
  - {name: crm, method: POST, url: "%[1]s/crm", json: {id: "${interaction.id}"}, retry: {schedule: [%[3]s]}}
  - {name: gone, method: POST, url: "%[2]s/gone", json: {id: "${interaction.id}"}}
  - name: pager
    method: POST
    url: %[2]s/pager
    json: {when: "${event.when}", call: "${event.call}", class: "${event.class}", code: "${event.code}", of: "${event.of}", reason: "${event.reason}",
      since: "${event.since}", failing_for: "${event.failing_for}", lanes: "${event.lanes}", count: "${event.count}", interaction: "${event.interaction}"}
    missing: "null"
    retry: {schedule: [100ms, 100ms, 100ms]}
triggers:
  - {when: interaction_starts, call: crm}
  - {when: inbound.dtmf, call: gone}
  - {when: fault, call: pager}
  - {when: [operator.delivery_failing, operator.delivery_parked, operator.breaker_open, operator.receiver_recovered], call: pager}
alerts: {failing_after: 2s, recovered_after: 1s}
timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, crm, pager, strings.TrimSuffix(strings.Repeat("500ms, ", 90), ", "))
}

// alert is the body of a request to the pager.
type alert struct {
	ID                                         string
	When, Call, Class, Of, Reason, Interaction string
	Since                                      string
	Code, Lanes, Count                         int
	FailingFor                                 float64 `json:"failing_for"`
}

func alertsOf(t *testing.T, r *receiver) []alert {
	t.Helper()
	var list []alert
	for _, a := range r.seen() {
		if a.Path != "/pager" {
			continue
		}
		var told alert
		require.NoError(t, json.Unmarshal([]byte(a.Body), &told), a.Body)
		told.ID = a.ID
		list = append(list, told)
	}
	return list
}

// TestOperatorsAreNotifiedOfAReceiverThatIsDown takes a receiver down under many interactions, kills the worker
// meanwhile, and lets the receiver recover. Each alert arrives once, at a pager that rejects the first attempt.
func TestOperatorsAreNotifiedOfAReceiverThatIsDown(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	var down atomic.Bool
	var broken atomic.Int64
	down.Store(true)
	crm := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			broken.Add(1)
			panic(http.ErrAbortHandler) // resets the connection
		}
	}))
	t.Cleanup(crm.Close)
	var refused atomic.Bool
	pager := newReceiver(t, func(a arrival) int {
		switch {
		case a.Path == "/gone":
			return http.StatusGone
		case refused.CompareAndSwap(false, true):
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	worker := e.startWorker(alertsConfig(crm.URL, pager.URL))

	const interactions = 12
	for i := range interactions {
		e.start(fmt.Sprintf("i%d", i), "inbound")
	}
	when := func(moment string) (told []alert) {
		for _, a := range alertsOf(t, pager) {
			if a.When == moment {
				told = append(told, a)
			}
		}
		return told
	}
	e.eventually(time.Minute, "both alerts", func() bool {
		return len(when("operator.breaker_open")) > 0 && len(when("operator.delivery_failing")) > 0
	})
	failing := when("operator.delivery_failing")[0]
	require.Equal(t, "crm", failing.Call)
	require.Equal(t, "reset", failing.Class)
	require.GreaterOrEqual(t, failing.FailingFor, 2.0)
	require.Positive(t, failing.Lanes, "lists lag behind")
	require.LessOrEqual(t, failing.Lanes, interactions)
	require.Contains(t, failing.Interaction, "i")
	_, err := time.Parse(time.RFC3339, failing.Since)
	require.NoError(t, err)

	receiver := contract.ReceiverWorkflowID(e.name, "crm")
	e.eventually(time.Minute, "it lists the alerts that it has sent", func() bool {
		var status contract.ReceiverStatus
		value, err := e.client.QueryWorkflow(t.Context(), receiver, "", contract.QueryState)
		return err == nil && value.Get(&status) == nil && status.State == "failing" && len(status.Alerts) == 2
	})

	// The state of the first worker is lost with its process.
	require.NoError(t, worker.Process.Kill())
	_ = worker.Wait()
	before := broken.Load()
	e.startWorker(alertsConfig(crm.URL, pager.URL))
	e.eventually(2*time.Minute, "the other worker finds it down, too", func() bool { return broken.Load() > before })
	down.Store(false)
	e.eventually(2*time.Minute, "the recovery", func() bool { return len(when("operator.receiver_recovered")) > 0 })
	recovered := when("operator.receiver_recovered")[0]
	require.Equal(t, "crm", recovered.Call)
	require.GreaterOrEqual(t, recovered.FailingFor, failing.FailingFor)
	require.Equal(t, failing.Since, recovered.Since)
	e.eventually(time.Minute, "the receiver's workflow completes", func() bool {
		described, err := e.client.DescribeWorkflowExecution(t.Context(), receiver, "")
		return err == nil && described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	})
	for _, moment := range []string{"operator.breaker_open", "operator.delivery_failing", "operator.receiver_recovered"} {
		ids := map[string]bool{}
		for _, told := range when(moment) {
			ids[told.ID] = true
		}
		require.Len(t, ids, 1, "%s once, however many interactions", moment)
	}
	require.Less(t, len(pager.seen()), 10)
	e.requireReplays(receiver)
	e.requireReplays(contract.DeliveryWorkflowID(contract.Owner{Receiver: contract.ReceiverName(e.name, "crm")}, "pager"))
}

// TestOperatorsAndTheInteractionAreNotifiedOfAParkedDelivery parks a delivery: the interaction fires its fault, and
// the receiver's workflow an alert. The alert is parked as well, which raises no other alert, and operators redeliver
// it like any delivery.
func TestOperatorsAndTheInteractionAreNotifiedOfAParkedDelivery(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	var fixed atomic.Bool
	pager := newReceiver(t, func(a arrival) int {
		if a.Path == "/gone" || strings.Contains(a.Body, "operator.") && !fixed.Load() {
			return http.StatusGone
		}
		return http.StatusOK
	})
	e.startWorker(alertsConfig(pager.URL, pager.URL))
	e.start("i1", "inbound")
	e.signal("i1", "dtmf", `{"digits":"1"}`)
	e.eventually(time.Minute, "fault and alert", func() bool { return len(alertsOf(t, pager)) == 2 })
	told := map[string]alert{}
	for _, a := range alertsOf(t, pager) {
		told[a.When] = a
	}
	fault, parked := told["fault"], told["operator.delivery_parked"]
	require.Equal(t, "gone", fault.Call)
	require.Equal(t, 410, fault.Code)
	require.Equal(t, "inbound.dtmf", fault.Of)
	require.Equal(t, "gone", parked.Class)
	require.Equal(t, 1, parked.Count)
	require.Equal(t, "i1", parked.Interaction)
	records, err := query[[]contract.DeliveryRecord](e, "i1", contract.QueryDeliveries)
	require.NoError(t, err)
	shown := map[string]contract.DeliveryStatus{}
	for _, record := range records {
		shown[record.Moment+" "+record.Call] = record.Status
	}
	require.Equal(t, contract.StatusParked, shown["inbound.dtmf gone"])
	require.Contains(t, shown, "fault pager")
	e.signal("i1", "abandon", `{}`)

	var listed []struct {
		ID, Call, Receiver, Interaction string
		WorkflowID                      string `json:"workflow_id"`
	}
	e.eventually(time.Minute, "the alert is listed as parked", func() bool {
		listed = nil
		e.segue(&listed, "deliveries", "--parked", "--call", "pager", "--class", "gone")
		return len(listed) == 1
	})
	require.Equal(t, contract.ReceiverName(e.name, "gone"), listed[0].Receiver)
	require.Equal(t, "alert/"+e.name+"/gone/pager", listed[0].WorkflowID)
	require.Equal(t, parked.ID, listed[0].ID)
	require.Empty(t, listed[0].Interaction)
	fixed.Store(true)
	var sent struct{ Sent int }
	e.segue(&sent, "redeliver", "--call", "pager", "--class", "gone", "--id", parked.ID)
	require.Equal(t, 1, sent.Sent)
	e.eventually(time.Minute, "the alert arrives", func() bool { return len(alertsOf(t, pager)) == 3 })
	require.Equal(t, parked, alertsOf(t, pager)[2], "same id and content")
	_, err = e.client.DescribeWorkflowExecution(t.Context(), contract.ReceiverWorkflowID(e.name, "pager"), "")
	require.Error(t, err, "no alert is about an alert that did not arrive")
	e.requireReplays(contract.ReceiverWorkflowID(e.name, "gone"))
}

// segue runs the command line and reads the JSON that it prints.
func (e *env) segue(into any, args ...string) {
	e.t.Helper()
	command := exec.Command(segueBin, append(args, "--json", "--address", temporal.Address, "--task-queue", e.name)...)
	var errs strings.Builder
	command.Stderr = &errs
	out, err := command.Output()
	require.NoError(e.t, err, errs.String())
	require.NoError(e.t, json.Unmarshal(out, into), string(out))
}

// requireReplays replays the history of a workflow.
func (e *env) requireReplays(workflowID string) {
	e.t.Helper()
	require.NoError(e.t, replay.Execution(e.t.Context(), e.client, workflow.Execution{ID: workflowID}, quiet))
}
