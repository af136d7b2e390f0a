package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// Receiver is the workflow of one call whose receiver is in trouble: worker processes
// tell it what they see, and it tells operators, once for each episode however many
// workers, interactions and lanes take part in it. It stays open as long as the
// receiver fails or deliveries of the call are parked, and reminds operators of that.
//
// more is what an earlier run left, when a run continues that.
func Receiver(ctx workflow.Context, start contract.ReceiverStart, more converter.RawValue) error {
	return inboxOf(ctx).runWithSignals(ctx, func(ctx workflow.Context) error {
		carried, err := carriedOver[CarriedReceiver](ctx, more)
		if err != nil {
			return refusal(err)
		}
		r, err := openReceiver(ctx, start, carried)
		if err != nil {
			return err
		}
		return r.loop()
	})
}

// CarriedReceiver is what one run of a receiver's workflow leaves to the next.
type CarriedReceiver struct {
	Trouble episode `json:"trouble"`
	// Rules are the configuration's, as of the last look; nil before the first.
	Rules *contract.AlertRules `json:"rules,omitempty"`
	// Lanes and Parked were counted at CountedAt.
	Lanes     int       `json:"lanes,omitempty"`
	Parked    int       `json:"parked,omitempty"`
	CountedAt time.Time `json:"counted_at,omitzero"`
	// Sequence is that of the last alert, Alerts the last ones.
	Sequence int64                  `json:"sequence,omitempty"`
	Alerts   []contract.AlertRecord `json:"alerts,omitempty"`
}

// keptAlerts bounds what a receiver's workflow still shows of what it has said.
const keptAlerts = 20

// receiverRun is one run of a receiver's workflow.
type receiverRun struct {
	*CarriedReceiver
	start    contract.ReceiverStart
	owner    contract.Owner
	ctx      workflow.Context
	inbox    *inbox
	woken    bool // something was told that may change what is next
	changed  bool // something that operators see may have changed
	canceled bool
	refused  int // signals of this run that were refused
	visibility
	sleeper
}

func openReceiver(ctx workflow.Context, start contract.ReceiverStart, carried *CarriedReceiver) (*receiverRun, error) {
	info := workflow.GetInfo(ctx)
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	r := &receiverRun{
		CarriedReceiver: carried, start: start, ctx: lasting, inbox: inboxOf(ctx), changed: true, visibility: visibilityOf(ctx),
		owner: contract.Owner{Receiver: contract.ReceiverName(info.TaskQueueName, start.Call), FirstRunID: info.FirstRunID},
	}
	if carried == nil {
		r.CarriedReceiver = &CarriedReceiver{}
	}
	options := workflow.QueryHandlerOptions{Description: "what is wrong with the receiver, and what operators were told"}
	if err := workflow.SetQueryHandlerWithOptions(ctx, contract.QueryState, r.status, options); err != nil {
		return nil, fmt.Errorf("query %s: %w", contract.QueryState, err)
	}
	r.inbox.handleWith(lasting, r.receive)
	workflow.Go(ctx, func(ctx workflow.Context) {
		ctx.Done().Receive(ctx, nil)
		r.canceled, r.woken = true, true // a person knows, and wants to hear no more
	})
	return r, nil
}

// receive takes one signal. One that is malformed changes nothing.
func (r *receiverRun) receive(ctx workflow.Context, s signal) {
	r.woken = true // a refused one counts towards the run's length, too
	payload, err := r.inbox.jsonOf(s.args)
	if err == nil && s.name != contract.SignalHealth {
		err = &interaction.InvalidError{Reason: "unknown signal; workers send " + contract.SignalHealth}
	}
	var telling contract.HealthReport
	if err == nil {
		if bad := json.Unmarshal(payload, &telling); bad != nil {
			err = unreadable(s.name, bad)
		}
	}
	if err != nil {
		r.refused++
		logRefusal(ctx, s.name, r.refused, err)
		return
	}
	r.Trouble.take(telling, workflow.Now(ctx))
	r.changed = true
}

// loop says what is to be said until nothing is.
func (r *receiverRun) loop() error {
	for {
		r.woken = false
		r.publish()
		now := workflow.Now(r.ctx)
		next, isAny := r.next()
		switch {
		case r.canceled:
			return nil
		case r.isLong():
			return workflow.NewContinueAsNewError(r.ctx, contract.WorkflowReceiver, r.start, r.CarriedReceiver)
		case !isAny:
			return nil
		case next.at.After(now):
			if err := r.sleep(r.ctx, next.at, next.about, func() bool { return r.woken }); err != nil {
				return fmt.Errorf("receiver of %s: %w", r.start.Call, err)
			}
		default:
			next.do()
		}
	}
}

func (r *receiverRun) isLong() bool {
	info := workflow.GetInfo(r.ctx)
	return info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() >= renewAfterEvents || r.inbox.received >= renewAfterSignals
}

// intent is something to be done, from a time on.
type intent struct {
	at    time.Time
	about string
	do    func()
}

// next is what is to be done first; of two that are due, the one that comes first
// here.
func (r *receiverRun) next() (next intent, isAny bool) {
	t := &r.Trouble
	consider := func(in intent) {
		if !isAny || in.at.Before(next.at) {
			next, isAny = in, true
		}
	}
	if t.Breaker && !t.SaidBreaker {
		consider(intent{do: r.sayBreakerOpen})
	}
	if t.Unsaid > 0 {
		consider(intent{at: t.parkedDue(), about: "parked deliveries, told of once a minute", do: r.sayParked})
	}
	if r.Rules == nil { // what is said brings them, too
		consider(intent{do: r.inspect})
		return next, isAny
	}
	if t.isFailing() {
		consider(intent{at: t.lookDue(*r.Rules), about: "looks whether anything was delivered", do: r.look})
	}
	if t.isOver() {
		consider(intent{at: t.recoveryDue(*r.Rules), about: "recovered, if it delivers and fails no more", do: r.confirm})
	}
	if t.hasParked() && t.Unsaid == 0 {
		consider(intent{at: t.ParkedLookAt, about: "looks whether anything is still parked", do: r.lookForParked})
	}
	if at := t.failingReminder(*r.Rules); !at.IsZero() {
		consider(intent{at: at, about: "reminds that it fails", do: r.remindOfFailing})
	}
	if at := t.parkedReminder(*r.Rules); !at.IsZero() {
		consider(intent{at: at, about: "reminds of what is parked", do: r.remindOfParked})
	}
	return next, isAny
}

// inspect brings rules and counts up to date, by way of some worker.
func (r *receiverRun) inspect() { r.inspected() }

func (r *receiverRun) inspected() contract.Inspection {
	var seen contract.Inspection
	summary := summaryOf("%s: counts what waits", r.start.Call)
	err := workflow.ExecuteActivity(withInspect(r.ctx, summary), contract.ActivityInspect, contract.InspectInput{Call: r.start.Call}).Get(r.ctx, &seen)
	if err != nil { // a defect; the timers still need rules
		workflow.GetLogger(r.ctx).Error("looking at a call failed", "call", r.start.Call, "error", err)
		seen.Rules = contract.AlertRules{FailingAfter: 5 * time.Minute, RecoveredAfter: time.Minute, RemindEvery: 24 * time.Hour}
	}
	r.changed, r.Rules = true, &seen.Rules
	if seen.Counted {
		r.Lanes, r.Parked, r.CountedAt = seen.Lanes, seen.Parked, workflow.Now(r.ctx)
	}
	return seen
}

// look sees whether the receiver still fails, and says so when it has for long
// enough: a worker that saw it fail may have died before it could see it recover.
func (r *receiverRun) look() {
	t := &r.Trouble
	isDue := t.isDue(*r.Rules, workflow.Now(r.ctx))
	t.seen(r.inspected(), workflow.Now(r.ctx))
	if !isDue || !t.isFailing() || t.Empty > 0 {
		return
	}
	t.SaidFailing, t.SaidFailingAt = true, workflow.Now(r.ctx)
	r.say(interaction.MomentDeliveryFailing, "", contract.AlertFacts{Failure: t.Failure, Since: t.Since, FailingFor: workflow.Now(r.ctx).Sub(t.Since)})
}

func (r *receiverRun) sayBreakerOpen() {
	t := &r.Trouble
	t.SaidBreaker = true
	facts := contract.AlertFacts{Failure: t.Failure, Since: t.Began, FailingFor: workflow.Now(r.ctx).Sub(t.Began)}
	r.inspect()
	r.say(interaction.MomentBreakerOpen, "", facts)
}

func (r *receiverRun) sayParked() {
	t := &r.Trouble
	facts := contract.AlertFacts{Failure: t.LastParked, Since: t.UnsaidSince, Count: t.Unsaid}
	if t.isFailing() {
		facts.FailingFor = workflow.Now(r.ctx).Sub(t.Since)
	}
	t.saidParked(workflow.Now(r.ctx))
	r.inspect()
	r.Parked = max(r.Parked, 1) // the list of lanes lags behind
	r.say(interaction.MomentDeliveryParked, "", facts)
}

// lookForParked sees whether anything is still parked: lanes say so to nobody.
func (r *receiverRun) lookForParked() {
	r.Trouble.seenParked(r.inspected(), workflow.Now(r.ctx))
}

// remindOfFailing and remindOfParked say again what operators were told long ago and
// what has not changed since.
func (r *receiverRun) remindOfFailing() {
	t := &r.Trouble
	r.inspect()
	t.SaidFailingAt = workflow.Now(r.ctx)
	if t.isFailing() {
		facts := contract.AlertFacts{Failure: t.Failure, Since: t.Since, FailingFor: t.SaidFailingAt.Sub(t.Since)}
		r.say(interaction.MomentDeliveryFailing, reasonReminder, facts)
	}
}

func (r *receiverRun) remindOfParked() {
	t := &r.Trouble
	t.seenParked(r.inspected(), workflow.Now(r.ctx))
	if !t.hasParked() || t.ParkedEmpty > 0 {
		return // none is left, or that is about to be seen
	}
	t.saidParked(workflow.Now(r.ctx))
	r.say(interaction.MomentDeliveryParked, reasonReminder, contract.AlertFacts{Failure: t.LastParked, Since: t.ParkedSince})
}

// confirm says that the receiver has recovered, once that is certain.
func (r *receiverRun) confirm() {
	t := &r.Trouble
	if t.hasSaid() && !t.seenWell(r.inspected(), *r.Rules, workflow.Now(r.ctx)) || !t.isOver() {
		return // not yet, or it has failed again meanwhile
	}
	r.sayRecovered()
}

// sayRecovered ends the episode; it is worth a word only to who has heard of it.
func (r *receiverRun) sayRecovered() {
	was := r.Trouble
	r.Trouble.end()
	if was.hasSaid() {
		r.say(interaction.MomentReceiverRecovered, was.Reason, contract.AlertFacts{Failure: was.Failure, Since: was.Began, FailingFor: was.Well.Sub(was.Began)})
	}
}

// say fires one moment.
func (r *receiverRun) say(when interaction.Moment, reason string, facts contract.AlertFacts) {
	facts.Call, facts.Lanes, facts.Parked = r.start.Call, r.Lanes, r.Parked
	r.Sequence++
	event := interaction.Event{Sequence: r.Sequence, Moment: when, At: workflow.Now(r.ctx).UTC(), Reason: reason, Fields: facts.Fields()}
	in := contract.AlertInput{Owner: r.owner, Turn: interaction.Turn{Events: []interaction.Event{event}}}
	var result contract.AlertResult
	err := workflow.ExecuteActivity(withAlert(r.ctx, summaryOf("%s: %s", r.start.Call, when)), contract.ActivityAlert, in).Get(r.ctx, &result)
	if err != nil {
		workflow.GetLogger(r.ctx).Error("operators could not be told", "call", r.start.Call, "when", when, "error", err)
	}
	record := contract.AlertRecord{Moment: string(when), Sequence: event.Sequence, At: stamp(event.At), Deliveries: []contract.AlertDeliveryRecord{}, GivenUp: err != nil}
	for _, d := range result.Deliveries {
		told := contract.AlertDeliveryRecord{ID: d.ID, Call: d.Call, DryRun: d.Status == contract.StatusDelivered}
		if !told.DryRun {
			told.WorkflowID = contract.DeliveryWorkflowID(r.owner, d.Call)
		}
		record.Deliveries = append(record.Deliveries, told)
	}
	r.Alerts = append(r.Alerts, record)
	r.Alerts = r.Alerts[max(0, len(r.Alerts)-keptAlerts):]
	r.changed = true
}
