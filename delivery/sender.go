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

// stoppingTakes is when to come back to a process that is stopping: another one is
// there by then.
const stoppingTakes = time.Second

// Options are what a Sender is made of.
type Options struct {
	// Guard decides which addresses may be dialled; nil lets only public ones through.
	Guard *Guard
	// Resolver answers for host names; nil is the system's.
	Resolver *net.Resolver
	// Roots are the certificate authorities that are trusted; nil means the system's.
	Roots *x509.CertPool
	// Slots is how many attempts the process holds at once, under way or waiting for
	// their turn; 0 is DefaultSlots. What waits beyond that is delayed.
	Slots int
	// Log hears of defects alone; nil is the process's logger.
	Log *slog.Logger
	// Metrics hear of every attempt; nil is nobody.
	Metrics *metrics.Instruments
}

// Sender sends requests for the whole process: one pool of connections, one
// memory of what is under way, one view of every receiver's health.
type Sender struct {
	transports *transports
	tokens     *tokens
	flights    *Flights
	guard      atomic.Pointer[Guard]
	bulkhead   bulkhead
	log        *slog.Logger
	metrics    *metrics.Instruments

	mu     sync.Mutex
	health map[string]*Health // by call
}

// New makes a sender. Close it when the process stops.
func New(o Options) *Sender {
	s := &Sender{flights: NewFlights(), health: map[string]*Health{}, log: o.Log, metrics: o.Metrics}
	s.bulkhead.slots = cmp.Or(o.Slots, DefaultSlots)
	if s.log == nil {
		s.log = slog.Default()
	}
	s.transports = newTransports(newDialer(s.guard.Load, o.Resolver), o.Roots)
	s.tokens = newTokens()
	s.SetGuard(o.Guard)
	return s
}

// SetGuard replaces the guard. It holds for every request that starts from now on, which
// opens a connection of its own. nil lets only public addresses through.
func (s *Sender) SetGuard(g *Guard) {
	if g == nil {
		g = &Guard{}
	}
	s.guard.Store(g)
	s.transports.renew()
}

// Health is what is known of a call's receiver, under the limits of the policy.
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

// Find is the flight of an attempt that this process sends or has just sent; see
// Flights for what the asker is.
func (s *Sender) Find(id string, attempt int, asker string) (*Flight, bool) {
	return s.flights.Find(FlightKey{id, attempt}, asker)
}

// Start sends one attempt, counted from 1, unless this process has sent it or is
// sending it: then it gives that flight. Only the policy's deadline ends a request
// that has started.
func (s *Sender) Start(p Policy, r contract.Request, attempt int, asker string) *Flight {
	f := s.flights.Start(FlightKey{r.ID, attempt}, asker, func() contract.Outcome { return s.send(p, r, attempt, nil) })
	if f == nil {
		f = &Flight{done: make(chan struct{}), outcome: Refused(p, r, ClassStopping, stoppingTakes)}
		s.measure(p, r, f.outcome, 0)
		close(f.done)
	}
	return f
}

// Reject is the outcome of a request that is not even tried, because its receiver's
// Health refuses it now; it says when to come for the attempt.
func (s *Sender) Reject(p Policy, r contract.Request) contract.Outcome {
	health, now := s.Health(p), time.Now()
	if health.Open() {
		return Refused(p, r, ClassBreakerOpen, health.comeback.fromOpen(now))
	}
	return Refused(p, r, ClassLimited, health.comeback.fromLimit(now, gateWait, health.gate.every()))
}

// Told notes that the asker takes a failed attempt as its result.
func (s *Sender) Told(id string, attempt int, asker string) {
	s.flights.Claim(FlightKey{id, attempt}, asker)
}

// Send sends one attempt and waits for what comes of it. When the context ends
// first, the request goes on and the outcome says that it is in flight.
func (s *Sender) Send(ctx context.Context, p Policy, r contract.Request, attempt int) contract.Outcome {
	if o, ok := s.Start(p, r, attempt, "").Wait(ctx); ok {
		return o
	}
	return InFlight(r)
}

// Close waits for the requests under way, as long as the context lives, and takes
// no more. Those that outlast it are not cut; they end with the process.
func (s *Sender) Close(ctx context.Context) error {
	err := s.flights.Close(ctx)
	s.transports.closeIdle()
	if err != nil {
		return fmt.Errorf("requests are still under way: %w", err)
	}
	return nil
}

// InFlight is the outcome of a request that is still under way.
func InFlight(r contract.Request) contract.Outcome { return outcomeOf(r, ClassInFlight, "") }

// NotSent is the outcome of a request that cannot be sent at all, for a reason of ours.
func NotSent(p Policy, r contract.Request, class Class, message string) contract.Outcome {
	return settle(outcomeOf(r, class, message), p, 1, 0)
}

// Refused is the outcome of a request that was kept back and whose attempt is
// still to be made, under the same number, after the given time.
func Refused(p Policy, r contract.Request, class Class, in time.Duration) contract.Outcome {
	o := outcomeOf(r, class, refusals[class])
	o.Free, o.RetryIn = true, in
	return settle(o, p, 1, 0)
}

var refusals = map[Class]string{
	ClassBreakerOpen: "the receiver has failed repeatedly and is left alone for a while",
	ClassLimited:     "the call's limit of concurrency or rate is used up",
	ClassStopping:    "the process is stopping",
}

// DryRun is the outcome of a request that is recorded and not sent.
func DryRun(p Policy, r contract.Request) contract.Outcome { return NotSent(p, r, ClassDryRun, "") }

// outcomeOf begins an outcome with the verdict that its class has by itself.
func outcomeOf(r contract.Request, class Class, message string) contract.Outcome {
	return contract.Outcome{
		ID: r.ID, Class: string(class), Verdict: class.verdict(), Message: bounded(message, maxMessage), At: time.Now().UTC(),
	}
}
