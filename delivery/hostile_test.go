package delivery_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

// hazard is a hostile receiver and the expected outcome of an attempt to send to it.
type hazard struct {
	name    string
	serve   func(t *testing.T) (url string, server *hostiletest.Server) // nil: there is no server to inspect
	class   string
	verdict contract.Verdict
	message string
	slow    bool // lasts until the deadline
	closed  bool // no byte of the request may arrive
	// lasting says that the server leaves bytes on the connection which the next request
	// there, if it comes at the same instant, gets as its response: HTTP cannot tell the two
	// apart.
	lasting bool
}

// hazards returns all of them. Those that answer 200 before they turn hostile have the
// delivery: see classifyResponse.
func hazards(t *testing.T) []hazard {
	retry, final, delivered := contract.VerdictRetry, contract.VerdictFinal, contract.VerdictDelivered
	plain := func(b hostiletest.Behaviour) func(t *testing.T) (string, *hostiletest.Server) {
		return func(t *testing.T) (string, *hostiletest.Server) { s := hostiletest.Serve(t, b); return s.URL, s }
	}
	secured := func(c tls.Certificate) func(t *testing.T) (string, *hostiletest.Server) {
		return func(t *testing.T) (string, *hostiletest.Server) {
			s := hostiletest.ServeTLS(t, c, hostiletest.OK)
			return s.URL, s
		}
	}
	authority := hostiletest.NewAuthority(t)
	return []hazard{
		{name: "silent", serve: plain(hostiletest.Silent), class: "timeout", verdict: retry, message: "no answer within", slow: true},
		{name: "reset on accept", serve: plain(hostiletest.ResetOnAccept), class: "reset", verdict: retry, message: "broke"},
		{name: "reset in the headers", serve: plain(hostiletest.ResetInHeaders), class: "reset", verdict: retry, message: "broke"},
		{name: "reset after the headers", serve: plain(hostiletest.ResetAfterHeaders), class: "ok", verdict: delivered, message: "broke off"},
		{name: "reset in the body", serve: plain(hostiletest.ResetInBody), class: "ok", verdict: delivered, message: "broke off"},
		{name: "slow headers", serve: plain(hostiletest.SlowHeaders), class: "timeout", verdict: retry, message: "no answer within", slow: true},
		{name: "slow body", serve: plain(hostiletest.SlowBody), class: "ok", verdict: delivered, message: "did not end in time", slow: true},
		{name: "endless body", serve: plain(hostiletest.EndlessBody), class: "ok", verdict: delivered, message: "longer than"},
		{name: "gzip bomb", serve: plain(hostiletest.GzipBomb), class: "ok", verdict: delivered, message: "longer than"},
		{name: "huge header", serve: plain(hostiletest.HugeHeader), class: "too_large", verdict: final, message: "too large"},
		{name: "1xx flood", serve: plain(hostiletest.InformationalFlood), class: "too_large", verdict: final, message: "too large"},
		{name: "short body", serve: plain(hostiletest.ShortBody), class: "ok", verdict: delivered, message: "broke off"},
		{name: "two lengths", serve: plain(hostiletest.TwoLengths), class: "protocol", verdict: retry, message: "not HTTP"},
		{name: "negative length", serve: plain(hostiletest.NegativeLength), class: "protocol", verdict: retry, message: "not HTTP"},
		{name: "long body", serve: plain(hostiletest.LongBody), class: "ok", verdict: delivered, lasting: true},
		{name: "malformed chunks", serve: plain(hostiletest.MalformedChunks), class: "ok", verdict: delivered, message: "broke off"},
		{name: "huge chunk", serve: plain(hostiletest.HugeChunk), class: "ok", verdict: delivered, message: "broke off"},
		{name: "not HTTP", serve: plain(hostiletest.NotHTTP), class: "protocol", verdict: retry, message: "not HTTP"},

		// The same behind an answer that is no success: the status decides as well.
		{name: "failure that is reset", serve: plain(hostiletest.Failing(hostiletest.ResetInBody)), class: "http_5xx", verdict: retry, message: "broke off"},
		{name: "failure with a slow body", serve: plain(hostiletest.Failing(hostiletest.SlowBody)), class: "http_5xx", verdict: retry, message: "did not end in time", slow: true},
		{name: "failure with an endless body", serve: plain(hostiletest.Failing(hostiletest.EndlessBody)), class: "http_5xx", verdict: retry, message: "longer than"},
		{name: "failure with a gzip bomb", serve: plain(hostiletest.Failing(hostiletest.GzipBomb)), class: "http_5xx", verdict: retry, message: "longer than"},
		{name: "failure with malformed chunks", serve: plain(hostiletest.Failing(hostiletest.MalformedChunks)), class: "http_5xx", verdict: retry, message: "broke off"},

		{name: "refused", class: "refused", verdict: retry, message: "refused",
			serve: func(t *testing.T) (string, *hostiletest.Server) { return hostiletest.Refuse(t), nil }},
		{name: "black hole", class: "timeout", verdict: retry, message: "no answer within", slow: true,
			serve: func(t *testing.T) (string, *hostiletest.Server) { return hostiletest.BlackHole(t), nil }},

		{name: "expired certificate", serve: secured(authority.Issue(t, hostiletest.Leaf{Expired: true})), class: "tls", verdict: retry, message: "expired", closed: true},
		{name: "certificate of another host", serve: secured(authority.Issue(t, hostiletest.Leaf{Host: "crm.internal.example.com"})), class: "tls", verdict: retry, message: "another host", closed: true},
		{name: "self-signed certificate", serve: secured(hostiletest.SelfSigned(t, hostiletest.Leaf{})), class: "tls", verdict: retry, message: "unknown authority", closed: true},
		{name: "certificate of another authority", serve: secured(hostiletest.NewAuthority(t).Issue(t, hostiletest.Leaf{})), class: "tls", verdict: retry, message: "unknown authority", closed: true},
		{name: "TLS 1.0", class: "tls", verdict: retry, message: "protocol version", closed: true,
			serve: func(t *testing.T) (string, *hostiletest.Server) {
				s := hostiletest.ServeOldTLS(t, hostiletest.SelfSigned(t, hostiletest.Leaf{}), hostiletest.OK)
				return s.URL, s
			}},
		{name: "TLS that is silent", class: "timeout", verdict: retry, message: "no answer within", slow: true,
			serve: func(t *testing.T) (string, *hostiletest.Server) {
				s := hostiletest.Serve(t, hostiletest.Mute)
				return strings.Replace(s.URL, "http:", "https:", 1), nil
			}},
		{name: "no TLS where it is asked for", class: "tls", verdict: retry, message: "no trusted TLS connection",
			serve: func(t *testing.T) (string, *hostiletest.Server) {
				return strings.Replace(hostiletest.Serve(t, hostiletest.Banner).URL, "http:", "https:", 1), nil
			}},
		{name: "TLS where none is asked for", class: "reset", verdict: retry, message: "broke", closed: true,
			serve: func(t *testing.T) (string, *hostiletest.Server) {
				s := hostiletest.ServeTLS(t, authority.Issue(t, hostiletest.Leaf{}), hostiletest.OK)
				return strings.Replace(s.URL, "https:", "http:", 1), s
			}},
		{name: "blocked", class: "blocked", verdict: final, message: "guard.allow", closed: true,
			serve: func(t *testing.T) (string, *hostiletest.Server) {
				s := hostiletest.Serve(t, hostiletest.OK)
				return strings.Replace(s.URL, "127.0.0.1", "[::ffff:0.0.0.0]", 1), s
			}},
	}
}

// lateness is how much after its deadline an attempt may end on a busy machine. Receivers that are hostile for longer than
// any deadline do not stop being so.
const lateness = 20 * time.Second

// policy returns the policy of one attempt, with a deadline that fits the hazard.
func (h hazard) policy(call string) delivery.Policy {
	policy := newPolicy()
	policy.Call = call
	switch {
	case !h.slow:
		policy.Timeout = 30 * time.Second
	case h.class == "timeout":
		policy.Timeout = 300 * time.Millisecond
	default: // the header is to come in time, on a busy machine too
		policy.Timeout = 3 * time.Second
	}
	return policy
}

// check compares an outcome with the expected one.
func (h hazard) check(t *testing.T, o contract.Outcome) {
	assert.Equal(t, h.class, o.Class, o.Message)
	assert.Equal(t, h.verdict, o.Verdict)
	assert.Contains(t, o.Message, h.message)
	assert.NotRegexp(t, `\d+\.\d+\.\d+\.\d+|internal`, o.Message)
	assert.LessOrEqual(t, len(o.Excerpt), 512)
}

func TestHostileReceivers(t *testing.T) {
	for _, h := range hazards(t) {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			url, server := h.serve(t)
			h.check(t, sendInTime(t, newSender(t), h.policy("crm"), url))
			if server == nil {
				return
			}
			assert.LessOrEqual(t, server.Requests(), 1, "no second request")
			if h.closed {
				assert.Zero(t, server.Bytes(), "nothing of the request is sent")
			}
		})
	}
}

// A hundred attempts at once have the same outcome each, in time, with little memory. The
// hostile servers are in the same process and count, too.
func TestAHundredHostileReceiversAtOnce(t *testing.T) {
	const atOnce, most = 100, 32 << 20
	for _, h := range hazards(t) {
		t.Run(h.name, func(t *testing.T) {
			url, server := h.serve(t)
			sender := newSender(t)
			sender.Send(context.Background(), h.policy("first"), newRequest(url), 1) // allocates what is allocated once
			peak := watchHeap(t)
			var sends sync.WaitGroup
			for n := range atOnce {
				sender := sender
				if h.lasting {
					sender = newSender(t) // each on a connection of its own
				}
				sends.Go(func() {
					policy := h.policy(fmt.Sprintf("crm-%d", n))                // limits of its own, so that none waits
					policy.Timeout = max(policy.Timeout, 1500*time.Millisecond) // a hundred take a while to be answered
					started := time.Now()
					o := sender.Send(context.Background(), policy, numbered(url, n+2), 1)
					assert.Less(t, time.Since(started), policy.Timeout+lateness)
					h.check(t, o)
				})
			}
			sends.Wait()
			grown := peak()
			t.Logf("the heap grew by at most %.1f MB", float64(grown)/(1<<20))
			assert.Less(t, grown, int64(most))
			if server != nil && h.closed {
				assert.Zero(t, server.Bytes())
			} else if server != nil {
				assert.LessOrEqual(t, server.Requests(), atOnce+1)
			}
		})
	}
}

// sendInTime sends one attempt and checks that it ends within its deadline.
func sendInTime(t *testing.T, sender *delivery.Sender, p delivery.Policy, url string) contract.Outcome {
	t.Helper()
	started := time.Now()
	o := sender.Send(context.Background(), p, newRequest(url), 1)
	assert.Less(t, time.Since(started), p.Timeout+lateness)
	return o
}

func TestRedirectsOfAHostileReceiver(t *testing.T) {
	other := hostiletest.Serve(t, hostiletest.OK)
	for name, location := range map[string]string{
		"same host": "/elsewhere", "other host": other.URL + "/", "metadata": "http://169.254.169.254/latest/meta-data/",
		"file": "file:///etc/passwd", "loop": "",
	} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprintf("%d to %s", code, name), func(t *testing.T) {
				server := hostiletest.Serve(t, hostiletest.Redirect(code, location))
				o := sendInTime(t, newSender(t), newPolicy(), server.URL)
				assert.Equal(t, "redirect", o.Class)
				assert.Equal(t, contract.VerdictRetry, o.Verdict)
				assert.Equal(t, code, o.Code)
				assert.Equal(t, 1, server.Requests())
			})
		}
	}
	assert.Zero(t, other.Connections())
}

// watchHeap returns a function that returns by how much the heap has grown at most. It counts what is held, and no
// garbage: a busy machine collects that late.
func watchHeap(t *testing.T) (peak func() int64) {
	heap := func() int64 {
		runtime.GC()
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		return int64(live[0].Value.Uint64())
	}
	before := heap()
	var most atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for {
			most.Store(max(most.Load(), heap()))
			select {
			case <-ticker.C:
			case <-stop:
				return
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-stopped
		require.Positive(t, most.Load())
		return most.Load() - before
	}
}
