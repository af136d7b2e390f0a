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
	// parkedEvery is how often what was parked for one call is told of at most.
	parkedEvery = time.Minute
	// deliveredEvery is how often it is told that a lane's delivery arrived, by a
	// process that has told of no failure: one that did may have died.
	deliveredEvery = time.Minute
	// refreshEvery is how often failing is told again while it goes on: the word of
	// another process, for which all is well, may have been the last one.
	refreshEvery = 10 * time.Minute
	// longestGrace is how long a receiver fails at least before it is told, unless
	// operators want to hear sooner: most of what fails is over with the first retry.
	longestGrace = 10 * time.Second
	// patience is how long whoever parks a delivery waits for the first word of it.
	patience = time.Second
)

// Options are what a Watch is made of.
type Options struct {
	Temporal client.Client
	// TaskQueue is where Receiver workflows run.
	TaskQueue string
	// Rules are asked for how soon operators want to hear; nil is as late as may be.
	Rules func() contract.AlertRules
	Log   *slog.Logger
}

// Reporter is what one worker process notices of receivers. A nil Watch notices nothing.
type Reporter struct {
	options Options
	wake    chan struct{}
	stop    context.CancelFunc
	stopped chan struct{}

	mu        sync.Mutex
	receivers map[string]*receiver // by call
}

// Attempt is what came of one attempt.
type Attempt struct {
	Owner   contract.Owner
	Request contract.Request
	Outcome contract.Outcome
	// BreakerOpen says that the receiver is left alone now.
	BreakerOpen bool
	// InLane says that a lane workflow made the attempt, so that one before it failed.
	InLane bool
}

// New makes a watch, and begins to tell. Close it when the process stops.
func New(o Options) *Reporter {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	ctx, stop := context.WithCancel(context.Background())
	w := &Reporter{options: o, wake: make(chan struct{}, 1), stop: stop, stopped: make(chan struct{}), receivers: map[string]*receiver{}}
	go w.run(ctx)
	return w
}

// Close tells what is still to be told, as long as the context lives, and no more
// after that.
func (w *Reporter) Close(ctx context.Context) {
	if w == nil {
		return
	}
	w.stop()
	<-w.stopped
	w.mu.Lock()
	for _, r := range w.receivers {
		r.hurry()
	}
	w.mu.Unlock()
	w.tellAll(ctx)
}

// Observe notices an attempt. What came of an alert is only logged: alerts about alerts
// would have no end.
func (w *Reporter) Observe(a Attempt) {
	if w == nil || a.Outcome.Verdict == contract.VerdictInFlight {
		return
	}
	if a.Owner.Receiver != "" {
		w.log(a)
		return
	}
	w.mu.Lock()
	changed := w.of(a.Request.Call).saw(a)
	w.mu.Unlock()
	if changed {
		w.awake()
	}
}

// Parked notices that a delivery waits for a person. The first one is told at once,
// and waited for a moment, so that a process which dies has told of it.
func (w *Reporter) Parked(ctx context.Context, owner contract.Owner, request contract.Request, outcome contract.Outcome) {
	if w == nil || owner.Receiver != "" {
		return
	}
	w.mu.Lock()
	r := w.of(request.Call)
	told := r.park(failureOf(owner, request, outcome), time.Now())
	w.mu.Unlock()
	w.awake()
	if told == nil {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-told:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Last is when this process saw a delivery of the call arrive, and one fail; zero
// for never.
func (w *Reporter) Last(call string) (delivered, failed time.Time) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if r, ok := w.receivers[call]; ok {
		return r.delivered, r.failed
	}
	return
}

func (w *Reporter) log(a Attempt) {
	if a.Outcome.Verdict != contract.VerdictDelivered && !a.Outcome.Free {
		w.options.Log.Warn("an alert did not arrive", "call", a.Request.Call, "about", a.Owner.Receiver, "when", a.Request.Moment,
			"delivery", a.Request.ID, "class", a.Outcome.Class, "code", a.Outcome.Code, "verdict", string(a.Outcome.Verdict))
	}
}

func (w *Reporter) of(call string) *receiver {
	r, ok := w.receivers[call]
	if !ok {
		r = &receiver{}
		w.receivers[call] = r
	}
	return r
}

func (w *Reporter) grace() time.Duration {
	if w.options.Rules == nil {
		return longestGrace
	}
	if after := w.options.Rules().FailingAfter; after > 0 {
		return min(after, longestGrace)
	}
	return longestGrace
}

func (w *Reporter) awake() {
	select {
	case w.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

func failureOf(owner contract.Owner, request contract.Request, outcome contract.Outcome) contract.Failure {
	return contract.Failure{
		Class: outcome.Class, Code: outcome.Code, Message: outcome.Message, At: outcome.At,
		Delivery: request.ID, ContactCenter: owner.ContactCenter, Interaction: owner.Interaction,
	}
}
