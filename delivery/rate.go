package delivery

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// rampStart is how many attempts a second a receiver gets at first when it recovers
	// from an outage: its caches are cold, and the whole backlog is due.
	rampStart = 10
	// rampDoubles is how long it takes until it gets twice as many.
	rampDoubles = 5 * time.Second
	// rampLasts is when the ramp ends, and the configured rate applies alone.
	rampLasts = 30 * time.Second
	// burstShare is the part of a second's attempts that may go at the same instant.
	// With it, the arrivals of any second stay within 5 % of the rate, also where the
	// network shifts some.
	burstShare = 0.025
)

// rateLimit bounds how many attempts of a call may start in a second: by the
// configuration, and further while a receiver that was down is ramped up.
type rateLimit struct {
	limiter     *rate.Limiter
	mu          sync.Mutex
	configured  rate.Limit
	recoveredAt time.Time // when the ramp began
}

func newRateLimit() rateLimit {
	return rateLimit{limiter: rate.NewLimiter(rate.Inf, 1), configured: rate.Inf}
}

// configure sets the rate, 0 for unlimited.
func (l *rateLimit) configure(perSecond float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	configured, burst := rate.Inf, 1
	if perSecond > 0 {
		configured, burst = rate.Limit(perSecond), max(1, int(perSecond*burstShare))
	}
	if configured != l.configured {
		l.configured = configured
		l.limiter.SetBurst(burst)
	}
}

// startRamp begins to ramp up a receiver that has recovered.
func (l *rateLimit) startRamp(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recoveredAt = now
}

// current sets the limiter to the limit of now, and returns it. The caller holds the lock.
func (l *rateLimit) current(now time.Time) rate.Limit {
	limit := l.configured
	if ramped := now.Sub(l.recoveredAt); ramped < rampLasts {
		limit = min(limit, rampStart*rate.Limit(math.Exp2(ramped.Seconds()/rampDoubles.Seconds())))
	}
	if l.limiter.Limit() != limit {
		l.limiter.SetLimitAt(now, limit)
	}
	return limit
}

// isFree reports whether an attempt would start at once.
func (l *rateLimit) isFree() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return l.current(now) == rate.Inf || l.limiter.TokensAt(now) >= 1
}

// acquire waits until the attempt may start, at most limitWait, and returns 0 for in. If
// it would have to wait for longer, it returns for how long, and the interval between two
// attempts.
func (l *rateLimit) acquire(ctx context.Context) (in, interval time.Duration) {
	in, interval, reserved := l.reserve(time.Now())
	if in == 0 || !reserved {
		return in, interval
	}
	timer := time.NewTimer(in)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0, interval
	case <-ctx.Done():
		return in, interval
	}
}

// reserve takes the next token, unless it comes later than limitWait: returning a token
// later would not give it to the attempts that have reserved behind it.
func (l *rateLimit) reserve(now time.Time) (in, interval time.Duration, reserved bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.current(now)
	if limit == rate.Inf {
		return 0, 0, true
	}
	interval = seconds(1 / float64(limit))
	in = seconds((1 - l.limiter.TokensAt(now)) / float64(limit))
	if in > limitWait {
		return in, interval, false
	}
	return l.limiter.ReserveN(now, 1).DelayFrom(now), interval, true
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
