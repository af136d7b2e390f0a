package delivery

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// rampFrom is how many attempts a second a receiver gets at first when it is back
	// after an outage: it has cold caches, and everything that has waited comes at once.
	rampFrom = 10
	// rampDoubles is how long it takes until it gets twice as many.
	rampDoubles = 5 * time.Second
	// rampTakes is when it gets all there is again.
	rampTakes = 30 * time.Second
	// burstShare is the part of a second's attempts that may go at the same instant.
	// With it, the arrivals of any second stay within 5 % of the rate, and the network
	// may still have shifted some.
	burstShare = 0.025
)

// pace is how many attempts of a call may start in a second: as the configuration
// says, and less while a receiver that was down is run up.
type pace struct {
	limiter *rate.Limiter
	mu      sync.Mutex
	own     rate.Limit
	ramp    time.Time // when the receiver came back
}

func newPace() pace { return pace{limiter: rate.NewLimiter(rate.Inf, 1), own: rate.Inf} }

// configure takes a rate, 0 for unlimited.
func (p *pace) configure(perSecond float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	own, burst := rate.Inf, 1
	if perSecond > 0 {
		own, burst = rate.Limit(perSecond), max(1, int(perSecond*burstShare))
	}
	if own != p.own {
		p.own = own
		p.limiter.SetBurst(burst)
	}
}

// runUp begins to run up a receiver that is back.
func (p *pace) runUp(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ramp = now
}

// limit puts what holds now into the limiter, and tells it. The lock is the caller's.
func (p *pace) limit(now time.Time) rate.Limit {
	limit := p.own
	if took := now.Sub(p.ramp); took < rampTakes {
		limit = min(limit, rampFrom*rate.Limit(math.Exp2(took.Seconds()/rampDoubles.Seconds())))
	}
	if p.limiter.Limit() != limit {
		p.limiter.SetLimitAt(now, limit)
	}
	return limit
}

// free tells whether an attempt would start at once.
func (p *pace) free() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	return p.limit(now) == rate.Inf || p.limiter.TokensAt(now) >= 1
}

// take waits for the next attempt's turn if it comes soon enough. Else it says in
// what time it comes, and how often one does.
func (p *pace) take(ctx context.Context) (in, every time.Duration) {
	in, every, granted := p.reserve(time.Now())
	if in == 0 || !granted {
		return in, every
	}
	timer := time.NewTimer(in)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0, every
	case <-ctx.Done():
		return in, every
	}
}

// reserve takes the next turn, unless it is too far away: one that is given back
// would be lost to those who have reserved behind it.
func (p *pace) reserve(now time.Time) (in, every time.Duration, granted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := p.limit(now)
	if limit == rate.Inf {
		return 0, 0, true
	}
	every = seconds(1 / float64(limit))
	in = seconds((1 - p.limiter.TokensAt(now)) / float64(limit))
	if in > gateWait {
		return in, every, false
	}
	return p.limiter.ReserveN(now, 1).DelayFrom(now), every, true
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
