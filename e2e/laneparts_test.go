package e2e_test

import (
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

// TestALaneHoldsMoreThanOneWorkflowCan parks the first delivery of a lane and adds 2 MiB of deliveries behind it. All
// arrive in order when the receiver accepts them.
func TestALaneHoldsMoreThanOneWorkflowCan(t *testing.T) {
	t.Parallel()
	const n = 40
	e := newEnv(t)
	var taken atomic.Int64 // how many the receiver accepts
	crm := newReceiver(t, func(a arrival) int {
		digits, _, _ := strings.Cut(a.Body, " ")
		if number, err := strconv.ParseInt(digits, 10, 64); err == nil && number <= taken.Load() {
			return 200
		}
		return 410
	})
	e.startWorker(fmt.Sprintf(`
calls:
  - {name: probe, method: POST, url: "%s/probe", text: "${event.digits} ${user_data.large}"}
triggers:
  - {when: inbound.dtmf, call: probe}
timeouts: {default: {late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, crm.URL))
	e.start("i", "inbound")
	e.signal("i", "attach_user_data", fmt.Sprintf(`{"user_data":{"large":%q}}`, strings.Repeat("x", 50<<10)))
	for i := range n {
		e.signal("i", "dtmf", fmt.Sprintf(`{"digits":"%d"}`, i+1))
	}
	e.signal("i", "complete", `{}`)
	e.eventually(time.Minute, "the interaction closes", func() bool {
		d, err := e.client.DescribeWorkflowExecution(t.Context(), e.workflowID("i"), "")
		return err == nil && d.GetWorkflowExecutionInfo().GetCloseTime() != nil
	})
	require.Len(t, crm.seen(), 1, "the first one blocks all")
	lanes := func() (ids []string) {
		for _, execution := range e.list(fmt.Sprintf("WorkflowType = 'Delivery' AND SegueContactCenter = '%s' AND ExecutionStatus = 'Running'", e.name)) {
			ids = append(ids, execution.GetExecution().GetWorkflowId())
		}
		return ids
	}
	e.eventually(time.Minute, "the lane has parts", func() bool { return len(lanes()) >= 4 })

	for _, id := range lanes() {
		d, err := e.client.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
		require.EqualValues(t, 4, d.GetWorkflowExecutionInfo().GetPriority().GetPriorityKey(), "%s goes behind the interactions", id)
		require.Equal(t, e.name, d.GetWorkflowExecutionInfo().GetPriority().GetFairnessKey(), id)
	}

	redeliver := func(most int64) {
		taken.Store(most)
		var result struct{ Sent int }
		e.eventually(time.Minute, "it is redelivered", func() bool {
			e.segue(&result, "redeliver", "--contact-center", e.name)
			return result.Sent == 1
		})
	}
	redeliver(20)
	e.eventually(time.Minute, "the next one that is parked, in a part, is shown", func() bool {
		var shown struct{ Deliveries []contract.DeliveryRecord }
		e.segue(&shown, "show", e.name+"/i")
		return slices.ContainsFunc(shown.Deliveries, func(d contract.DeliveryRecord) bool {
			return d.Status == contract.StatusParked && len(d.Attempts) == 1
		})
	})
	require.Len(t, crm.seen(), 1+20+1)
	redeliver(n)
	e.eventually(time.Minute, "all lanes close", func() bool { return len(lanes()) == 0 })
	arrived := crm.seen()
	require.Len(t, arrived, n+2)
	for i, a := range slices.Concat(arrived[1:21], arrived[22:]) {
		digits, _, _ := strings.Cut(a.Body, " ")
		require.Equal(t, fmt.Sprint(i+1), digits)
	}
	for _, execution := range e.list(fmt.Sprintf("WorkflowType = 'Delivery' AND SegueContactCenter = '%s'", e.name)) {
		e.requireReplays(execution.GetExecution().GetWorkflowId())
	}
}
