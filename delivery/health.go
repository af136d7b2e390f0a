package delivery

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// breakerOpensAfter is how many unanswered attempts in a row open a call's breaker.
	breakerOpensAfter = 5
	// breakerTimeout is how long an open breaker lets nothing through between two probes.
	breakerTimeout = 10 * time.Second
	// probeWait is how long other attempts wait while a probe is in flight.
	probeWait = time.Second
)

// Health is what this process knows of one call's receiver, and its limits there.
type Health struct {
	concurrency concurrencyLimit
	rate        rateLimit
	breaker     *gobreaker.TwoStepCircuitBreaker[struct{}]
	latency     latency
	spreader    spreader
	failing     atomic.Bool // the last attempt failed
	// broken: the last attempt that says something about the receiver says that it is not working.
	// A response such as 410 says nothing: it is no failure of the receiver, nor a sign of health.
	broken atomic.Bool
	slots  int // the call's slots of the process; the bulkhead guards it
}

func newHealth(call string) *Health {
	h := &Health{rate: newRateLimit()}
	h.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        call,
		Timeout:     breakerTimeout,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerOpensAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, errNotConclusive) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			switch to {
			case gobreaker.StateOpen:
				h.spreader.opened(time.Now())
			case gobreaker.StateClosed:
				h.spreader.closed()
				h.rate.startRamp(time.Now())
			}
		},
	})
	return h
}

// The results that an attempt reports to the breaker, beside nil.
var (
	errReceiverFailed = errors.New("the receiver failed")
	errNotConclusive  = errors.New("the attempt says nothing about the receiver")
)

// configure sets the limits of the current configuration.
func (h *Health) configure(l Limits) {
	h.concurrency.setCapacity(l.Concurrency)
	h.rate.configure(l.Rate)
}

// Inline reports whether the receiver is known, fast and healthy and would take an
// attempt at once, so that a request may be sent to it inside Dispatch.
func (h *Health) Inline() bool {
	return !h.failing.Load() && h.breaker.State() == gobreaker.StateClosed && h.latency.isFast() &&
		h.concurrency.isFree() && h.rate.isFree()
}

// Open reports whether the breaker is open and keeps attempts away from the receiver.
func (h *Health) Open() bool { return h.breaker.State() == gobreaker.StateOpen }

// Refuses reports whether an attempt would be delayed at once: the breaker is open, or
// the attempts in flight take so long that it is no use to wait for one of them to end.
func (h *Health) Refuses() bool { return h.Open() || h.concurrency.isStuck() }

// permit lets one attempt go to the receiver.
type permit struct {
	health   *Health
	done     func(error)
	started  time.Time
	overrun  *time.Timer
	released bool
}

// admit waits, for a bounded time, until an attempt may go. If it may not, admit returns
// no permit, why not, and after what time to make the attempt.
func (h *Health) admit(ctx context.Context) (*permit, Class, time.Duration) {
	if h.Open() {
		return nil, ClassBreakerOpen, h.spreader.afterOpenBreaker(time.Now())
	}
	if !h.concurrency.acquire(ctx) {
		return nil, ClassLimited, h.spreader.afterLimit(time.Now(), limitWait, h.concurrency.interval())
	}
	if in, interval := h.rate.acquire(ctx); in > 0 {
		h.concurrency.release()
		return nil, ClassLimited, h.spreader.afterLimit(time.Now(), in, interval)
	}
	// Last, because the breaker may have opened meanwhile.
	done, err := h.breaker.Allow()
	if err != nil {
		h.concurrency.release()
		return nil, ClassBreakerOpen, h.spreader.afterOpenBreaker(time.Now())
	}
	p := &permit{health: h, done: done, started: time.Now()}
	p.overrun = time.AfterFunc(Overrun, func() {
		h.latency.markSlow()
		h.concurrency.setKnown() // known to be slow
	})
	return p, "", 0
}

// release ends the attempt and lets its outcome count. It returns how long the attempt
// took. A second call does nothing.
func (p *permit) release(class Class) time.Duration {
	if p.released {
		return 0
	}
	p.released = true
	took := time.Since(p.started)
	p.overrun.Stop()
	h := p.health
	if class.isResponse() {
		h.latency.observe(took)
	}
	if class.isResponse() || class.isUnanswered() {
		h.latency.record(took)
	}
	if class == ClassOK {
		h.broken.Store(false)
	} else if class.isUnanswered() || class.isReceiverFailure() {
		h.broken.Store(true)
	}
	switch {
	case class.isUnanswered():
		h.failing.Store(true)
		p.done(errReceiverFailed)
	case class.isReceiverFailure():
		h.failing.Store(true)
		p.done(nil)
	case class.isResponse():
		h.failing.Store(class != ClassOK) // a 410 is no failure of the receiver, nor a sign of health
		p.done(nil)
	default:
		p.done(errNotConclusive)
	}
	h.concurrency.setKnown()
	h.concurrency.release()
	return took
}
