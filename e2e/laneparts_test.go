package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

// parkedLane is a lane whose first delivery is parked, with the others behind it.
type parkedLane struct {
	*env
	crm *receiver
	// accepted is the number of the last delivery that the receiver accepts.
	accepted atomic.Int64
}

// newParkedLane lets an interaction have n deliveries of 50 KiB for one call, and end.
func newParkedLane(t *testing.T, n int) *parkedLane {
	l := &parkedLane{env: newEnv(t)}
	l.crm = newReceiver(t, l.answer)
	l.startWorker(fmt.Sprintf(`
calls:
  - {name: probe, method: POST, url: "%s/probe", text: "${event.digits} ${user_data.large}"}
triggers:
  - {when: inbound.dtmf, call: probe}
timeouts: {default: {late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, l.crm.URL))
	l.start("i", "inbound")
	l.signal("i", "attach_user_data", fmt.Sprintf(`{"user_data":{"large":%q}}`, strings.Repeat("x", 50<<10)))
	for i := range n {
		l.signal("i", "dtmf", fmt.Sprintf(`{"digits":"%d"}`, i+1))
	}
	l.signal("i", "complete", `{}`)
	l.eventually(time.Minute, "the interaction closes", func() bool {
		d, err := l.client.DescribeWorkflowExecution(t.Context(), l.workflowID("i"), "")
		return err == nil && d.GetWorkflowExecutionInfo().GetCloseTime() != nil
	})
	require.Len(t, l.crm.seen(), 1, "the first one blocks all")
	l.eventually(time.Minute, "all deliveries are in the lane or its parts", func() bool {
		held := 0
		for _, id := range l.open() {
			var records []contract.DeliveryRecord
			value, err := l.client.QueryWorkflow(t.Context(), id, "", contract.QueryDeliveries)
			if err != nil || value.Get(&records) != nil {
				return false
			}
			held += len(records)
		}
		d, err := l.client.DescribeWorkflowExecution(t.Context(), l.lane(), "")
		return err == nil && held == n && len(d.GetPendingActivities()) == 0 && d.GetPendingWorkflowTask() == nil
	})
	return l
}

// answer plays the receiver.
func (l *parkedLane) answer(a arrival) int {
	digits, _, _ := strings.Cut(a.Body, " ")
	if number, err := strconv.ParseInt(digits, 10, 64); err == nil && number <= l.accepted.Load() {
		return 200
	}
	return 410
}

// open lists the workflows of the lane that are open.
func (l *parkedLane) open() (ids []string) {
	for _, e := range l.list(fmt.Sprintf("WorkflowType = 'Delivery' AND SegueContactCenter = '%s' AND ExecutionStatus = 'Running'", l.name)) {
		ids = append(ids, e.GetExecution().GetWorkflowId())
	}
	return ids
}

// redeliver lets the receiver accept the deliveries up to a number, and redelivers the parked one.
func (l *parkedLane) redeliver(accepted int64) {
	l.accepted.Store(accepted)
	var result struct{ Sent int }
	l.eventually(time.Minute, "it is redelivered", func() bool {
		l.segue(&result, "redeliver", "--contact-center", l.name)
		return result.Sent == 1
	})
}

// arrived lists the numbers of the deliveries that the receiver got, in order.
func (l *parkedLane) arrived() (numbers []string) {
	for _, a := range l.crm.seen() {
		digits, _, _ := strings.Cut(a.Body, " ")
		numbers = append(numbers, digits)
	}
	return numbers
}

func (l *parkedLane) requireAllReplay() {
	l.t.Helper()
	for _, e := range l.list(fmt.Sprintf("WorkflowType = 'Delivery' AND SegueContactCenter = '%s'", l.name)) {
		l.requireReplays(e.GetExecution().GetWorkflowId())
	}
}

func numbers(from, to int) (list []string) {
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprint(i))
	}
	return list
}

// TestALaneHoldsMoreThanOneWorkflowCan parks the first delivery of a lane, and lets 2 MiB
// wait behind it. All arrives in order, once the receiver accepts it.
func TestALaneHoldsMoreThanOneWorkflowCan(t *testing.T) {
	t.Parallel()
	const n = 40
	l := newParkedLane(t, n)
	l.eventually(time.Minute, "the lane has parts", func() bool { return len(l.open()) >= 4 })

	for _, id := range l.open() {
		d, err := l.client.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
		require.EqualValues(t, 4, d.GetWorkflowExecutionInfo().GetPriority().GetPriorityKey(), "%s goes behind the interactions", id)
		require.Equal(t, l.name, d.GetWorkflowExecutionInfo().GetPriority().GetFairnessKey(), id)
	}

	l.redeliver(20)
	l.eventually(time.Minute, "the next parked delivery, in a part, is shown", func() bool {
		var shown struct{ Deliveries []contract.DeliveryRecord }
		l.segue(&shown, "show", l.name+"/i")
		return slices.ContainsFunc(shown.Deliveries, func(d contract.DeliveryRecord) bool {
			return d.Status == contract.StatusParked && len(d.Attempts) == 1
		})
	})
	require.Len(t, l.crm.seen(), 1+20+1)
	l.redeliver(n)
	l.eventually(time.Minute, "all lanes close", func() bool { return len(l.open()) == 0 })
	require.Equal(t, slices.Concat(numbers(1, 1), numbers(1, 21), numbers(21, n)), l.arrived())
	l.requireAllReplay()
}

// TestATerminatedPartIsRecovered terminates a part of a lane. Nothing overtakes what it held,
// and an audit recovers that in order.
func TestATerminatedPartIsRecovered(t *testing.T) {
	t.Parallel()
	l := newParkedLane(t, terminatedDeliveries)
	terminated := l.next(l.lane())
	behind := l.next(terminated)
	require.NoError(t, l.client.TerminateWorkflow(t.Context(), terminated, "", "by mistake"))
	l.redeliver(terminatedDeliveries)
	l.eventually(time.Minute, "the part is released, and waits", func() bool {
		d, err := l.client.DescribeWorkflowExecution(t.Context(), terminated, "")
		return err == nil && d.GetWorkflowExecutionInfo().GetCloseTime() == nil
	})
	l.requireRecovery(terminated, behind)
}

// TestATerminatedLaneIsRecoveredBeforeItsParts terminates a lane that has parts.
func TestATerminatedLaneIsRecoveredBeforeItsParts(t *testing.T) {
	t.Parallel()
	l := newParkedLane(t, terminatedDeliveries)
	behind := l.next(l.lane())
	require.NoError(t, l.client.TerminateWorkflow(t.Context(), l.lane(), "", "by mistake"))
	l.accepted.Store(terminatedDeliveries)
	l.requireRecovery(l.lane(), behind)
}

// terminatedDeliveries are enough for a lane and two parts.
const terminatedDeliveries = 30

func (l *parkedLane) lane() string { return fmt.Sprintf("delivery/%s/i/probe", l.name) }

// next waits for the part that follows a workflow of the lane.
func (l *parkedLane) next(id string) (part string) {
	l.eventually(time.Minute, "a part follows "+id, func() bool {
		var parts []string
		value, err := l.client.QueryWorkflow(l.t.Context(), id, "", contract.QueryParts)
		if err != nil || value.Get(&parts) != nil || len(parts) != 1 {
			return false
		}
		part = parts[0]
		return true
	})
	return part
}

// requireRecovery audits the terminated workflow, and requires that a recovery delivers
// everything in order.
func (l *parkedLane) requireRecovery(terminated, behind string) {
	t := l.t
	t.Helper()
	const n = terminatedDeliveries
	sent := len(l.crm.seen())
	require.Less(t, sent, n)

	var audit struct {
		Fired    int
		Findings []struct {
			WorkflowID string `json:"workflow_id"`
			Deliveries []struct{ ID string }
			Waiting    []struct {
				WorkflowID string `json:"workflow_id"`
				Deliveries int
			}
		}
	}
	l.eventually(time.Minute, "an audit finds it", func() bool {
		out, _ := l.try("audit", "--contact-center", l.name, "--json")
		return json.Unmarshal([]byte(out), &audit) == nil && len(audit.Findings) == 1
	})
	finding := audit.Findings[0]
	require.Equal(t, terminated, finding.WorkflowID)
	require.Equal(t, behind, finding.Waiting[0].WorkflowID)
	waiting := 0
	for _, part := range finding.Waiting {
		waiting += part.Deliveries
	}
	require.Equal(t, n+1, sent+len(finding.Deliveries)+waiting, "it lists everything that is missing")
	require.Len(t, l.crm.seen(), sent, "nothing overtakes what the part held")

	l.segue(&audit, "audit", "--contact-center", l.name, "--fire")
	require.Equal(t, 1, audit.Fired)
	l.eventually(time.Minute, "all lanes close", func() bool { return len(l.open()) == 0 })
	require.Equal(t, slices.Concat(numbers(1, 1), numbers(1, n)), l.arrived())
	l.eventually(time.Minute, "an audit finds nothing, in lists that lag behind, too", func() bool {
		audit.Findings = nil
		out, code := l.try("audit", "--contact-center", l.name, "--json")
		return code == 0 && json.Unmarshal([]byte(out), &audit) == nil && len(audit.Findings) == 0
	})
	l.requireAllReplay()
}
