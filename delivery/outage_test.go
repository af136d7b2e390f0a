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

// simulation is a receiver in virtual time, and lanes that send as the workflows do: one
// delivery after the other, and none before its time.
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

// asWritten is the header of the id as it is sent: in lower case, which Get does not find.
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

// take records what has arrived, and checks that a retry has the same bytes.
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

func (s *simulation) requests(lane, n int) []contract.Request {
	var list []contract.Request
	for i := range n {
		r := newRequest("http://crm.example.com/calls")
		r.ID = fmt.Sprintf("lane%d/%02d", lane, i+1)
		r.Body = fmt.Sprintf(`{"salt":%d,"id":%q}`, rand.Int(), r.ID)
		list = append(list, r)
	}
	return list
}

// work sends a lane's deliveries on their schedule; a final one is parked, and the lane goes
// on.
func (s *simulation) work(caller string, requests []contract.Request) {
	s.lanes.Go(func() {
		for _, r := range requests {
			for number := 1; ; {
				attempt := s.sender.Start(s.policy, r, number, caller)
				<-attempt.Done()
				outcome := attempt.Outcome()
				s.mu.Lock()
				s.asked++
				s.mu.Unlock()
				if outcome.Verdict == contract.VerdictDelivered {
					break
				}
				s.sender.Claim(r.ID, number, caller)
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

// most returns the highest number of times within any one second.
func most(times []time.Time) int {
	worst, first := 0, 0
	for i := range times {
		for times[i].Sub(times[first]) >= time.Second {
			first++
		}
		worst = max(worst, i-first+1)
	}
	return worst
}

func (s *simulation) close() { require.NoError(s.t, s.sender.Close(context.Background())) }

// A receiver is down for an hour while 5,000 deliveries of 500 lanes wait, and recovers.
func TestAnHourOfOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes, each, rate, outage = 500, 10, 40, time.Hour
		s := simulate(t, delivery.Limits{Concurrency: 20, Rate: rate})
		defer s.close()
		s.set(true, 200)
		for i := range lanes {
			s.work("lane", s.requests(i, each))
		}
		time.Sleep(outage)
		s.set(false, 200)
		back := time.Now()
		s.lanes.Wait()

		require.LessOrEqual(t, len(s.tries), 5+int(outage/(10*time.Second)), "five failures open the breaker, then it is probed every 10 s at most")
		require.Less(t, s.asked-lanes*each, 30*lanes, "while it is down, attempts become rarer")
		require.Len(t, s.arrived, lanes*each, "nothing is lost, nothing arrives twice")
		for lane, ids := range s.order {
			require.True(t, slices.IsSorted(ids), "%s: %v", lane, ids)
			require.Len(t, ids, each)
		}
		require.LessOrEqual(t, most(s.arrived), rate*105/100, "the call's rate holds in any second")
		require.LessOrEqual(t, most(s.arrived[:20]), 15, "a receiver that recovers is ramped up")
		first := s.arrived[0]
		inFirst := slices.IndexFunc(s.arrived, func(at time.Time) bool { return at.Sub(first) > 5*time.Second })
		require.LessOrEqual(t, inFirst, 80)
		require.Less(t, first.Sub(back), 31*time.Second, "the recovery is noticed soon")
		nearly, all := s.arrived[lanes*each*9/10].Sub(back), s.arrived[lanes*each-1].Sub(back)
		require.Less(t, nearly, 12*time.Minute, "delays are not much longer than five minutes")
		require.Less(t, all, 3*time.Hour, "except for the probes, whose attempts counted on their schedule")
		t.Logf("%d tries in the outage, %d attempts delayed; recovered after %s, nine in ten arrived after %s, all after %s; at most %d in a second",
			len(s.tries), s.asked-lanes*each-len(s.tries), first.Sub(back), nearly, all, most(s.arrived))
	})
}

// A bulk redelivery arrives at the call's rate, with the ids and bytes of the first time.
func TestABulkRedeliveryKeepsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, rate = 1000, 40
		s := simulate(t, delivery.Limits{Concurrency: 20, Rate: rate})
		defer s.close()
		s.set(false, 410)
		for i := range n {
			s.work("lane", s.requests(i, 1))
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
		require.Less(t, took, 3*n/rate*time.Second, "the rate is used")
	})
}
