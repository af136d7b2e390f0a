package alerts

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"segue/contract"
)

const (
	// parkedEvery is how often the parked deliveries of one call are reported at most.
	parkedEvery = time.Minute
	// deliveredEvery is how often a process that has reported no failure reports that a
	// lane's delivery arrived: the process that reported the failure may have died.
	deliveredEvery = time.Minute
	// refreshEvery is how often a failure that goes on is reported again: the last report
	// may have been that of another process, to which the receiver delivers.
	refreshEvery = 10 * time.Minute
	// longestGrace is how long a receiver fails before it is reported, unless operators
	// want to know sooner: most failures end with the first retry.
	longestGrace = 10 * time.Second
	// parkPatience is how long a caller that parks a delivery waits for the first report.
	parkPatience = time.Second
)

// Options configure a Reporter.
type Options struct {
	Temporal client.Client
	// TaskQueue is where Receiver workflows run.
	TaskQueue string
	// Rules returns the current rules, of which a report needs how soon operators want to
	// know; nil is after longestGrace.
	Rules func() contract.AlertRules
	Log   *slog.Logger
}

// Reporter observes the receivers of one worker process. A nil Reporter does nothing.
type Reporter struct {
	options Options
	changed chan struct{}
	stop    context.CancelFunc
	stopped chan struct{}

	mu        sync.Mutex
	receivers map[string]*receiver // by call
}

// Attempt is an attempt with its outcome.
type Attempt struct {
	Owner   contract.Owner
	Request contract.Request
	Outcome contract.Outcome
	// BreakerOpen says that the receiver's circuit breaker is open now.
	BreakerOpen bool
	// InLane says that a lane workflow made the attempt, so that an earlier one failed.
	InLane bool
}

// New returns a reporter that sends reports until it is closed. Close it when the process
// stops.
func New(o Options) *Reporter {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Reporter{options: o, changed: make(chan struct{}, 1), stop: stop, stopped: make(chan struct{}), receivers: map[string]*receiver{}}
	go r.run(ctx)
	return r
}

// Close sends what is still to be reported, as long as the context lives, and stops.
func (r *Reporter) Close(ctx context.Context) {
	if r == nil {
		return
	}
	r.stop()
	<-r.stopped
	r.mu.Lock()
	for _, receiver := range r.receivers {
		receiver.flush()
	}
	r.mu.Unlock()
	r.sendDue(ctx)
}

// Observe takes in an attempt. That of an alert is only logged: alerts about alerts would
// never end.
func (r *Reporter) Observe(a Attempt) {
	if r == nil || a.Outcome.Verdict == contract.VerdictInFlight {
		return
	}
	if a.Owner.Receiver != "" {
		r.logAlert(a)
		return
	}
	r.mu.Lock()
	changed := r.receiverOf(a.Request.Call).health.observe(a)
	r.mu.Unlock()
	if changed {
		r.wake()
	}
}

// Parked takes in that a delivery waits for an operator. The first one is reported at
// once, and Parked waits up to a second for that, so that the report of a process that
// dies next is not lost.
func (r *Reporter) Parked(ctx context.Context, owner contract.Owner, request contract.Request, outcome contract.Outcome) {
	if r == nil || owner.Receiver != "" {
		return
	}
	r.mu.Lock()
	reported := r.receiverOf(request.Call).park(failureOf(owner, request, outcome), time.Now())
	r.mu.Unlock()
	r.wake()
	if reported == nil {
		return
	}
	timer := time.NewTimer(parkPatience)
	defer timer.Stop()
	select {
	case <-reported:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Last returns when this process saw a delivery of the call arrive, and one fail; zero for
// never.
func (r *Reporter) Last(call string) (delivered, failed time.Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if receiver, ok := r.receivers[call]; ok {
		return receiver.health.delivered, receiver.health.failed
	}
	return
}

func (r *Reporter) logAlert(a Attempt) {
	if a.Outcome.Verdict != contract.VerdictDelivered && !a.Outcome.Free {
		r.options.Log.Warn("an alert was not delivered", "call", a.Request.Call, "receiver", a.Owner.Receiver, "moment", a.Request.Moment,
			"delivery", a.Request.ID, "class", a.Outcome.Class, "code", a.Outcome.Code, "verdict", string(a.Outcome.Verdict))
	}
}

func (r *Reporter) receiverOf(call string) *receiver {
	known, ok := r.receivers[call]
	if !ok {
		known = &receiver{}
		r.receivers[call] = known
	}
	return known
}

func (r *Reporter) grace() time.Duration {
	if r.options.Rules == nil {
		return longestGrace
	}
	if after := r.options.Rules().FailingAfter; after > 0 {
		return min(after, longestGrace)
	}
	return longestGrace
}

func (r *Reporter) wake() {
	select {
	case r.changed <- struct{}{}:
	default: // run is about to look anyway
	}
}

func failureOf(owner contract.Owner, request contract.Request, outcome contract.Outcome) contract.Failure {
	return contract.Failure{
		Class: outcome.Class, Code: outcome.Code, Message: outcome.Message, At: outcome.At,
		Delivery: request.ID, ContactCenter: owner.ContactCenter, Interaction: owner.Interaction,
	}
}
