package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// TestAnOutage lets a receiver break every connection for longer than it takes to
// find that out, while events of many interactions come, and half of these end.
func TestAnOutage(t *testing.T) {
	t.Parallel()
	const interactions, each, outage = 40, 5, 11 * time.Second
	e := newEnv(t)
	var back atomic.Bool
	crm := newReceiver(t, func(arrival) int {
		if back.Load() {
			return 200
		}
		return 0
	})
	yaml := strings.Replace(probeConfig(crm.URL, "inbound.dtmf"), "[100ms, 200ms, 500ms, 1s, 2s]", "[1s, 1s, 2s, 2s, 5s, 5s, 5s, 5s, 5s, 5s]", 1)
	e.startWorker(strings.Replace(yaml, "method: POST", "method: POST\n    limits: {rate: 50}", 1))
	var senders errgroup.Group
	senders.SetLimit(16)
	for i := range interactions {
		senders.Go(func() error {
			id := fmt.Sprintf("i%d", i)
			e.start(id, "inbound")
			for range each {
				e.signal(id, "dtmf", `{"digits":"1"}`)
			}
			if i%2 == 0 {
				e.signal(id, "complete", `{}`)
			}
			return nil
		})
	}
	require.NoError(t, senders.Wait())
	e.eventually(time.Minute, "the receiver is tried", func() bool { return len(crm.seen()) >= 5 })
	time.Sleep(time.Until(crm.seen()[0].At.Add(outage)))
	back.Store(true)
	recovered := time.Now()
	arrived := func() (list []arrival) {
		for _, a := range crm.seen() {
			if a.At.After(recovered) {
				list = append(list, a)
			}
		}
		return list
	}
	e.eventually(2*time.Minute, "all arrive", func() bool { return len(arrived()) >= interactions*each })

	all := arrived()
	tries := len(crm.seen()) - len(all)
	t.Logf("%d tries in an outage of %s; then all arrived within %s", tries, outage, all[len(all)-1].At.Sub(recovered))
	// Five in a row open the breaker, and what was under way at that moment may end; then
	// there is a probe every 10 s.
	require.LessOrEqual(t, tries, 5+20+2)
	first := all[0].At
	early := 0
	for _, a := range all {
		if a.At.Sub(first) < time.Second {
			early++
		}
	}
	require.LessOrEqual(t, early, 25, "a receiver that is back is run up slowly")
	last := map[string]int64{}
	for _, a := range all {
		var body struct {
			ID       string
			Sequence int64
		}
		require.NoError(t, json.Unmarshal([]byte(a.Body), &body))
		require.Greater(t, body.Sequence, last[body.ID], "%s is out of order, or came twice", body.ID)
		last[body.ID] = body.Sequence
	}
	require.Len(t, last, interactions)
	require.Len(t, all, interactions*each)
}
