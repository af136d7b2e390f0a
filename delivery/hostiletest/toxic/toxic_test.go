package toxic_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

const (
	retry, delivered = contract.VerdictRetry, contract.VerdictDelivered

	// atOnce is how many attempts go through one bad network at the same time.
	atOnce = 20
)

// bad is a network that fails, and the expected outcome of an attempt through it.
type bad struct {
	name    string
	toxic   string // as the proxy's own API has it; empty: the proxy is off
	request int    // bytes of the body
	answer  int    // bytes of the answer's body
	class   string
	verdict contract.Verdict
	message string
	least   time.Duration // that an attempt takes
	cut     bool          // the receiver gets no whole request
}

const deadline = 1500 * time.Millisecond

var networks = []bad{
	{name: "latency", toxic: `{"type": "latency", "attributes": {"latency": 150, "jitter": 50}}`,
		class: "ok", verdict: delivered, least: 100 * time.Millisecond},
	{name: "latency over the deadline", toxic: `{"type": "latency", "attributes": {"latency": 5000}}`,
		class: "timeout", verdict: retry, message: "no answer within", least: deadline},
	{name: "latency of the request", toxic: `{"type": "latency", "stream": "upstream", "attributes": {"latency": 5000}}`,
		class: "timeout", verdict: retry, message: "no answer within", least: deadline, cut: true},

	{name: "bandwidth that suffices", toxic: `{"type": "bandwidth", "attributes": {"rate": 100}}`, answer: 10_000,
		class: "ok", verdict: delivered, least: 50 * time.Millisecond},
	{name: "bandwidth for the header alone", toxic: `{"type": "bandwidth", "attributes": {"rate": 5}}`, answer: 60_000,
		class: "ok", verdict: delivered, message: "did not end in time", least: deadline},
	{name: "bandwidth too small for the request", toxic: `{"type": "bandwidth", "stream": "upstream", "attributes": {"rate": 5}}`, request: 100_000,
		class: "timeout", verdict: retry, message: "no answer within", least: deadline, cut: true},

	{name: "slow close", toxic: `{"type": "slow_close", "attributes": {"delay": 5000}}`,
		class: "ok", verdict: delivered},

	{name: "nothing comes back", toxic: `{"type": "timeout", "attributes": {"timeout": 0}}`,
		class: "timeout", verdict: retry, message: "no answer within", least: deadline},
	{name: "nothing comes back, then it closes", toxic: `{"type": "timeout", "attributes": {"timeout": 100}}`,
		class: "reset", verdict: retry, message: "broke", least: 50 * time.Millisecond},
	{name: "nothing gets there", toxic: `{"type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`,
		class: "timeout", verdict: retry, message: "no answer within", least: deadline, cut: true},

	{name: "reset", toxic: `{"type": "reset_peer", "attributes": {"timeout": 0}}`,
		class: "reset", verdict: retry, message: "broke"},
	{name: "reset after a while", toxic: `{"type": "reset_peer", "stream": "upstream", "attributes": {"timeout": 100}}`,
		class: "reset", verdict: retry, message: "broke", cut: true},

	{name: "sliced answer", toxic: `{"type": "slicer", "attributes": {"average_size": 7, "size_variation": 3, "delay": 100}}`, answer: 2000,
		class: "ok", verdict: delivered},
	{name: "sliced request", toxic: `{"type": "slicer", "stream": "upstream", "attributes": {"average_size": 7, "size_variation": 3, "delay": 100}}`, request: 2000,
		class: "ok", verdict: delivered},

	{name: "cut in the status line", toxic: `{"type": "limit_data", "attributes": {"bytes": 7}}`,
		class: "protocol", verdict: retry, message: "broke off in its header"},
	{name: "cut in a header's name", toxic: `{"type": "limit_data", "attributes": {"bytes": 20}}`,
		class: "protocol", verdict: retry, message: "broke off in its header"},
	{name: "cut in a header's value", toxic: `{"type": "limit_data", "attributes": {"bytes": 30}}`,
		class: "reset", verdict: retry, message: "broke"},
	{name: "cut in the body", toxic: `{"type": "limit_data", "attributes": {"bytes": 1000}}`, answer: 20_000,
		class: "ok", verdict: delivered, message: "broke off"},
	{name: "cut in the request", toxic: `{"type": "limit_data", "stream": "upstream", "attributes": {"bytes": 100}}`, request: 20_000,
		class: "reset", verdict: retry, message: "broke", cut: true},

	{name: "off", class: "refused", verdict: retry, message: "refused", cut: true},
}

func TestToxicNetworks(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			r := newReceiver(t, n.answer)
			url := between(t, r, n.toxic)
			sender := newSender(t)
			var sends sync.WaitGroup
			for i := range atOnce {
				sends.Go(func() {
					policy := delivery.Policy{Call: fmt.Sprintf("crm-%d", i), Timeout: deadline, Idempotent: true,
						Retry:   delivery.Retry{Schedule: []time.Duration{time.Second}},
						Returns: []delivery.Return{{From: "tier", To: "crm_tier"}}}
					started := time.Now()
					o := sender.Send(context.Background(), policy, contract.Request{
						ID: fmt.Sprintf("msg_%d", i), Method: http.MethodPost, URL: url, Body: strings.Repeat("x", n.request)}, 1)
					took := time.Since(started)
					assert.Equal(t, n.class, o.Class, o.Message)
					assert.Equal(t, n.verdict, o.Verdict)
					assert.Contains(t, o.Message, n.message)
					assert.NotContains(t, o.Message, "127.0.0.1")
					assert.GreaterOrEqual(t, took, n.least)
					assert.Less(t, took, deadline+time.Second)
					if n.verdict == delivered && n.message == "" {
						assert.Equal(t, map[string]any{"crm_tier": "gold"}, o.Returns, "the whole answer came through")
						assert.Empty(t, o.Message)
					}
				})
			}
			sends.Wait()
			if n.cut {
				assert.Zero(t, r.whole.Load())
			} else {
				assert.LessOrEqual(t, r.whole.Load(), int32(atOnce), "none came twice")
			}
		})
	}
}

// A network that fails and recovers under one sender: what was refused, cut or slow
// leaves nothing behind that the next attempt would stumble over.
func TestANetworkThatRecovers(t *testing.T) {
	r := newReceiver(t, 100)
	proxy := proxyTo(t, r)
	sender := newSender(t)
	send := func(n int) contract.Outcome {
		policy := delivery.Policy{Call: fmt.Sprintf("crm-%d", n), Timeout: deadline, Idempotent: true, Retry: delivery.Retry{Schedule: []time.Duration{time.Second}}}
		return sender.Send(context.Background(), policy, contract.Request{ID: fmt.Sprintf("msg_%d", n), Method: http.MethodPost, URL: "http://" + proxy.Listen, Body: "{}"}, 1)
	}
	n := 0
	for _, bad := range networks {
		if bad.toxic == "" || bad.verdict != retry || bad.request > 0 {
			continue
		}
		toxic, err := proxy.Toxics.AddToxicJson(strings.NewReader(bad.toxic))
		require.NoError(t, err)
		n++
		assert.Equal(t, bad.class, send(n).Class, bad.name)
		require.NoError(t, proxy.Toxics.RemoveToxic(context.Background(), toxic.Name))
		n++
		o := send(n)
		assert.Equal(t, "ok", o.Class, "after %s: %s", bad.name, o.Message)
	}
	assert.Greater(t, n, 10)
}

// receiver is in order: it reads the whole request and answers with a flat object.
type receiver struct {
	*httptest.Server
	whole atomic.Int32 // requests that came to their end
}

func newReceiver(t *testing.T, size int) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return
		}
		r.whole.Add(1)
		fmt.Fprintf(w, `{"tier":"gold","filling":%q}`, strings.Repeat("x", size))
	}))
	t.Cleanup(r.Close)
	return r
}

// proxyTo puts a proxy before the receiver.
func proxyTo(t *testing.T, r *receiver) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "receiver", "127.0.0.1:0", strings.TrimPrefix(r.URL, "http://"))
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	return proxy
}

// between is the URL of a proxy with a toxic, or of one that is off.
func between(t *testing.T, r *receiver, toxic string) string {
	t.Helper()
	proxy := proxyTo(t, r)
	if toxic == "" {
		proxy.Stop()
	} else {
		_, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
		require.NoError(t, err)
	}
	return "http://" + proxy.Listen
}

func newSender(t *testing.T) *delivery.Sender {
	t.Helper()
	guard, err := delivery.NewGuard([]string{"127.0.0.0/8"})
	require.NoError(t, err)
	sender := delivery.New(delivery.Options{Guard: guard})
	t.Cleanup(func() { require.NoError(t, sender.Close(context.Background())) })
	return sender
}
