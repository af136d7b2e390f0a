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

// TestALaneHoldsMoreThanOneWorkflowCan parks the first delivery of a lane, and lets 2 MiB
// wait behind it. All arrives in order, once the receiver takes it.
func TestALaneHoldsMoreThanOneWorkflowCan(t *testing.T) {
	t.Parallel()
	const n = 40
	l := newLab(t)
	var taken atomic.Int64 // so many are taken, and no more
	crm := newReceiver(t, func(a arrival) int {
		digits, _, _ := strings.Cut(a.Body, " ")
		if number, err := strconv.ParseInt(digits, 10, 64); err == nil && number <= taken.Load() {
			return 200
		}
		return 410
	})
	l.startWorker(fmt.Sprintf(`
calls:
  - {name: probe, method: POST, url: "%s/probe", text: "${event.digits} ${user_data.large}"}
triggers:
  - {when: inbound.dtmf, call: probe}
timeouts: {default: {late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, crm.URL))
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
	require.Len(t, crm.seen(), 1, "the first one blocks all")
	lanes := func() (ids []string) {
		for _, e := range l.list(fmt.Sprintf("WorkflowType = 'Delivery' AND SegueContactCenter = '%s' AND ExecutionStatus = 'Running'", l.name)) {
			ids = append(ids, e.GetExecution().GetWorkflowId())
		}
		return ids
	}
	l.eventually(time.Minute, "the lane has parts", func() bool { return len(lanes()) >= 4 })

	for _, id := range lanes() {
		d, err := l.client.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
		require.EqualValues(t, 4, d.GetWorkflowExecutionInfo().GetPriority().GetPriorityKey(), "%s goes behind the interactions", id)
		require.Equal(t, l.name, d.GetWorkflowExecutionInfo().GetPriority().GetFairnessKey(), id)
	}

	redeliver := func(most int64) {
		taken.Store(most)
		var result struct{ Sent int }
		l.eventually(time.Minute, "it is redelivered", func() bool {
			l.segue(&result, "redeliver", "--contact-center", l.name)
			return result.Sent == 1
		})
	}
	redeliver(20)
	l.eventually(time.Minute, "the next one that is parked, in a part, is shown", func() bool {
		var shown struct{ Deliveries []contract.DeliveryRecord }
		l.segue(&shown, "show", l.name+"/i")
		return slices.ContainsFunc(shown.Deliveries, func(d contract.DeliveryRecord) bool {
			return d.Status == contract.StatusParked && len(d.Attempts) == 1
		})
	})
	require.Len(t, crm.seen(), 1+20+1)
	redeliver(n)
	l.eventually(time.Minute, "all lanes close", func() bool { return len(lanes()) == 0 })
	arrived := crm.seen()
	require.Len(t, arrived, n+2)
	for i, a := range slices.Concat(arrived[1:21], arrived[22:]) {
		digits, _, _ := strings.Cut(a.Body, " ")
		require.Equal(t, fmt.Sprint(i+1), digits)
	}
	for _, e := range l.list(fmt.Sprintf("WorkflowType = 'Delivery' AND SegueContactCenter = '%s'", l.name)) {
		l.requireReplays(e.GetExecution().GetWorkflowId())
	}
}
