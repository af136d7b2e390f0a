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
	flights := map[*delivery.Attempt]bool{}
	for range 100 {
		flights[sender.Start(newPolicy(), newRequest(server.URL), 1, "")] = true
		callers.Go(func() { outcomes <- sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 1) })
	}
	assert.Len(t, flights, 1)
	close(release)
	callers.Wait()
	close(outcomes)
	for o := range outcomes {
		assert.Equal(t, contract.VerdictDelivered, o.Verdict)
	}
	assert.EqualValues(t, 1, requests.Load())

	o := sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 1)
	assert.Equal(t, contract.VerdictDelivered, o.Verdict, "adopted after its end")
	assert.EqualValues(t, 1, requests.Load())
	sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 2)
	assert.EqualValues(t, 2, requests.Load(), "another attempt is sent")
}

func TestARequestIsNotCutByItsCaller(t *testing.T) {
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
	over(errors.New("out of patience"))
	require.ErrorContains(t, sender.Close(closing), "out of patience")
	stopped := sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 2)
	assert.Equal(t, "stopping", stopped.Class)
	assert.True(t, stopped.Free)

	close(release)
	require.NoError(t, sender.Close(context.Background()))
	o := sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 1)
	assert.Equal(t, contract.VerdictDelivered, o.Verdict, "whoever asks again adopts it")
	assert.False(t, cut.Load())
}

// start flies an attempt that ends at once and tells whether it was sent.
func start(flights *delivery.Attempts, key delivery.AttemptKey, asker string, o contract.Outcome) bool {
	sent := false
	flight := flights.Start(key, asker, func() contract.Outcome {
		sent = true
		return o
	})
	<-flight.Done()
	return sent
}

func TestWhoeverHasHadAFailureMayAskAnew(t *testing.T) {
	failed := contract.Outcome{Verdict: contract.VerdictFinal}
	flights, key := delivery.NewAttempts(), delivery.AttemptKey{ID: "msg_1", Number: 1}
	require.True(t, start(flights, key, "dispatch", failed))
	require.False(t, start(flights, key, "attempt", failed), "not told yet: adopted")
	flights.Claim(key, "dispatch")
	require.False(t, start(flights, key, "dispatch", failed), "a repeat by the server")
	require.True(t, start(flights, key, "attempt", failed), "a redelivery")

	delivered := contract.Outcome{Verdict: contract.VerdictDelivered}
	key.ID = "msg_2"
	require.True(t, start(flights, key, "dispatch", delivered))
	flights.Claim(key, "dispatch")
	require.False(t, start(flights, key, "attempt", delivered), "delivered is delivered")
}

func TestNothingSentIsNothingRemembered(t *testing.T) {
	flights, key := delivery.NewAttempts(), delivery.AttemptKey{ID: "msg_1", Number: 1}
	held := contract.Outcome{Verdict: contract.VerdictRetry, Free: true}
	require.True(t, start(flights, key, "", held))
	_, found := flights.Find(key, "")
	require.False(t, found)
	require.True(t, start(flights, key, "", held))
}

func TestFlightsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flights := delivery.NewAttempts()
		delivered := contract.Outcome{Verdict: contract.VerdictDelivered}
		first := delivery.AttemptKey{ID: "first", Number: 1}
		start(flights, first, "", delivered)
		time.Sleep(5*time.Minute - time.Nanosecond)
		_, found := flights.Find(first, "")
		assert.True(t, found)
		time.Sleep(time.Nanosecond)
		_, found = flights.Find(first, "")
		assert.False(t, found, "by age")

		start(flights, first, "", delivered)
		for i := range 10_000 {
			start(flights, delivery.AttemptKey{ID: fmt.Sprint(i), Number: 1}, "", delivered)
		}
		_, found = flights.Find(first, "")
		assert.False(t, found, "by number")
		_, found = flights.Find(delivery.AttemptKey{ID: "1", Number: 1}, "")
		assert.True(t, found)
	})
}

// What ended is remembered without the responses that it came with, and all of it within
// bounds, however much the receivers return.
func TestEndedFlightsAreSmall(t *testing.T) {
	page := strings.Repeat("x", 60<<10)
	long := strings.Repeat("y", 4<<10)
	for name, tc := range map[string]struct {
		body    string
		returns int
		code    int
		flights int
		most    int64
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
			for i := range tc.flights {
				o := sender.Send(context.Background(), p, numbered(server.URL, i), 1)
				require.Len(t, o.Returns, tc.returns)
			}
			grown := heap() - before
			assert.Less(t, grown, tc.most)
			_, known := sender.Find(fmt.Sprint("msg_", tc.flights-1), 1, "")
			assert.True(t, known, "the last one is remembered")
		})
	}
}

// lines are n values.
func lines(value string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "v%d=%s\n", i, value)
	}
	return b.String()
}
