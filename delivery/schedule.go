package delivery

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds the wait that a receiver may ask for.
const maxRetryAfter = 24 * time.Hour

// retryWait returns how long to wait after the given attempt. Jitter moves the schedule's
// wait either way, and the receiver's floor only upwards.
func retryWait(r Retry, attempt int, floor time.Duration) time.Duration {
	d := jittered(r.Schedule[attempt-1], r.Jitter*(2*rand.Float64()-1))
	if floor > 0 {
		d = max(d, jittered(min(floor, maxRetryAfter), r.Jitter*rand.Float64()))
	}
	return d
}

func jittered(d time.Duration, by float64) time.Duration {
	return max(0, d+time.Duration(float64(d)*by))
}

// retryAfter returns the longest wait that the Retry-After headers ask for, in seconds or
// as a date. It ignores a value that is malformed or in the past.
func retryAfter(h http.Header, now time.Time) time.Duration {
	floor := time.Duration(0)
	for _, text := range h.Values("Retry-After") {
		floor = max(floor, parseRetryAfter(strings.TrimSpace(text), now))
	}
	return floor
}

func parseRetryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		// Compared as a number first: a huge one would overflow a duration.
		return time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(date.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
