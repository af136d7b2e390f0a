package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is parked is redelivered in bulk, with no rate but the call's own: that holds,
// and ids and bytes are those of the first time.
func TestABulkRedeliveryFollowsTheCallsRate(t *testing.T) {
	t.Parallel()
	const n, rate = 100, 20
	e := newEnv(t)
	var back atomic.Bool
	crm := newReceiver(t, func(arrival) int {
		if back.Load() {
			return 200
		}
		return 410
	})
	e.startWorker(strings.Replace(probeConfig(crm.URL, "interaction_starts"), "method: POST", fmt.Sprintf("method: POST\n    limits: {rate: %d}", rate), 1))
	for i := range n {
		e.start(fmt.Sprintf("i%d", i), "inbound")
	}
	parked := []string{"deliveries", "--parked", "--contact-center", e.name, "--limit", "1000"}
	e.eventually(2*time.Minute, "all are parked", func() bool {
		var listed []any
		e.segue(&listed, parked...)
		return len(listed) == n
	})
	refused := crm.seen()
	require.Len(t, refused, n)

	back.Store(true)
	var result struct{ Matched, Sent, Failed int }
	e.segue(&result, "redeliver", "--call", "probe", "--contact-center", e.name)
	require.Equal(t, n, result.Sent, "%+v", result)
	e.eventually(2*time.Minute, "all arrive", func() bool { return len(crm.seen()) >= 2*n })
	again := crm.seen()[n:]
	took := again[n-1].At.Sub(again[0].At)
	t.Logf("%d arrived in %s", n, took)
	require.Greater(t, took.Seconds(), (n-1)/(rate*1.05), "not faster than %d a second", rate)
	for i := range again {
		again[i].At = time.Time{}
		refused[i].At = time.Time{}
	}
	byID := func(a, b arrival) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(again, byID)
	slices.SortFunc(refused, byID)
	require.Equal(t, refused, again)
}
