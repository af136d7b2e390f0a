package delivery_test

import (
	"context"
	"fmt"
	"net/http"
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

// While a receiver stays dead, those who are sent away stay away ever longer, but
// one comes for each probe.
func TestPatienceGrowsWithTheOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := delivery.NewHealth(delivery.Limits{})
		for range 5 {
			attempt(t, h, 0, delivery.ClassTimeout)
		}
		begin := time.Now()
		for _, lasted := range []time.Duration{0, 30 * time.Second, 100 * time.Second, time.Hour} {
			time.Sleep(time.Until(begin.Add(lasted)))
			if !h.Open() {
				attempt(t, h, 0, delivery.ClassTimeout)
			}
			_, class, probe := h.Enter(context.Background())
			require.Equal(t, delivery.ClassBreakerOpen, class)
			assert.LessOrEqual(t, probe, 10*time.Second+time.Millisecond)
			for range 200 {
				_, _, in := h.Enter(context.Background())
				assert.GreaterOrEqual(t, in, min(lasted/2, 5*time.Minute), lasted)
				assert.LessOrEqual(t, in, max(min(lasted, 10*time.Minute), 21*time.Second)+10*time.Second, lasted)
			}
		}
	})
}

// However many are sent away, they do not come back faster than Temporal and the
// receiver can bear.
func TestThoseSentAwayComeBackSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := delivery.NewHealth(delivery.Limits{})
		for range 5 {
			attempt(t, h, 0, delivery.ClassTimeout)
		}
		seconds := map[int]int{}
		for range 10_000 {
			_, _, in := h.Enter(context.Background())
			seconds[int(in.Seconds())]++
		}
		assert.Greater(t, len(seconds), 190, "10,000 at 50 a second")
		for second, n := range seconds {
			assert.Less(t, n, 800, "in second %d", second) // the first ones did not know of the last ones
		}
	})
}

func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := delivery.NewHealth(delivery.Limits{Rate: 200})
		for range 5 {
			attempt(t, h, 0, delivery.ClassTimeout)
		}
		time.Sleep(10*time.Second + time.Nanosecond)
		attempt(t, h, 0, delivery.ClassOK)
		begin := time.Now()
		// As many as want to are there all the time.
		var entered [40]atomic.Int64
		var group sync.WaitGroup
		for range 1000 {
			group.Go(func() {
				for time.Since(begin) < 40*time.Second {
					leave, class, _ := h.Enter(context.Background())
					if leave == nil {
						require.Equal(t, delivery.ClassLimited, class, "delayed, not discarded")
						time.Sleep(100 * time.Millisecond)
						continue
					}
					if second := int(time.Since(begin).Seconds()); second < len(entered) {
						entered[second].Add(1)
					}
					leave(delivery.ClassOK)
				}
			})
		}
		group.Wait()
		for second, most := range map[int]int64{0: 13, 4: 20, 9: 40, 14: 80, 19: 160, 39: 210} {
			assert.LessOrEqual(t, entered[second].Load(), most, "second %d", second)
			assert.GreaterOrEqual(t, entered[second].Load(), most/2, "second %d", second)
		}
	})
}

// A receiver that fails again while it is run up is left alone again.
func TestARelapse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := delivery.NewHealth(delivery.Limits{})
		for range 5 {
			attempt(t, h, 0, delivery.ClassTimeout)
		}
		time.Sleep(10*time.Second + time.Nanosecond)
		attempt(t, h, 0, delivery.ClassOK)
		for range 5 {
			assert.False(t, h.Open())
			attempt(t, h, 0, delivery.ClassTimeout)
		}
		assert.True(t, h.Open())
	})
}

// Of a receiver that hangs, only as many wait as get their turn in time; the others
// hold nothing meanwhile.
func TestNobodyWaitsForAReceiverThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := delivery.NewHealth(delivery.Limits{Concurrency: 2})
		attempt(t, h, 0, delivery.ClassOK)
		var leave [2]func(delivery.Class)
		for i := range leave {
			leave[i], _, _ = h.Enter(context.Background())
		}
		enter := func() (bool, time.Duration) {
			begin := time.Now()
			leave, class, _ := h.Enter(context.Background())
			if leave == nil {
				assert.Equal(t, delivery.ClassLimited, class)
				return false, time.Since(begin)
			}
			leave(delivery.ClassOK)
			return true, time.Since(begin)
		}
		assert.False(t, h.Refuses())
		ok, took := enter()
		assert.False(t, ok)
		assert.Equal(t, 2*time.Second, took, "it may be a moment's matter")
		time.Sleep(time.Second)
		assert.True(t, h.Refuses())
		ok, took = enter()
		assert.False(t, ok)
		assert.Zero(t, took)
		time.Sleep(27 * time.Second)
		leave[0](delivery.ClassOK)
		assert.False(t, h.Refuses(), "one place is free")
		again, _, _ := h.Enter(context.Background())
		require.NotNil(t, again)
		assert.True(t, h.Refuses(), "the last one took 30 s to leave")
		again(delivery.ClassOK)
		leave[1](delivery.ClassOK)
	})
}

// hanging is a sender whose receivers answer after a time, by the path.
func hanging(t *testing.T, slots int, takes map[string]time.Duration) *delivery.Sender {
	s := delivery.New(delivery.Options{Slots: slots})
	s.Simulate(func(req *http.Request) (*http.Response, error) {
		select {
		case <-time.After(takes[req.URL.Path]):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	})
	return s
}

// Receivers that hang, with calls that may have any number under way, leave slots
// of the process to the others, however many they are.
func TestReceiversThatHangLeaveSlots(t *testing.T) {
	for _, calls := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(calls), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const slots = 1000
				s := hanging(t, slots, map[string]time.Duration{"/hangs": 30 * time.Second, "/fast": time.Millisecond})
				policy, request := newPolicy(), newRequest("http://crm.example.com/hangs")
				policy.Timeout = time.Minute
				var flights []*delivery.Attempt
				for i := range 200 * slots / calls / 10 {
					for call := range calls {
						policy.Call, request.ID = fmt.Sprintf("hangs%d", call), fmt.Sprintf("%d/%d", call, i)
						flights = append(flights, s.Start(policy, request, 1, ""))
						if i == 0 {
							time.Sleep(200 * time.Millisecond) // slow is known, too
						}
					}
				}
				synctest.Wait()
				held := 0
				for _, flight := range flights {
					select {
					case <-flight.Done():
						require.Equal(t, "limited", flight.Outcome().Class)
						require.True(t, flight.Outcome().Free)
					default:
						held++
					}
				}
				require.Less(t, held, slots)
				policy.Call, request.ID, request.URL = "fast", "fast", "http://crm.example.com/fast"
				begin := time.Now()
				require.Equal(t, "ok", s.Send(context.Background(), policy, request, 1).Class)
				require.Less(t, time.Since(begin), 10*time.Millisecond)
				t.Logf("%d calls hold %d of %d slots", calls, held, slots)
				require.NoError(t, s.Close(context.Background()))
			})
		})
	}
}

// By default, a call whose receiver hangs holds little, and what is beyond that is
// sent away within the two seconds that a turn may take.
func TestAReceiverThatHangsHoldsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hanging(t, 0, map[string]time.Duration{"/": 30 * time.Second})
		policy := newPolicy()
		policy.Timeout, policy.Limits.Concurrency = time.Minute, 20
		send := func(id string) *delivery.Attempt {
			request := newRequest("http://crm.example.com/")
			request.ID = id
			return s.Start(policy, request, 1, "")
		}
		flights := []*delivery.Attempt{send("first")}
		time.Sleep(time.Second)
		for i := range 999 {
			flights = append(flights, send(fmt.Sprint(i)))
		}
		under := func() (n int) {
			synctest.Wait()
			for _, flight := range flights {
				select {
				case <-flight.Done():
				default:
					n++
				}
			}
			return n
		}
		require.LessOrEqual(t, under(), 120, "20 under way, 100 that wait")
		time.Sleep(2*time.Second + time.Millisecond)
		require.Equal(t, 20, under())
		late := send("late")
		<-late.Done()
		require.Equal(t, contract.VerdictRetry, late.Outcome().Verdict)
		require.NoError(t, s.Close(context.Background()))
	})
}
