package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

const (
	// breakerOpensAfter is how many attempts in a row without an answer open a call's breaker.
	breakerOpensAfter = 5
	// breakerStaysOpen is how long a failing receiver is left alone between two probes.
	breakerStaysOpen = 10 * time.Second
	// probeTakes is how long those wait who come while a probe is under way.
	probeTakes = time.Second
	// comebackRate is how many of those sent away come back in a second, so that a
	// receiver that recovers is not run over by its backlog.
	comebackRate = 50
	// maxComeback bounds how far into the future they are spread.
	maxComeback = 5 * time.Minute
)

// Health is what this process knows of one call's receiver, and its limits there.
type Health struct {
	gate     gate
	limiter  *rate.Limiter
	breaker  *gobreaker.TwoStepCircuitBreaker[struct{}]
	latency  latency
	comeback *rate.Limiter
	halfOpen atomic.Int64 // when an open breaker lets a probe through, in Unix nanoseconds
	failing  atomic.Bool  // the last attempt failed
}

func newHealth(call string) *Health {
	h := &Health{
		limiter:  rate.NewLimiter(rate.Inf, 1),
		comeback: rate.NewLimiter(comebackRate, 1),
	}
	h.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        call,
		Timeout:     breakerStaysOpen,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerOpensAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, errSaysNothing) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				h.halfOpen.Store(time.Now().Add(breakerStaysOpen).UnixNano())
			}
		},
	})
	return h
}

// What an attempt tells the breaker.
var (
	errReceiverFailed = errors.New("the receiver failed")
	errSaysNothing    = errors.New("the attempt says nothing about the receiver")
)

// configure takes the limits of the configuration in force.
func (h *Health) configure(l Limits) {
	h.gate.resize(l.Concurrency)
	limit, burst := rate.Inf, 1
	if l.Rate > 0 {
		// A burst of a twentieth keeps the arrivals of any second within 5 % of the rate.
		limit, burst = rate.Limit(l.Rate), max(1, int(l.Rate/20))
	}
	if h.limiter.Limit() != limit {
		h.limiter.SetLimit(limit)
		h.limiter.SetBurst(burst)
		h.comeback.SetLimit(min(limit, comebackRate))
	}
}

// Inline tells whether the receiver is known, fast and healthy and would take an
// attempt at once, so that a request may be sent to it inside Dispatch.
func (h *Health) Inline() bool {
	return !h.failing.Load() && h.breaker.State() == gobreaker.StateClosed && h.latency.fast() &&
		h.gate.free() && (h.limiter.Limit() == rate.Inf || h.limiter.Tokens() >= 1)
}

// Open tells whether the breaker keeps attempts away from the receiver now.
func (h *Health) Open() bool { return h.breaker.State() == gobreaker.StateOpen }

// permit lets one attempt go to the receiver.
type permit struct {
	health  *Health
	done    func(error)
	started time.Time
	overrun *time.Timer
}

// enter waits, for a bounded time, until an attempt may go. Otherwise the class
// says why not and the duration when to come back: delayed, never discarded.
func (h *Health) enter(ctx context.Context) (*permit, Class, time.Duration) {
	if h.Open() {
		return nil, ClassBreakerOpen, h.comeBackIn(h.untilProbe())
	}
	if !h.gate.enter(ctx) {
		return nil, ClassLimited, h.comeBackIn(gateWait)
	}
	if in := h.takeToken(ctx); in > 0 {
		h.gate.leave()
		return nil, ClassLimited, h.comeBackIn(in)
	}
	// Last, because the breaker may have opened meanwhile.
	done, err := h.breaker.Allow()
	if err != nil {
		h.gate.leave()
		return nil, ClassBreakerOpen, h.comeBackIn(h.untilProbe())
	}
	p := &permit{health: h, done: done, started: time.Now()}
	p.overrun = time.AfterFunc(Overrun, func() {
		h.latency.overran()
		h.gate.know() // slow is known, too
	})
	return p, "", 0
}

// leave ends the attempt and lets its outcome count. It returns how long it took.
func (p *permit) leave(class Class) time.Duration {
	took := time.Since(p.started)
	p.overrun.Stop()
	h := p.health
	if class.fromReceiver() {
		h.latency.observe(took)
	}
	switch {
	case class.noAnswer():
		h.failing.Store(true)
		p.done(errReceiverFailed)
	case class.receiverFailed():
		h.failing.Store(true)
		p.done(nil)
	case class.fromReceiver():
		h.failing.Store(false)
		p.done(nil)
	default:
		p.done(errSaysNothing)
	}
	h.gate.know()
	h.gate.leave()
	return took
}

// takeToken waits for the rate's next token, if it comes soon enough; else it
// says how long that takes.
func (h *Health) takeToken(ctx context.Context) time.Duration {
	r := h.limiter.Reserve()
	in := r.Delay()
	switch {
	case in == 0:
		return 0
	case in > gateWait:
		r.Cancel()
		return in
	}
	timer := time.NewTimer(in)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0
	case <-ctx.Done():
		r.Cancel()
		return in
	}
}

func (h *Health) untilProbe() time.Duration {
	return max(probeTakes, time.Until(time.Unix(0, h.halfOpen.Load())))
}

// comeBackIn gives those sent away a place each in the time after the earliest
// instant that makes sense.
func (h *Health) comeBackIn(earliest time.Duration) time.Duration {
	r := h.comeback.Reserve()
	in := r.Delay()
	if in > maxComeback {
		r.Cancel()
		in = time.Duration(rand.Int64N(int64(maxComeback)))
	}
	return earliest + in.Round(time.Millisecond)
}
