package delivery_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

func TestStatusDecidesClassAndVerdict(t *testing.T) {
	one := func(code int) []delivery.StatusRange { return []delivery.StatusRange{{From: code, To: code}} }
	for _, tc := range []struct {
		code    int
		success []delivery.StatusRange
		final   []delivery.StatusRange
		class   delivery.Class
		verdict contract.Verdict
	}{
		{code: 200, class: delivery.ClassOK, verdict: contract.VerdictDelivered},
		{code: 204, class: delivery.ClassOK, verdict: contract.VerdictDelivered},
		{code: 299, class: delivery.ClassOK, verdict: contract.VerdictDelivered},
		{code: 202, success: one(200), class: delivery.ClassUnexpected, verdict: contract.VerdictRetry},
		{code: 404, success: one(404), class: delivery.ClassOK, verdict: contract.VerdictDelivered},
		{code: 404, success: one(404), final: one(404), class: delivery.ClassOK, verdict: contract.VerdictDelivered},
		{code: 300, class: delivery.ClassRedirect, verdict: contract.VerdictRetry},
		{code: 304, class: delivery.ClassRedirect, verdict: contract.VerdictRetry},
		{code: 400, class: delivery.ClassHTTP4xx, verdict: contract.VerdictFinal},
		{code: 401, class: delivery.ClassHTTP4xx, verdict: contract.VerdictFinal},
		{code: 404, class: delivery.ClassHTTP4xx, verdict: contract.VerdictFinal},
		{code: 408, class: delivery.ClassHTTP4xx, verdict: contract.VerdictRetry},
		{code: 410, class: delivery.ClassGone, verdict: contract.VerdictFinal},
		{code: 425, class: delivery.ClassHTTP4xx, verdict: contract.VerdictRetry},
		{code: 429, class: delivery.ClassHTTP429, verdict: contract.VerdictRetry},
		{code: 429, final: one(429), class: delivery.ClassHTTP429, verdict: contract.VerdictFinal},
		{code: 500, class: delivery.ClassHTTP5xx, verdict: contract.VerdictRetry},
		{code: 503, class: delivery.ClassHTTP5xx, verdict: contract.VerdictRetry},
		{code: 599, class: delivery.ClassHTTP5xx, verdict: contract.VerdictRetry},
		{code: 501, final: one(501), class: delivery.ClassHTTP5xx, verdict: contract.VerdictFinal},
		{code: 777, class: delivery.ClassUnexpected, verdict: contract.VerdictRetry},
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
			if tc.verdict == contract.VerdictRetry {
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
		verdict contract.Verdict
		wait    time.Duration
	}{
		{0, contract.VerdictRetry, 5 * time.Second},
		{1, contract.VerdictRetry, 5 * time.Second},
		{2, contract.VerdictRetry, time.Minute},
		{3, contract.VerdictFinal, 0},
		{9, contract.VerdictFinal, 0},
	} {
		o := newSender(t).Send(context.Background(), newPolicy(), newRequest(server.URL), tc.attempt)
		assert.Equal(t, tc.verdict, o.Verdict, "attempt %d", tc.attempt)
		assert.Equal(t, tc.wait, o.RetryIn, "attempt %d", tc.attempt)
		assert.Equal(t, 3, o.Of)
		assert.Equal(t, "block", o.Order)
		assert.Equal(t, time.Hour, o.Retention)
	}
}

func TestJitterGoesBothWays(t *testing.T) {
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
		"1.5":                           0,
		"120, 60":                       0,
		"Infinity":                      0,
	} {
		assert.Equal(t, floor, delivery.RetryAfter(http.Header{"Retry-After": {text}}, now), "%q", text)
	}
}

// Retry-After is a floor with jitter above it, and bounded; a meaningless value leaves the
// schedule as it is.
func TestRetryAfterFromAReceiver(t *testing.T) {
	asIs := [2]time.Duration{4 * time.Second, 6 * time.Second}
	day := [2]time.Duration{24 * time.Hour, 29 * time.Hour}
	for name, tc := range map[string]struct {
		values []string
		bounds [2]time.Duration
	}{
		"seconds":               {[]string{"60"}, [2]time.Duration{60 * time.Second, 72 * time.Second}},
		"less than the wait":    {[]string{"1"}, asIs},
		"date":                  {[]string{time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}, [2]time.Duration{59 * time.Minute, 72 * time.Minute}},
		"date in another style": {[]string{time.Now().Add(time.Hour).UTC().Format(time.ANSIC)}, [2]time.Duration{59 * time.Minute, 72 * time.Minute}},
		"past date":             {[]string{"Sun, 06 Nov 1994 08:49:37 GMT"}, asIs},
		"negative":              {[]string{"-3600"}, asIs},
		"one year":              {[]string{"31536000"}, day},
		"date in a year":        {[]string{time.Now().AddDate(1, 0, 0).UTC().Format(http.TimeFormat)}, day},
		"garbage":               {[]string{"when pigs fly"}, asIs},
		"more than a number":    {[]string{strings.Repeat("9", 5000)}, asIs},
		"empty":                 {[]string{""}, asIs},
		"several":               {[]string{"garbage", "60", "90", "-1"}, [2]time.Duration{90 * time.Second, 108 * time.Second}},
		"several, one absurd":   {[]string{"60", "99999999"}, day},
	} {
		for _, code := range []int{429, 503, 302, 408} {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Retry-After"] = tc.values
				w.WriteHeader(code)
			})
			policy := newPolicy()
			policy.Retry.Jitter = 0.2
			sender, waits := newSender(t), map[time.Duration]bool{}
			for n := range 5 {
				o := sender.Send(context.Background(), policy, numbered(server.URL, n), 1)
				assert.Equal(t, contract.VerdictRetry, o.Verdict)
				assert.GreaterOrEqual(t, o.RetryIn, tc.bounds[0], "%s, %d", name, code)
				assert.LessOrEqual(t, o.RetryIn, tc.bounds[1], "%s, %d", name, code)
				waits[o.RetryIn] = true
			}
			assert.Greater(t, len(waits), 1, "%s: all delayed attempts would be made at once", name)
		}
	}
}

// Each class has a verdict of its own, and the one that the call gives it.
func TestACallOverridesTheVerdictOfAClass(t *testing.T) {
	gone, conflict := serve(t, answer(410)), serve(t, answer(409))
	retry, final := contract.VerdictRetry, contract.VerdictFinal
	one := func(code int) []delivery.StatusRange { return []delivery.StatusRange{{From: code, To: code}} }
	verdicts := func(class delivery.Class, v contract.Verdict) map[delivery.Class]contract.Verdict {
		return map[delivery.Class]contract.Verdict{class: v}
	}
	for name, tc := range map[string]struct {
		url    string
		change delivery.Policy
		class  delivery.Class
		want   contract.Verdict
	}{
		"final by itself":                 {gone.URL, delivery.Policy{}, delivery.ClassGone, final},
		"retriable status":                {gone.URL, delivery.Policy{Retriable: one(410)}, delivery.ClassGone, retry},
		"retriable class":                 {gone.URL, delivery.Policy{Verdicts: verdicts(delivery.ClassGone, retry)}, delivery.ClassGone, retry},
		"another class":                   {gone.URL, delivery.Policy{Verdicts: verdicts(delivery.ClassHTTP4xx, retry)}, delivery.ClassGone, final},
		"status before class":             {conflict.URL, delivery.Policy{Final: one(409), Verdicts: verdicts(delivery.ClassHTTP4xx, retry)}, delivery.ClassHTTP4xx, final},
		"final status before a retriable": {conflict.URL, delivery.Policy{Final: one(409), Retriable: one(409)}, delivery.ClassHTTP4xx, final},
		"408 by itself":                   {serve(t, answer(408)).URL, delivery.Policy{}, delivery.ClassHTTP4xx, retry},
		"408 with its class":              {serve(t, answer(408)).URL, delivery.Policy{Verdicts: verdicts(delivery.ClassHTTP4xx, final)}, delivery.ClassHTTP4xx, final},
		"refused by itself":               {hostiletest.Refuse(t), delivery.Policy{}, delivery.ClassRefused, retry},
		"refused is final":                {hostiletest.Refuse(t), delivery.Policy{Verdicts: verdicts(delivery.ClassRefused, final)}, delivery.ClassRefused, final},
		"blocked is retried":              {"http://10.0.0.1/", delivery.Policy{Verdicts: verdicts(delivery.ClassBlocked, retry)}, delivery.ClassBlocked, retry},
		"auth is final":                   {gone.URL, delivery.Policy{Auth: delivery.Auth{Bearer: "env:SEGUE_TEST_UNSET"}, Verdicts: verdicts(delivery.ClassAuth, final)}, delivery.ClassAuth, final},
		"render stays final":              {"file:///x", delivery.Policy{Verdicts: verdicts(delivery.ClassRender, retry)}, delivery.ClassRender, final},
		"a success is none to override":   {serve(t, answer(200)).URL, delivery.Policy{Verdicts: verdicts(delivery.ClassOK, final)}, delivery.ClassOK, contract.VerdictDelivered},
	} {
		t.Run(name, func(t *testing.T) {
			policy := newPolicy()
			policy.Auth, policy.Final, policy.Retriable, policy.Verdicts = tc.change.Auth, tc.change.Final, tc.change.Retriable, tc.change.Verdicts
			o := newSender(t).Send(context.Background(), policy, newRequest(tc.url), 1)
			assert.Equal(t, string(tc.class), o.Class, o.Message)
			assert.Equal(t, tc.want, o.Verdict)
			assert.Equal(t, tc.want == retry, o.RetryIn > 0)
		})
	}
	soap := newPolicy()
	soap.SOAP = true
	client := serve(t, write(500, fmt.Sprintf(fault11, "Client")))
	assert.Equal(t, final, newSender(t).Send(context.Background(), soap, newRequest(client.URL), 1).Verdict)
	soap.Verdicts = verdicts(delivery.ClassSOAPFault, retry)
	assert.Equal(t, retry, newSender(t).Send(context.Background(), soap, newRequest(client.URL), 1).Verdict)
	soap.Final = one(500)
	assert.Equal(t, final, newSender(t).Send(context.Background(), soap, newRequest(client.URL), 1).Verdict)
	assert.Subset(t, delivery.Classes(), delivery.Overridable())
}

func TestClassesAreAClosedSet(t *testing.T) {
	seen := map[delivery.Class]bool{}
	for _, class := range delivery.Classes() {
		assert.False(t, seen[class], "%s twice", class)
		assert.Regexp(t, `^[a-z0-9_]+$`, string(class))
		seen[class] = true
	}
}
