package e2e_test

import (
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var digitsOf = regexp.MustCompile(`"digits":"(\d+)"`)

// TestOrderPolicies sends five events to three calls that differ in their order. The
// first of each fails: for good where a lane may block or skip it, for some seconds
// where nothing is ordered.
func TestOrderPolicies(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	var mu sync.Mutex
	failed := map[string]bool{}
	crm := newReceiver(t, func(a arrival) int {
		mu.Lock()
		defer mu.Unlock()
		if digitsOf.FindStringSubmatch(a.Body)[1] != "1" || failed[a.Path] {
			return 200
		}
		failed[a.Path] = true
		if a.Path == "/unordered" {
			return 503
		}
		return 410
	})
	yaml := "calls:\n"
	for _, order := range []string{"block", "skip", "unordered"} {
		yaml += fmt.Sprintf("  - {name: %[1]s, method: POST, url: '%[2]s/%[1]s', order: %[1]s, json: {digits: '${event.digits}'}, retry: {schedule: [3s, 3s]}}\n", order, crm.URL)
	}
	e.startWorker(yaml + `triggers:
  - {when: inbound.dtmf, call: block}
  - {when: inbound.dtmf, call: skip}
  - {when: inbound.dtmf, call: unordered}
timeouts: {default: {late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`)
	e.start("i", "inbound")
	for i := range 5 {
		e.signal("i", "dtmf", fmt.Sprintf(`{"digits":"%d"}`, i+1))
	}
	came := func(order string) (digits []string) {
		for _, a := range crm.seen() {
			if a.Path == "/"+order {
				digits = append(digits, digitsOf.FindStringSubmatch(a.Body)[1])
			}
		}
		return digits
	}
	e.eventually(time.Minute, "skip and unordered go on", func() bool { return len(came("skip")) >= 5 && len(came("unordered")) >= 6 })
	require.Equal(t, []string{"1"}, came("block"), "nothing passes a parked one")
	require.Equal(t, []string{"1", "2", "3", "4", "5"}, came("skip"), "all pass it, in order")
	loose := came("unordered")
	require.Equal(t, "1", loose[0])
	require.ElementsMatch(t, []string{"2", "3", "4", "5"}, loose[1:5], "nobody waits for one that is tried again")
	require.Equal(t, "1", loose[5])

	var listed []any
	e.eventually(time.Minute, "two are parked", func() bool {
		e.segue(&listed, "deliveries", "--parked", "--contact-center", e.name)
		return len(listed) == 2
	})
	var result struct{ Sent int }
	e.segue(&result, "redeliver", "--contact-center", e.name)
	require.Equal(t, 2, result.Sent)
	e.eventually(time.Minute, "what was parked arrives", func() bool { return len(came("block")) >= 6 && len(came("skip")) >= 6 })
	require.Equal(t, []string{"1", "1", "2", "3", "4", "5"}, came("block"))
	require.Equal(t, []string{"1", "2", "3", "4", "5", "1"}, came("skip"))
}
