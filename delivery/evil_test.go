package delivery_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/delivery"
	"segue/delivery/evil"
	"segue/dispatch"
)

func TestEvilReceivers(t *testing.T) {
	retry, final, delivered := dispatch.VerdictRetry, dispatch.VerdictFinal, dispatch.VerdictDelivered
	authority := evil.NewAuthority(t)
	for _, tc := range []struct {
		name      string
		behaviour evil.Behaviour
		class     string
		verdict   dispatch.Verdict
		message   string
		slow      bool // lasts as long as it is let
	}{
		{"silent", evil.Silent, "timeout", retry, "no answer within", true},
		{"reset on accept", evil.ResetOnAccept, "reset", retry, "broke", false},
		{"reset in the headers", evil.ResetInHeaders, "reset", retry, "broke", false},
		{"reset after the headers", evil.ResetAfterHeaders, "ok", delivered, "broke off", false},
		{"reset in the body", evil.ResetInBody, "ok", delivered, "broke off", false},
		{"slow headers", evil.SlowHeaders, "timeout", retry, "no answer within", true},
		{"slow body", evil.SlowBody, "ok", delivered, "did not end in time", true},
		{"endless body", evil.EndlessBody, "ok", delivered, "longer than", false},
		{"gzip bomb", evil.GzipBomb, "ok", delivered, "longer than", false},
		{"huge header", evil.HugeHeader, "too_large", final, "too large", false},
		{"1xx flood", evil.InformationalFlood, "too_large", final, "too large", false},
		{"short body", evil.ShortBody, "ok", delivered, "broke off", false},
		{"two lengths", evil.TwoLengths, "protocol", retry, "not HTTP", false},
		{"negative length", evil.NegativeLength, "protocol", retry, "not HTTP", false},
		{"long body", evil.LongBody, "ok", delivered, "", false},
		{"malformed chunks", evil.MalformedChunks, "ok", delivered, "broke off", false},
		{"huge chunk", evil.HugeChunk, "ok", delivered, "broke off", false},
		{"not HTTP", evil.NotHTTP, "protocol", retry, "not HTTP", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := evil.Serve(t, tc.behaviour)
			policy := newPolicy()
			if policy.Timeout = 3 * time.Second; tc.slow {
				policy.Timeout = 200 * time.Millisecond
			}
			o := sendInTime(t, newSender(t), policy, server.URL)
			assert.Equal(t, tc.class, o.Class, o.Message)
			assert.Equal(t, tc.verdict, o.Verdict)
			assert.Contains(t, o.Message, tc.message)
			assert.NotContains(t, o.Message, "127.0.0.1")
			assert.Equal(t, 1, server.Connections())
			assert.LessOrEqual(t, server.Requests(), 1, "no second request")
		})
	}
	for name, tc := range map[string]struct{ url, class string }{
		"black hole": {evil.BlackHole(t), "timeout"},
		"refused":    {evil.Refuse(t), "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			policy := newPolicy()
			policy.Timeout = 300 * time.Millisecond
			o := sendInTime(t, newSender(t), policy, tc.url)
			assert.Equal(t, tc.class, o.Class, o.Message)
			assert.Equal(t, retry, o.Verdict)
		})
	}
	for name, server := range map[string]*evil.Server{
		"expired":     evil.ServeTLS(t, authority.Issue(t, evil.Leaf{Expired: true}), evil.OK),
		"wrong host":  evil.ServeTLS(t, authority.Issue(t, evil.Leaf{Host: "crm.example.com"}), evil.OK),
		"self-signed": evil.ServeTLS(t, evil.SelfSigned(t, evil.Leaf{}), evil.OK),
		"no TLS here": evil.ServeTLS(t, authority.Issue(t, evil.Leaf{}), evil.OK),
	} {
		t.Run(name, func(t *testing.T) {
			url, class := server.URL, "tls"
			if name == "no TLS here" {
				url, class = strings.Replace(url, "https:", "http:", 1), "reset"
			}
			o := sendInTime(t, newSender(t, authority.Certificate), newPolicy(), url)
			assert.Equal(t, class, o.Class, o.Message)
			assert.Equal(t, retry, o.Verdict)
			assert.Zero(t, server.Requests(), "nothing of the request is sent")
		})
	}
}

// sendInTime sends one attempt and holds it against its deadline.
func sendInTime(t *testing.T, sender *delivery.Sender, p delivery.Policy, url string) dispatch.Outcome {
	t.Helper()
	started := time.Now()
	o := sender.Send(context.Background(), p, newRequest(url), 1)
	assert.Less(t, time.Since(started), p.Timeout+time.Second)
	return o
}

func TestRedirectsOfAnEvilReceiver(t *testing.T) {
	other := evil.Serve(t, evil.OK)
	for name, location := range map[string]string{
		"same host": "/elsewhere", "other host": other.URL + "/", "metadata": "http://169.254.169.254/latest/meta-data/",
		"file": "file:///etc/passwd", "loop": "",
	} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprintf("%d to %s", code, name), func(t *testing.T) {
				server := evil.Serve(t, evil.Redirect(code, location))
				o := sendInTime(t, newSender(t), newPolicy(), server.URL)
				assert.Equal(t, "redirect", o.Class)
				assert.Equal(t, dispatch.VerdictRetry, o.Verdict)
				assert.Equal(t, code, o.Code)
				assert.Equal(t, 1, server.Requests())
			})
		}
	}
	assert.Zero(t, other.Connections())
}

// A hundred at once that would each fill the memory take little of it. The evil
// servers are in the same process and count, too.
func TestEvilReceiversTakeLittleMemory(t *testing.T) {
	const most = 64 << 20
	for name, behaviour := range map[string]evil.Behaviour{
		"gzip bomb": evil.GzipBomb, "endless body": evil.EndlessBody, "huge header": evil.HugeHeader, "1xx flood": evil.InformationalFlood,
	} {
		t.Run(name, func(t *testing.T) {
			server, sender := evil.Serve(t, behaviour), newSender(t)
			policy := newPolicy()
			policy.Timeout = 30 * time.Second
			sender.Send(context.Background(), policy, newRequest(server.URL), 1) // whatever is made once
			peak := watchHeap(t)
			var sends sync.WaitGroup
			for n := range 100 {
				p := policy
				p.Call = fmt.Sprintf("crm-%d", n) // a gate each, so that none waits
				sends.Go(func() {
					o := sender.Send(context.Background(), p, numbered(server.URL, n+2), 1)
					assert.Contains(t, []string{"ok", "too_large"}, o.Class, o.Message)
					assert.LessOrEqual(t, len(o.Excerpt), 512)
				})
			}
			sends.Wait()
			grown := peak()
			t.Logf("the heap grew by at most %.1f MB", float64(grown)/(1<<20))
			assert.Less(t, grown, int64(most))
			assert.Equal(t, 101, server.Connections())
		})
	}
}

// watchHeap gives by how much the heap has grown at most, when it is called.
func watchHeap(t *testing.T) (peak func() int64) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse)
	}
	runtime.GC()
	before := heap()
	var most atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(2 * time.Millisecond)
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
