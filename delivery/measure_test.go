package delivery_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/delivery"
	"segue/metrics"
	"segue/metrics/metricstest"
)

func TestEveryAttemptIsMeasured(t *testing.T) {
	p := metricstest.New(t)
	guard, err := delivery.NewGuard([]string{"127.0.0.0/8"})
	require.NoError(t, err)
	sender := delivery.New(delivery.Options{Guard: guard, Metrics: p.Instruments})
	var code atomic.Int64
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(code.Load())) })

	policy, request := newPolicy(), newRequest(server.URL)
	request.At = time.Now().Add(-time.Minute)
	number := 0
	send := func(answer int, url string) string {
		number++
		code.Store(int64(answer))
		request.URL = url
		return sender.Send(context.Background(), policy, request, number).Class
	}
	require.Equal(t, "http_5xx", send(503, server.URL))
	require.Equal(t, "ok", send(200, server.URL))
	require.Equal(t, metrics.Receiver{Call: "crm", Breaker: "closed", Inline: true}, sender.ReceiverState(policy))
	for range 5 {
		require.Equal(t, "refused", send(0, "http://127.0.0.1:1"))
	}
	require.Equal(t, "breaker_open", send(200, server.URL))
	require.Equal(t, metrics.Receiver{Call: "crm", Breaker: "open"}, sender.ReceiverState(policy))
	policy.DryRun = true
	require.Equal(t, "config", send(200, server.URL), "a request that was rendered to be sent is not counted as a dry run")
	policy.DryRun = false
	request.Fault = "no value"
	require.Equal(t, "render", send(200, server.URL))
	request.Fault = ""
	require.NoError(t, sender.Close(context.Background()))
	require.Equal(t, "stopping", send(200, server.URL))

	require.Equal(t, map[string]float64{
		"call=crm,class=http_5xx": 1, "call=crm,class=ok": 1, "call=crm,class=refused": 5, "call=crm,class=breaker_open": 1,
		"call=crm,class=config": 1, "call=crm,class=render": 1, "call=crm,class=stopping": 1,
	}, p.Values("segue_delivery_attempts_total"))
	require.Equal(t, map[string]float64{"call=crm": 7}, p.Values("segue_delivery_attempt_duration_seconds"), "what was sent")
	require.Equal(t, map[string]float64{"call=crm": 1}, p.Values("segue_delivery_age_seconds"))
	require.Equal(t, map[string]float64{"call=crm": 10}, p.Values("segue_delivery_waiting_age_seconds"), "what still waits, delayed or not: 503, 5 refused, breaker, dry run, stopping; and what cannot be rendered")
	age := p.Families()["segue_delivery_age_seconds"].GetMetric()[0].GetHistogram().GetSampleSum()
	require.InDelta(t, 60, age, 5, "from the event, not from the attempt")
}

// An attempt that two callers start is one.
func TestADeduplicatedAttemptIsMeasuredOnce(t *testing.T) {
	p := metricstest.New(t)
	guard, err := delivery.NewGuard([]string{"127.0.0.0/8"})
	require.NoError(t, err)
	sender := delivery.New(delivery.Options{Guard: guard, Metrics: p.Instruments})
	server := serve(t, answer(200))
	for _, caller := range []string{"dispatch", "attempt"} {
		<-sender.Start(newPolicy(), newRequest(server.URL), 1, caller).Done()
	}
	require.NoError(t, sender.Close(context.Background()))
	require.Equal(t, map[string]float64{"call=crm,class=ok": 1}, p.Values("segue_delivery_attempts_total"))
}
