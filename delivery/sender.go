package delivery

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"segue/contract"
	"segue/metrics"
)

// retryWhenStopping is when an attempt that a stopping process does not start is to be
// made: another process is there by then.
const retryWhenStopping = time.Second

// Options configure a Sender.
type Options struct {
	// Guard decides which addresses may be dialled; nil lets only public ones through.
	Guard *Guard
	// Resolver resolves host names; nil is the system's.
	Resolver *net.Resolver
	// Roots are the certificate authorities that are trusted; nil means the system's.
	Roots *x509.CertPool
	// Slots is how many attempts the process holds at once, in flight or waiting for
	// their call's limits; 0 is DefaultSlots. Attempts beyond that are delayed.
	Slots int
	// Log receives defects alone; nil is the process's logger.
	Log *slog.Logger
	// Metrics record every attempt; nil records none.
	Metrics *metrics.Instruments
}

// Sender sends requests for the whole process: it has one pool of connections, one table
// of the attempts in flight, and one view of every receiver's health.
type Sender struct {
	transports *transports
	tokens     *tokens
	attempts   *Attempts
	guard      atomic.Pointer[Guard]
	bulkhead   bulkhead
	log        *slog.Logger
	metrics    *metrics.Instruments

	mu     sync.Mutex
	health map[string]*Health // by call
}

// New returns a sender. Close it when the process stops.
func New(o Options) *Sender {
	s := &Sender{attempts: NewAttempts(), health: map[string]*Health{}, log: o.Log, metrics: o.Metrics}
	s.bulkhead.slots = cmp.Or(o.Slots, DefaultSlots)
	if s.log == nil {
		s.log = slog.Default()
	}
	s.transports = newTransports(newDialer(s.guard.Load, o.Resolver), o.Roots)
	s.tokens = newTokens()
	s.SetGuard(o.Guard)
	return s
}

// SetGuard replaces the guard. It applies to every request that starts afterwards: such
// a request opens a new connection. nil lets only public addresses through.
func (s *Sender) SetGuard(g *Guard) {
	if g == nil {
		g = &Guard{}
	}
	s.guard.Store(g)
	s.transports.renew()
}

// Health returns what the process knows of a call's receiver, and sets its limits to
// those of the policy.
func (s *Sender) Health(p Policy) *Health {
	s.mu.Lock()
	h, ok := s.health[p.Call]
	if !ok {
		h = newHealth(p.Call)
		s.health[p.Call] = h
	}
	s.mu.Unlock()
	h.configure(p.Limits)
	return h
}

// Find returns an attempt that this process is sending or has just sent; see
// Attempts.Find.
func (s *Sender) Find(id string, attempt int, caller string) (*Attempt, bool) {
	return s.attempts.Find(AttemptKey{id, attempt}, caller)
}

// Start sends one attempt, counted from 1, unless this process is sending it or has sent
// it: then it returns that Attempt; see Attempts.Start. Only the policy's deadline ends a
// request that has started.
func (s *Sender) Start(p Policy, r contract.Request, attempt int, caller string) *Attempt {
	return s.start(p, r, attempt, caller, nil)
}

func (s *Sender) start(p Policy, r contract.Request, attempt int, caller string, t *tracer) *Attempt {
	a := s.attempts.Start(AttemptKey{r.ID, attempt}, caller, func() contract.Outcome { return s.send(p, r, attempt, t) })
	if a == nil {
		a = &Attempt{done: make(chan struct{}), outcome: delayed(p, r, ClassStopping, retryWhenStopping)}
		s.measure(p, r, a.outcome, 0)
		close(a.done)
	}
	return a
}

// Reject returns the outcome of a request that is not attempted because its receiver's
// Health refuses it now. The outcome's RetryIn is the delay until the attempt.
func (s *Sender) Reject(p Policy, r contract.Request) contract.Outcome {
	health, now := s.Health(p), time.Now()
	if health.Open() {
		return delayed(p, r, ClassBreakerOpen, health.spreader.afterOpenBreaker(now))
	}
	return delayed(p, r, ClassLimited, health.spreader.afterLimit(now, limitWait, health.concurrency.interval()))
}

// Claim records that the caller takes a failed attempt as its result; see Attempts.Claim.
func (s *Sender) Claim(id string, attempt int, caller string) {
	s.attempts.Claim(AttemptKey{id, attempt}, caller)
}

// Send sends one attempt and waits for its outcome. If the context ends first, the
// request goes on and the outcome is that of InFlight.
func (s *Sender) Send(ctx context.Context, p Policy, r contract.Request, attempt int) contract.Outcome {
	return outcomeOrInFlight(ctx, s.Start(p, r, attempt, ""), r)
}

func outcomeOrInFlight(ctx context.Context, a *Attempt, r contract.Request) contract.Outcome {
	if o, ok := a.Wait(ctx); ok {
		return o
	}
	return InFlight(r)
}

// Close starts no more requests and waits for those in flight, as long as the context
// lives. Requests that outlast the context are not cut; they end with the process.
func (s *Sender) Close(ctx context.Context) error {
	err := s.attempts.Close(ctx)
	s.transports.closeIdle()
	if err != nil {
		return fmt.Errorf("requests are still in flight: %w", err)
	}
	return nil
}
