package delivery_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

// simulation is a receiver in virtual time, and lanes that are worked off as the
// workflows do it: one delivery after the other, and none before its time.
type simulation struct {
	t      *testing.T
	sender *delivery.Sender
	policy delivery.Policy
	lanes  sync.WaitGroup

	mu      sync.Mutex
	down    bool
	answer  int
	takes   time.Duration
	tries   []time.Time         // while it was down
	arrived []time.Time         // of what was answered with success
	order   map[string][]string // by lane
	bodies  map[string]string   // by delivery
	parked  []contract.Request
	asked   int
}

// asWritten is the id's header as it is sent: in lower case, which no Get finds.
var asWritten = "webhook-id"

func simulate(t *testing.T, limits delivery.Limits) *simulation {
	s := &simulation{
		t: t, sender: delivery.New(delivery.Options{}), answer: 200, takes: 20 * time.Millisecond,
		order: map[string][]string{}, bodies: map[string]string{},
	}
	s.policy = newPolicy()
	s.policy.Limits = limits
	s.policy.Retry = delivery.Retry{Jitter: 0.2, Schedule: []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}}
	s.sender.Simulate(s.receive)
	return s
}

func (s *simulation) receive(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	require.NoError(s.t, err)
	s.mu.Lock()
	down, answer := s.down, s.answer
	if down {
		s.tries = append(s.tries, time.Now())
	}
	s.mu.Unlock()
	if down {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	s.take(req.Header[asWritten][0], string(body), answer)
	time.Sleep(s.takes)
	return &http.Response{StatusCode: answer, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// take notes what has arrived, and that a repeat is the same as before.
func (s *simulation) take(id, body string, answer int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.bodies[id]; ok && before != body {
		s.t.Errorf("%s came with other bytes: %q, then %q", id, before, body)
	}
	s.bodies[id] = body
	s.arrived = append(s.arrived, time.Now())
	if answer == 200 {
		lane, _, _ := strings.Cut(id, "/")
		s.order[lane] = append(s.order[lane], id)
	}
}

func (s *simulation) set(down bool, answer int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down, s.answer = down, answer
}

func (s *simulation) letters(lane, n int) []contract.Request {
	var list []contract.Request
	for i := range n {
		r := newRequest("http://crm.example.com/calls")
		r.ID = fmt.Sprintf("lane%d/%02d", lane, i+1)
		r.Body = fmt.Sprintf(`{"salt":%d,"id":%q}`, rand.Int(), r.ID)
		list = append(list, r)
	}
	return list
}

// work sends a lane's deliveries on their schedule; one that is final is parked,
// and the lane goes on.
func (s *simulation) work(asker string, letters []contract.Request) {
	s.lanes.Go(func() {
		for _, r := range letters {
			for number := 1; ; {
				flight := s.sender.Start(s.policy, r, number, asker)
				<-flight.Done()
				outcome := flight.Outcome()
				s.mu.Lock()
				s.asked++
				s.mu.Unlock()
				if outcome.Verdict == contract.VerdictDelivered {
					break
				}
				s.sender.Claim(r.ID, number, asker)
				if outcome.Verdict == contract.VerdictFinal {
					s.mu.Lock()
					s.parked = append(s.parked, r)
					s.mu.Unlock()
					break
				}
				if !outcome.Free {
					number++
				}
				time.Sleep(outcome.RetryIn)
			}
		}
	})
}

// most is how many of the moments lie within one and the same second, at worst.
func most(moments []time.Time) int {
	worst, first := 0, 0
	for i := range moments {
		for moments[i].Sub(moments[first]) >= time.Second {
			first++
		}
		worst = max(worst, i-first+1)
	}
	return worst
}

func (s *simulation) close() { require.NoError(s.t, s.sender.Close(context.Background())) }

// A receiver is down for an hour, with 5,000 deliveries of 500 lanes waiting, and
// comes back.
func TestAnHourOfOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes, each, rate, outage = 500, 10, 40, time.Hour
		s := simulate(t, delivery.Limits{Concurrency: 20, Rate: rate})
		defer s.close()
		s.set(true, 200)
		for i := range lanes {
			s.work("lane", s.letters(i, each))
		}
		time.Sleep(outage)
		s.set(false, 200)
		back := time.Now()
		s.lanes.Wait()

		require.LessOrEqual(t, len(s.tries), 5+int(outage/(10*time.Second)), "five failures open the breaker, then it is probed every 10 s at most")
		require.Less(t, s.asked-lanes*each, 30*lanes, "and while it is down, they come ever more seldom")
		require.Len(t, s.arrived, lanes*each, "nothing is lost, nothing comes twice")
		for lane, ids := range s.order {
			require.True(t, slices.IsSorted(ids), "%s: %v", lane, ids)
			require.Len(t, ids, each)
		}
		require.LessOrEqual(t, most(s.arrived), rate*105/100, "the call's rate holds in any second")
		require.LessOrEqual(t, most(s.arrived[:20]), 15, "a receiver that comes back is run up slowly")
		first := s.arrived[0]
		inFirst := slices.IndexFunc(s.arrived, func(at time.Time) bool { return at.Sub(first) > 5*time.Second })
		require.LessOrEqual(t, inFirst, 80)
		require.Less(t, first.Sub(back), 31*time.Second, "it is found out soon")
		nearly, all := s.arrived[lanes*each*9/10].Sub(back), s.arrived[lanes*each-1].Sub(back)
		require.Less(t, nearly, 12*time.Minute, "nobody stays away for much longer than five minutes")
		require.Less(t, all, 3*time.Hour, "but for those whose own schedule says so: they were the probes")
		t.Logf("%d tries in the outage, %d were sent away; back after %s, nine in ten arrived after %s, all after %s; at most %d in a second",
			len(s.tries), s.asked-lanes*each-len(s.tries), first.Sub(back), nearly, all, most(s.arrived))
	})
}

// What is parked is redelivered all at once: it arrives at the call's rate all the
// same, with the ids and bytes of the first time.
func TestABulkRedeliveryKeepsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, rate = 1000, 40
		s := simulate(t, delivery.Limits{Concurrency: 20, Rate: rate})
		defer s.close()
		s.set(false, 410)
		for i := range n {
			s.work("lane", s.letters(i, 1))
		}
		s.lanes.Wait()
		require.Len(t, s.parked, n)
		s.set(false, 200)
		again := s.parked
		s.arrived = nil
		begin := time.Now()
		for _, r := range again {
			s.work("redelivery", []contract.Request{r})
		}
		s.lanes.Wait()
		require.Len(t, s.order, n, "all arrived")
		require.Len(t, s.arrived, n, "each once")
		require.LessOrEqual(t, most(s.arrived), rate*105/100)
		took := s.arrived[n-1].Sub(begin)
		t.Logf("%d in %s, at most %d in a second", n, took, most(s.arrived))
		require.Less(t, took, 3*n/rate*time.Second, "and the rate is made use of")
	})
}
