package delivery_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"segue/delivery"
	"segue/dispatch"
)

func TestStatusDecidesClassAndVerdict(t *testing.T) {
	one := func(code int) []delivery.StatusRange { return []delivery.StatusRange{{From: code, To: code}} }
	for _, tc := range []struct {
		code    int
		success []delivery.StatusRange
		final   []delivery.StatusRange
		class   delivery.Class
		verdict dispatch.Verdict
	}{
		{code: 200, class: delivery.ClassOK, verdict: dispatch.VerdictDelivered},
		{code: 204, class: delivery.ClassOK, verdict: dispatch.VerdictDelivered},
		{code: 299, class: delivery.ClassOK, verdict: dispatch.VerdictDelivered},
		{code: 202, success: one(200), class: delivery.ClassUnexpected, verdict: dispatch.VerdictRetry},
		{code: 404, success: one(404), class: delivery.ClassOK, verdict: dispatch.VerdictDelivered},
		{code: 404, success: one(404), final: one(404), class: delivery.ClassOK, verdict: dispatch.VerdictDelivered},
		{code: 300, class: delivery.ClassRedirect, verdict: dispatch.VerdictRetry},
		{code: 304, class: delivery.ClassRedirect, verdict: dispatch.VerdictRetry},
		{code: 400, class: delivery.ClassHTTP4xx, verdict: dispatch.VerdictFinal},
		{code: 401, class: delivery.ClassHTTP4xx, verdict: dispatch.VerdictFinal},
		{code: 404, class: delivery.ClassHTTP4xx, verdict: dispatch.VerdictFinal},
		{code: 408, class: delivery.ClassHTTP4xx, verdict: dispatch.VerdictRetry},
		{code: 410, class: delivery.ClassGone, verdict: dispatch.VerdictFinal},
		{code: 425, class: delivery.ClassHTTP4xx, verdict: dispatch.VerdictRetry},
		{code: 429, class: delivery.ClassHTTP429, verdict: dispatch.VerdictRetry},
		{code: 429, final: one(429), class: delivery.ClassHTTP429, verdict: dispatch.VerdictFinal},
		{code: 500, class: delivery.ClassHTTP5xx, verdict: dispatch.VerdictRetry},
		{code: 503, class: delivery.ClassHTTP5xx, verdict: dispatch.VerdictRetry},
		{code: 599, class: delivery.ClassHTTP5xx, verdict: dispatch.VerdictRetry},
		{code: 501, final: one(501), class: delivery.ClassHTTP5xx, verdict: dispatch.VerdictFinal},
		{code: 777, class: delivery.ClassUnexpected, verdict: dispatch.VerdictRetry},
	} {
		t.Run(fmt.Sprintf("%d %v %v", tc.code, tc.success, tc.final), func(t *testing.T) {
			server := serve(t, answer(tc.code))
			policy := newPolicy()
			policy.Success, policy.Final = tc.success, tc.final
			o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
			assert.Equal(t, string(tc.class), o.Class)
			assert.Equal(t, tc.verdict, o.Verdict)
			assert.Equal(t, tc.code, o.Code)
			assert.Equal(t, "msg_1", o.ID)
			if tc.verdict == dispatch.VerdictRetry {
				assert.Equal(t, 5*time.Second, o.RetryIn)
				assert.Contains(t, o.Message, fmt.Sprintf("HTTP %d", tc.code))
			} else {
				assert.Zero(t, o.RetryIn)
			}
		})
	}
}

func TestSchedule(t *testing.T) {
	server := serve(t, answer(503))
	for _, tc := range []struct {
		attempt int
		verdict dispatch.Verdict
		wait    time.Duration
	}{
		{0, dispatch.VerdictRetry, 5 * time.Second},
		{1, dispatch.VerdictRetry, 5 * time.Second},
		{2, dispatch.VerdictRetry, time.Minute},
		{3, dispatch.VerdictFinal, 0},
		{9, dispatch.VerdictFinal, 0},
	} {
		o := newSender(t).Send(context.Background(), newPolicy(), newRequest(server.URL), tc.attempt)
		assert.Equal(t, tc.verdict, o.Verdict, "attempt %d", tc.attempt)
		assert.Equal(t, tc.wait, o.RetryIn, "attempt %d", tc.attempt)
		assert.Equal(t, 3, o.Of)
		assert.Equal(t, "block", o.Order)
		assert.Equal(t, time.Hour, o.Retention)
	}
}

func TestJitterSpreadsToBothSides(t *testing.T) {
	server := serve(t, answer(503))
	policy := newPolicy()
	policy.Retry.Jitter = 0.2
	seen := map[time.Duration]bool{}
	for range 4 {
		o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
		assert.InDelta(t, float64(5*time.Second), float64(o.RetryIn), float64(time.Second))
		seen[o.RetryIn] = true
	}
	assert.Greater(t, len(seen), 1)
}

func TestRetryAfterIsAFloor(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	for text, floor := range map[string]time.Duration{
		"":                              0,
		"120":                           2 * time.Minute,
		" 120 ":                         2 * time.Minute,
		"0":                             0,
		"-5":                            0,
		"31536000":                      24 * time.Hour,
		"9223372036854775807":           24 * time.Hour,
		"99999999999999999999":          0,
		"soon":                          0,
		"Sat, 01 Aug 2026 12:10:00 GMT": 10 * time.Minute,
		"Sat, 01 Aug 2026 11:00:00 GMT": 0,
		"Sun, 01 Aug 2027 12:00:00 GMT": 24 * time.Hour,
	} {
		assert.Equal(t, floor, delivery.RetryAfter(http.Header{"Retry-After": {text}}, now), "%q", text)
	}

	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", r.Header.Get("want"))
		w.WriteHeader(429)
	})
	policy := newPolicy()
	policy.Retry.Jitter = 0.2
	for want, bounds := range map[string][2]time.Duration{
		"60": {60 * time.Second, 72 * time.Second},
		"1":  {4 * time.Second, 6 * time.Second}, // the schedule waits longer
	} {
		r := newRequest(server.URL)
		r.Headers = append(r.Headers, dispatch.Header{Name: "want", Value: want})
		o := newSender(t).Send(context.Background(), policy, r, 1)
		assert.GreaterOrEqual(t, o.RetryIn, bounds[0])
		assert.LessOrEqual(t, o.RetryIn, bounds[1])
	}
}

func TestClassesAreAClosedSet(t *testing.T) {
	seen := map[delivery.Class]bool{}
	for _, class := range delivery.Classes() {
		assert.False(t, seen[class], "%s twice", class)
		assert.Regexp(t, `^[a-z0-9_]+$`, string(class))
		seen[class] = true
	}
}
