package delivery

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// breakerOpensAfter is how many attempts in a row without an answer open a call's breaker.
	breakerOpensAfter = 5
	// breakerStaysOpen is how long a failing receiver is left alone between two probes.
	breakerStaysOpen = 10 * time.Second
	// probeTakes is how long those wait who come while a probe is under way.
	probeTakes = time.Second
)

// Health is what this process knows of one call's receiver, and its limits there.
type Health struct {
	gate     gate
	pace     pace
	breaker  *gobreaker.TwoStepCircuitBreaker[struct{}]
	latency  latency
	comeback spreader
	failing  atomic.Bool // the last attempt failed
	held     int         // slots of the process; its bulkhead guards it
}

func newHealth(call string) *Health {
	h := &Health{pace: newPace()}
	h.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        call,
		Timeout:     breakerStaysOpen,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerOpensAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, errSaysNothing) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			switch to {
			case gobreaker.StateOpen:
				h.comeback.opened(time.Now())
			case gobreaker.StateClosed:
				h.comeback.closed()
				h.pace.runUp(time.Now())
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
	h.pace.configure(l.Rate)
}

// Inline tells whether the receiver is known, fast and healthy and would take an
// attempt at once, so that a request may be sent to it inside Dispatch.
func (h *Health) Inline() bool {
	return !h.failing.Load() && h.breaker.State() == gobreaker.StateClosed && h.latency.fast() &&
		h.gate.free() && h.pace.free()
}

// Open tells whether the breaker keeps attempts away from the receiver now.
func (h *Health) Open() bool { return h.breaker.State() == gobreaker.StateOpen }

// Refuses tells whether an attempt now would be sent away at once: the breaker is
// open, or the receiver takes so long for those under way that waiting is no use.
func (h *Health) Refuses() bool { return h.Open() || h.gate.hangs() }

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
		return nil, ClassBreakerOpen, h.comeback.fromOpen(time.Now())
	}
	if !h.gate.enter(ctx) {
		return nil, ClassLimited, h.comeback.fromLimit(time.Now(), gateWait, h.gate.every())
	}
	if in, every := h.pace.take(ctx); in > 0 {
		h.gate.leave()
		return nil, ClassLimited, h.comeback.fromLimit(time.Now(), in, every)
	}
	// Last, because the breaker may have opened meanwhile.
	done, err := h.breaker.Allow()
	if err != nil {
		h.gate.leave()
		return nil, ClassBreakerOpen, h.comeback.fromOpen(time.Now())
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
		h.failing.Store(class != ClassOK) // one that answers 410 fails nobody, and is not well either
		p.done(nil)
	default:
		p.done(errSaysNothing)
	}
	h.gate.know()
	h.gate.leave()
	return took
}
