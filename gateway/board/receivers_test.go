package board_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/gateway/board"
	"segue/metrics"
)

const twoCalls = `
calls:
  - {name: crm, method: POST, url: "https://crm.example.com/"}
  - {name: erp, method: POST, url: "https://erp.example.com/"}
`

func report(worker, call string, state contract.ReceiverState, p95 int64) contract.ReceiverReport {
	return contract.ReceiverReport{Worker: worker, Call: call, State: state, P95: p95}
}

// receiver returns a receiver of the board.
func receiver(t *testing.T, b *board.Board, call string) board.Receiver {
	t.Helper()
	for _, r := range b.Receivers(t.Context(), cc) {
		if r.Call == call {
			return r
		}
	}
	return board.Receiver{}
}

func TestTheWorstStateOfAllWorkersCounts(t *testing.T) {
	inWorld(t, twoCalls, func(w *world, b *board.Board) {
		require.Equal(w.t, board.StateUnknown, receiver(w.t, b, "crm").State, "no worker has reported")
		states := []contract.ReceiverState{contract.ReceiverHealthy, contract.ReceiverSlow, contract.ReceiverFailing, contract.ReceiverBreakerOpen}
		for i, one := range states {
			for j, other := range states {
				b.Take(report("w1", "crm", one, int64(i)))
				b.Take(report("w2", "crm", other, int64(j)))
				r := receiver(w.t, b, "crm")
				require.Equal(w.t, string(states[max(i, j)]), r.State)
				require.Equal(w.t, int64(max(i, j)), r.P95)
			}
		}
		require.Equal(w.t, board.StateUnknown, receiver(w.t, b, "erp").State)
	})
}

func TestASilentWorkerIsForgotten(t *testing.T) {
	inWorld(t, twoCalls, func(w *world, b *board.Board) {
		b.Take(report("w1", "crm", contract.ReceiverBreakerOpen, 10))
		for range 3 {
			pass(4 * time.Second)
			b.Take(report("w2", "crm", contract.ReceiverHealthy, 5))
		}
		require.Equal(w.t, "breaker_open", receiver(w.t, b, "crm").State)
		pass(3 * time.Second)
		require.Equal(w.t, "healthy", receiver(w.t, b, "crm").State, "15 seconds after the last report of the first")
		require.Equal(w.t, int64(5), receiver(w.t, b, "crm").P95)
		pass(15 * time.Second)
		require.Equal(w.t, board.StateUnknown, receiver(w.t, b, "crm").State)
		b.Take(report("w3", "crm", contract.ReceiverHealthy, 5))
		require.Equal(w.t, 1, b.Reports(), "and takes no memory")
	})
}

func TestReportsThatCannotBeAreDropped(t *testing.T) {
	inWorld(t, twoCalls, func(w *world, b *board.Board) {
		long := fmt.Sprintf("%300d", 1)
		for _, r := range []contract.ReceiverReport{
			report("", "crm", contract.ReceiverSlow, 0), report("w1", "", contract.ReceiverSlow, 0), report("w1", "crm", "on_fire", 0),
			report(long, "crm", contract.ReceiverSlow, 0), report("w1", long, contract.ReceiverSlow, 0),
		} {
			b.Take(r)
		}
		require.Zero(w.t, b.Reports())
		b.Take(report("w1", "crm", contract.ReceiverHealthy, -5))
		require.Zero(w.t, receiver(w.t, b, "crm").P95)
	})
}

func TestCallsThatOnlyWorkersKnowAreShown(t *testing.T) {
	inWorld(t, twoCalls, func(w *world, b *board.Board) {
		b.Take(report("w1", "new", contract.ReceiverHealthy, 5))
		b.CountWith(func(context.Context, string) (map[string]metrics.Lanes, error) {
			return map[string]metrics.Lanes{"old": {Open: 3, WithParked: 1, Parked: 2, Oldest: time.Now().Add(-time.Minute)}}, nil
		})
		require.Equal(w.t, []board.Receiver{
			{Call: "crm", State: "unknown", Counted: true}, {Call: "erp", State: "unknown", Counted: true},
			{Call: "new", State: "healthy", P95: 5, Counted: true}, {Call: "old", State: "unknown", Counted: true, Waiting: 2, Parked: 2, Oldest: time.Minute},
		}, b.Receivers(w.t.Context(), cc))
	})
}

func TestCountsAreSharedAndNotTooFrequent(t *testing.T) {
	inWorld(t, twoCalls, func(w *world, _ *board.Board) {
		var counted atomic.Int64
		var fails atomic.Bool
		takes := 100 * time.Millisecond
		b := board.New(board.Options{Config: w.store})
		b.CountWith(func(ctx context.Context, contactCenter string) (map[string]metrics.Lanes, error) {
			counted.Add(1)
			select {
			case <-time.After(takes):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			if fails.Load() {
				return nil, errors.New("too many requests")
			}
			n := int(counted.Load())
			return map[string]metrics.Lanes{contactCenter: {Open: n + 1, WithParked: 1, Parked: n, Oldest: time.Now()}}, nil
		})
		ctx, cancel := context.WithCancel(w.t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = b.RunCounts(ctx) })
		synctest.Wait()
		defer running.Wait()
		defer cancel()

		var asking sync.WaitGroup
		for range 20 {
			asking.Go(func() {
				r := receiver(w.t, b, cc)
				require.True(w.t, r.Counted)
				require.Equal(w.t, 1, r.Waiting)
				require.Equal(w.t, 1, r.Parked)
			})
		}
		asking.Wait()
		require.EqualValues(w.t, 1, counted.Load(), "one count for all who wait")
		require.Empty(w.t, receiver(w.t, b, "umbrella").Call, "another contact center's lanes are not shown")
		for range 30 {
			require.True(w.t, receiver(w.t, b, cc).Counted)
			pass(time.Second)
		}
		require.LessOrEqual(w.t, counted.Load(), int64(11), "each 3 seconds at most")
		require.GreaterOrEqual(w.t, counted.Load(), int64(8))

		fails.Store(true)
		pass(time.Minute)
		require.True(w.t, receiver(w.t, b, cc).Counted, "the last count is shown while another fails")
		pass(90 * time.Second)
		before := time.Now()
		require.False(w.t, receiver(w.t, b, "crm").Counted, "it is too old")
		require.LessOrEqual(w.t, time.Since(before), 2*time.Second)
		fails.Store(false)
		takes = 20 * time.Second
		pass(time.Minute)
		before = time.Now()
		require.False(w.t, receiver(w.t, b, "crm").Counted)
		require.Equal(w.t, 2*time.Second, time.Since(before), "the answer does not wait for a long count")
		pass(20 * time.Second)
		require.True(w.t, receiver(w.t, b, "crm").Counted)
		n := counted.Load()
		for range 60 {
			receiver(w.t, b, "crm")
			pass(time.Second)
		}
		require.LessOrEqual(w.t, counted.Load(), n+2, "after a long count a long rest")
	})
}
