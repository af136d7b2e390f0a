package delivery

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"segue/contract"
)

// maxRetryAfter bounds how long a receiver may ask us to stay away.
const maxRetryAfter = 24 * time.Hour

// settle completes an outcome: it copies what the workflows need of the policy
// and turns a retry into its wait, or into final when the schedule is used up.
//
// attempt counts from 1. floor is the receiver's Retry-After, 0 for none.
func settle(o contract.Outcome, p Policy, attempt int, floor time.Duration) contract.Outcome {
	o.Version = p.Version
	o.Of = len(p.Retry.Schedule) + 1
	o.Order = string(p.Order)
	o.Retention = p.Retry.Retention
	if o.Verdict != contract.VerdictRetry || o.Free {
		return o
	}
	if attempt >= o.Of {
		o.Verdict = contract.VerdictFinal
		o.Message += "; that was attempt " + strconv.Itoa(attempt) + " of " + strconv.Itoa(o.Of)
		return o
	}
	o.RetryIn = wait(p.Retry, max(attempt, 1), floor)
	return o
}

// wait is how long to stay away after the given attempt. The schedule's wait is
// spread to both sides; the receiver's floor only upwards, for it is a floor.
func wait(r Retry, attempt int, floor time.Duration) time.Duration {
	d := spread(r.Schedule[attempt-1], r.Jitter*(2*rand.Float64()-1))
	if floor > 0 {
		d = max(d, spread(min(floor, maxRetryAfter), r.Jitter*rand.Float64()))
	}
	return d
}

func spread(d time.Duration, by float64) time.Duration {
	return max(0, d+time.Duration(float64(d)*by))
}

// retryAfter reads the header of the same name, in seconds or as a date. What it
// does not understand, and what lies in the past, is no floor; of several the
// longest is.
func retryAfter(h http.Header, now time.Time) time.Duration {
	floor := time.Duration(0)
	for _, text := range h.Values("Retry-After") {
		floor = max(floor, stayAway(strings.TrimSpace(text), now))
	}
	return floor
}

func stayAway(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		// Compared as a number first: a huge one would overflow a duration.
		return time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(date.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
