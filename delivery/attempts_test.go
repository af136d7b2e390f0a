package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

func TestOneAttemptIsSentOnce(t *testing.T) {
	var requests atomic.Int32
	release := make(chan struct{})
	server := serve(t, func(http.ResponseWriter, *http.Request) {
		requests.Add(1)
		<-release
	})
	sender := newSender(t)
	var callers sync.WaitGroup
	outcomes := make(chan contract.Outcome, 100)
	attempts := map[*delivery.Attempt]bool{}
	for range 100 {
		attempts[sender.Start(newPolicy(), newRequest(server.URL), 1, "")] = true
		callers.Go(func() { outcomes <- sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 1) })
	}
	assert.Len(t, attempts, 1)
	close(release)
	callers.Wait()
	close(outcomes)
	for o := range outcomes {
		assert.Equal(t, contract.VerdictDelivered, o.Verdict)
	}
	assert.EqualValues(t, 1, requests.Load())

	o := sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 1)
	assert.Equal(t, contract.VerdictDelivered, o.Verdict, "the second caller gets the ended attempt")
	assert.EqualValues(t, 1, requests.Load())
	sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 2)
	assert.EqualValues(t, 2, requests.Load(), "another attempt is sent")
}

func TestACallerCannotCancelARequest(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	var cut atomic.Bool
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		cut.Store(r.Context().Err() != nil)
	})
	sender := newSender(t)
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan contract.Outcome)
	go func() { left <- sender.Send(ctx, newPolicy(), newRequest(server.URL), 1) }()
	<-arrived
	cancel()
	assert.Equal(t, contract.VerdictInFlight, (<-left).Verdict)

	closing, over := context.WithCancelCause(context.Background())
	over(errors.New("out of time"))
	require.ErrorContains(t, sender.Close(closing), "out of time")
	stopped := sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 2)
	assert.Equal(t, "stopping", stopped.Class)
	assert.True(t, stopped.Free)

	close(release)
	require.NoError(t, sender.Close(context.Background()))
	o := sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 1)
	assert.Equal(t, contract.VerdictDelivered, o.Verdict, "a later caller gets the same attempt")
	assert.False(t, cut.Load())
}

// start starts an attempt that ends at once, and reports whether it was sent.
func start(attempts *delivery.Attempts, key delivery.AttemptKey, caller string, o contract.Outcome) bool {
	sent := false
	attempt := attempts.Start(key, caller, func() contract.Outcome {
		sent = true
		return o
	})
	<-attempt.Done()
	return sent
}

func TestAClaimedFailureIsSentAgainForAnotherCaller(t *testing.T) {
	failed := contract.Outcome{Verdict: contract.VerdictFinal}
	attempts, key := delivery.NewAttempts(), delivery.AttemptKey{ID: "msg_1", Number: 1}
	require.True(t, start(attempts, key, "dispatch", failed))
	require.False(t, start(attempts, key, "attempt", failed), "not claimed yet")
	attempts.Claim(key, "dispatch")
	require.False(t, start(attempts, key, "dispatch", failed), "the server repeats the task")
	require.True(t, start(attempts, key, "attempt", failed), "a redelivery is sent")

	delivered := contract.Outcome{Verdict: contract.VerdictDelivered}
	key.ID = "msg_2"
	require.True(t, start(attempts, key, "dispatch", delivered))
	attempts.Claim(key, "dispatch")
	require.False(t, start(attempts, key, "attempt", delivered), "a success is not sent again")
}

func TestADelayedAttemptIsNotKept(t *testing.T) {
	attempts, key := delivery.NewAttempts(), delivery.AttemptKey{ID: "msg_1", Number: 1}
	held := contract.Outcome{Verdict: contract.VerdictRetry, Free: true}
	require.True(t, start(attempts, key, "", held))
	_, found := attempts.Find(key, "")
	require.False(t, found)
	require.True(t, start(attempts, key, "", held))
}

func TestEndedAttemptsAreEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := delivery.NewAttempts()
		delivered := contract.Outcome{Verdict: contract.VerdictDelivered}
		first := delivery.AttemptKey{ID: "first", Number: 1}
		start(attempts, first, "", delivered)
		time.Sleep(5*time.Minute - time.Nanosecond)
		_, found := attempts.Find(first, "")
		assert.True(t, found)
		time.Sleep(time.Nanosecond)
		_, found = attempts.Find(first, "")
		assert.False(t, found, "by age")

		start(attempts, first, "", delivered)
		for i := range 10_000 {
			start(attempts, delivery.AttemptKey{ID: fmt.Sprint(i), Number: 1}, "", delivered)
		}
		_, found = attempts.Find(first, "")
		assert.False(t, found, "by number")
		_, found = attempts.Find(delivery.AttemptKey{ID: "1", Number: 1}, "")
		assert.True(t, found)
	})
}

// An ended attempt does not keep its response in memory, and all of them stay within bounds,
// however much the receivers return.
func TestEndedAttemptsUseLittleMemory(t *testing.T) {
	page := strings.Repeat("x", 60<<10)
	long := strings.Repeat("y", 4<<10)
	for name, tc := range map[string]struct {
		body     string
		returns  int
		code     int
		attempts int
		most     int64
	}{
		"a short value of a long response": {"v0=abc\n" + page, 1, 200, 1000, 16 << 20},
		"the beginning of a long failure":  {page, 0, 500, 1000, 16 << 20},
		"many long values":                 {lines(long, 14), 14, 200, 2000, 96 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			server, sender := serve(t, write(tc.code, tc.body)), newSender(t)
			p := newPolicy()
			p.Accept = delivery.FormatText
			for i := range tc.returns {
				p.Returns = append(p.Returns, delivery.Return{From: fmt.Sprint("v", i), To: fmt.Sprint("v", i)})
			}
			heap := func() int64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc)
			}
			before := heap()
			for i := range tc.attempts {
				o := sender.Send(context.Background(), p, numbered(server.URL, i), 1)
				require.Len(t, o.Returns, tc.returns)
			}
			// What the server still writes is its own, and ends soon.
			assert.Eventually(t, func() bool { return heap()-before < tc.most }, time.Minute, 50*time.Millisecond)
			_, known := sender.Find(fmt.Sprint("msg_", tc.attempts-1), 1, "")
			assert.True(t, known, "the last one is kept")
		})
	}
}

// lines returns n values.
func lines(value string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "v%d=%s\n", i, value)
	}
	return b.String()
}
