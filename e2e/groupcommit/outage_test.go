package groupcommit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
)

// Temporal stops for longer than any caller waits. Callers repeat what was not acknowledged with the
// same key, as a client of the gateway does.
func TestAnOutageUnderLoadLosesAndDoublesNothing(t *testing.T) {
	const callers, interactions = 16, 4
	e := newEnv(t)
	var names [interactions]client.Name
	var before [interactions]int64
	for i := range names {
		names[i] = client.Name{ContactCenter: "cc", ID: fmt.Sprintf("%s-%d", e.name.ID, i)}
		start := fmt.Appendf(nil, `{"id":%q,"contact_center":"cc","channel":"inbound","event_id":"s"}`, names[i].ID)
		_, err := e.Start(t.Context(), names[i], start, nil)
		require.NoError(t, err)
		answer, err := e.Send(t.Context(), names[i], "dtmf", json.RawMessage(dtmf("first")))
		require.NoError(t, err)
		before[i] = answer.Sequence
	}
	var ended atomic.Bool
	var given [interactions]atomic.Int64
	var unavailable, acknowledged atomic.Int64
	var senders sync.WaitGroup
	for caller := range callers {
		senders.Go(func() {
			for n := 0; !ended.Load(); n++ {
				at := (caller + n) % interactions
				payload := json.RawMessage(dtmf(fmt.Sprintf("%d.%d", caller, n)))
				given[at].Add(1)
				for tries := 0; ; tries++ {
					ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
					_, err := e.Send(ctx, names[at], "dtmf", payload)
					cancel()
					if err == nil {
						acknowledged.Add(1)
						break
					}
					unavailable.Add(1)
					if !errors.Is(err, client.ErrNoWorker) && !errors.Is(err, client.ErrUnreachable) || tries == 20 {
						t.Errorf("%d.%d: %v", caller, n, err)
						return
					}
				}
			}
		})
	}
	require.Eventually(t, func() bool { return acknowledged.Load() > 200 }, time.Minute, time.Millisecond)
	require.NoError(t, syscall.Kill(segue.Server.PID(), syscall.SIGSTOP))
	resume := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(segue.Server.PID(), syscall.SIGCONT) })
	defer resume.Stop()
	require.Eventually(t, func() bool { return unavailable.Load() >= 2*callers }, time.Minute, time.Millisecond)
	require.NoError(t, syscall.Kill(segue.Server.PID(), syscall.SIGCONT))
	resumed := acknowledged.Load()
	require.Eventually(t, func() bool { return acknowledged.Load() > resumed+200 }, 60*time.Second, time.Millisecond)
	ended.Store(true)
	senders.Wait()
	for i, n := range names {
		state, err := segue.Client.State(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, before[i]+given[i].Load(), state.Sequence, "each command was applied once")
	}
}
