package e2e_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPartsKeepUpWithAStream lets an interaction go on while the parts of its lane catch up, so
// that parts pass while the lane forwards to them and links new ones. The workers pause in
// turn. Everything arrives in order, and the chain ends.
func TestPartsKeepUpWithAStream(t *testing.T) {
	t.Parallel()
	const backlog, n = 20, 90
	l := &parkedLane{env: newEnv(t)}
	l.crm = newReceiver(t, l.answer)
	configuration := fmt.Sprintf(`
calls:
  - {name: probe, method: POST, url: "%s/probe", text: "${event.digits} ${user_data.large}"}
triggers:
  - {when: inbound.dtmf, call: probe}
timeouts: {default: {late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, l.crm.URL)
	workers := []*exec.Cmd{l.startWorker(configuration), l.startWorker(configuration)}
	l.start("i", "inbound")
	l.signal("i", "attach_user_data", fmt.Sprintf(`{"user_data":{"large":%q}}`, strings.Repeat("x", 50<<10)))
	for i := range backlog {
		l.signal("i", "dtmf", fmt.Sprintf(`{"digits":"%d"}`, i+1))
	}
	l.eventually(time.Minute, "the lane has parts", func() bool { return len(l.open()) >= 2 })
	l.redeliver(n)
	for i := backlog; i < n; i++ {
		l.signal("i", "dtmf", fmt.Sprintf(`{"digits":"%d"}`, i+1))
		pause(t, workers[i/10%2], time.Duration(i%7)*10*time.Millisecond)
	}
	l.signal("i", "complete", `{}`)
	l.eventually(2*time.Minute, "all lanes close", func() bool { return len(l.open()) == 0 })
	require.Equal(t, slices.Concat(numbers(1, 1), numbers(1, n)), l.arrived())
	l.requireAllReplay()
}

// pause stops a worker process for some time.
func pause(t *testing.T, worker *exec.Cmd, long time.Duration) {
	t.Helper()
	require.NoError(t, worker.Process.Signal(syscall.SIGSTOP))
	time.Sleep(long)
	require.NoError(t, worker.Process.Signal(syscall.SIGCONT))
}
