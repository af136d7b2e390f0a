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

// Receiver is the workflow of one call whose receiver fails or whose deliveries are parked.
// Workers report what they see, and Receiver notifies operators, once for each outage however
// many workers, interactions and lanes take part in it. It stays open as long as the receiver
// fails or deliveries of the call are parked, and reminds operators of that.
//
// more is what an earlier run carried over, if this run continues one.
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

// CarriedReceiver is what one run of a receiver's workflow carries over to the next.
type CarriedReceiver struct {
	Episode episode `json:"trouble"`
	// Rules are those of the configuration as of the last inspection; nil before the first.
	Rules *contract.AlertRules `json:"rules,omitempty"`
	// Lanes and Parked were counted at CountedAt.
	Lanes     int       `json:"lanes,omitempty"`
	Parked    int       `json:"parked,omitempty"`
	CountedAt time.Time `json:"counted_at,omitzero"`
	// Sequence is the number of the last notification, and Alerts are the last ones.
	Sequence int64                  `json:"sequence,omitempty"`
	Alerts   []contract.AlertRecord `json:"alerts,omitempty"`
}

// keptAlerts bounds the notifications that a receiver's workflow lists.
const keptAlerts = 20

// receiverRun is one run of a receiver's workflow.
type receiverRun struct {
	*CarriedReceiver
	start    contract.ReceiverStart
	owner    contract.Owner
	ctx      workflow.Context
	inbox    *inbox
	woken    bool // a report or a cancellation may have changed the next step
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
	options := workflow.QueryHandlerOptions{Description: "what is wrong with the receiver, and what operators were notified of"}
	if err := workflow.SetQueryHandlerWithOptions(ctx, contract.QueryState, r.status, options); err != nil {
		return nil, fmt.Errorf("query %s: %w", contract.QueryState, err)
	}
	r.inbox.handleWith(lasting, r.receiveSignal)
	workflow.Go(ctx, func(ctx workflow.Context) {
		ctx.Done().Receive(ctx, nil)
		r.canceled, r.woken = true, true // an operator silences this episode
	})
	return r, nil
}

// receiveSignal handles one signal. A malformed signal changes nothing.
func (r *receiverRun) receiveSignal(ctx workflow.Context, s signal) {
	r.woken = true // a refused signal also counts towards the run's length
	report, err := r.readReport(s)
	if err != nil {
		r.refused++
		logRefusal(ctx, s.name, r.refused, err)
		return
	}
	r.Episode.report(report, workflow.Now(ctx))
	r.changed = true
}

func (r *receiverRun) readReport(s signal) (report contract.HealthReport, err error) {
	payload, err := r.inbox.jsonOf(s.args)
	if err != nil {
		return report, err
	}
	if s.name != contract.SignalHealth {
		return report, &interaction.InvalidError{Reason: "unknown signal; workers send " + contract.SignalHealth}
	}
	if err := json.Unmarshal(payload, &report); err != nil {
		return report, unreadable(s.name, err)
	}
	return report, nil
}

// loop notifies operators until there is nothing left to notify them of.
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
			if err := r.sleep(r.ctx, next.at, next.summary, func() bool { return r.woken }); err != nil {
				return fmt.Errorf("receiver of %s: %w", r.start.Call, err)
			}
		default:
			next.run()
		}
	}
}

func (r *receiverRun) isLong() bool {
	info := workflow.GetInfo(r.ctx)
	return info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() >= renewAfterEvents || r.inbox.received >= renewAfterSignals
}

// step is one thing to do from a time on, with the summary of the timer until then.
type step struct {
	at      time.Time
	summary string
	run     func()
}

// next returns the step that is due first; of two that are due at once, the first one here.
func (r *receiverRun) next() (next step, isAny bool) {
	e := &r.Episode
	consider := func(s step) {
		if !isAny || s.at.Before(next.at) {
			next, isAny = s, true
		}
	}
	if e.Breaker && !e.NotifiedBreaker {
		consider(step{run: r.notifyBreakerOpen})
	}
	if e.Pending > 0 {
		consider(step{at: e.parkedDue(), summary: "parked deliveries: operators are notified at most once a minute", run: r.notifyParked})
	}
	if r.Rules == nil { // notifications fetch the rules, too
		consider(step{run: func() { r.inspect() }})
		return next, isAny
	}
	if e.isFailing() {
		consider(step{at: e.inspectionDue(*r.Rules), summary: "inspects whether the receiver still fails", run: r.inspectFailing})
	}
	if e.isRecovering() {
		consider(step{at: e.recoveryDue(*r.Rules), summary: "recovered, if it delivers without a failure", run: r.inspectRecovering})
	}
	if e.hasParked() && e.Pending == 0 {
		consider(step{at: e.ParkedInspectAt, summary: "inspects whether deliveries are still parked", run: r.inspectParked})
	}
	if at := e.reminderDue(*r.Rules); !at.IsZero() {
		consider(step{at: at, summary: "reminder: the receiver fails", run: r.remindOfFailing})
	}
	if at := e.parkedReminderDue(*r.Rules); !at.IsZero() {
		consider(step{at: at, summary: "reminder: deliveries are parked", run: r.remindOfParked})
	}
	return next, isAny
}

// inspect fetches the current rules and counts from a worker.
func (r *receiverRun) inspect() contract.Inspection {
	var found contract.Inspection
	summary := summaryOf("%s: counts what waits", r.start.Call)
	err := workflow.ExecuteActivity(withInspect(r.ctx, summary), contract.ActivityInspect, contract.InspectInput{Call: r.start.Call}).Get(r.ctx, &found)
	if err != nil { // a defect; the timers still need rules
		workflow.GetLogger(r.ctx).Error("inspecting a call failed", "call", r.start.Call, "error", err)
		found.Rules = contract.DefaultAlertRules()
	}
	r.changed, r.Rules = true, &found.Rules
	if found.Counted {
		r.Lanes, r.Parked, r.CountedAt = found.Lanes, found.Parked, workflow.Now(r.ctx)
	}
	return found
}

// inspectFailing inspects whether the receiver still fails, and notifies operators when it has
// failed for long enough: a worker that saw it fail may have died before it saw it recover.
func (r *receiverRun) inspectFailing() {
	e := &r.Episode
	isDue := e.isFailingDue(*r.Rules, workflow.Now(r.ctx))
	e.outage.inspectFailing(r.inspect(), workflow.Now(r.ctx))
	if !isDue || !e.isFailing() || e.Empty > 0 {
		return
	}
	e.NotifiedFailing, e.NotifiedAt = true, workflow.Now(r.ctx)
	r.notify(interaction.MomentDeliveryFailing, "", contract.AlertFacts{Failure: e.Failure, Since: e.Since, FailingFor: e.NotifiedAt.Sub(e.Since)})
}

func (r *receiverRun) notifyBreakerOpen() {
	e := &r.Episode
	e.NotifiedBreaker = true
	facts := contract.AlertFacts{Failure: e.Failure, Since: e.Began, FailingFor: workflow.Now(r.ctx).Sub(e.Began)}
	r.inspect()
	r.notify(interaction.MomentBreakerOpen, "", facts)
}

func (r *receiverRun) notifyParked() {
	e := &r.Episode
	facts := contract.AlertFacts{Failure: e.LastParked, Since: e.PendingSince, Count: e.Pending}
	if e.isFailing() {
		facts.FailingFor = workflow.Now(r.ctx).Sub(e.Since)
	}
	e.notified(workflow.Now(r.ctx))
	r.inspect()
	r.Parked = max(r.Parked, 1) // the list of lanes lags behind
	r.notify(interaction.MomentDeliveryParked, "", facts)
}

// inspectParked inspects whether anything is still parked: lanes do not report that.
func (r *receiverRun) inspectParked() {
	r.Episode.parking.inspectParked(r.inspect(), workflow.Now(r.ctx))
}

func (r *receiverRun) remindOfFailing() {
	e := &r.Episode
	r.inspect()
	e.NotifiedAt = workflow.Now(r.ctx)
	if e.isFailing() {
		facts := contract.AlertFacts{Failure: e.Failure, Since: e.Since, FailingFor: e.NotifiedAt.Sub(e.Since)}
		r.notify(interaction.MomentDeliveryFailing, reasonReminder, facts)
	}
}

func (r *receiverRun) remindOfParked() {
	e := &r.Episode
	r.inspectParked()
	if !e.hasParked() || e.ParkedEmpty > 0 {
		return // none is left, or the next inspection will confirm that
	}
	e.notified(workflow.Now(r.ctx))
	r.notify(interaction.MomentDeliveryParked, reasonReminder, contract.AlertFacts{Failure: e.LastParked, Since: e.ParkedSince})
}

// inspectRecovering ends the outage once the receiver has recovered. Operators are notified
// only if they were notified of the outage.
func (r *receiverRun) inspectRecovering() {
	e := &r.Episode
	if e.isNotified() && !e.outage.inspectRecovering(r.inspect(), *r.Rules, workflow.Now(r.ctx)) || !e.isRecovering() {
		return // not yet, or it has failed again in the meantime
	}
	was := e.outage
	e.endOutage()
	if was.isNotified() {
		r.notify(interaction.MomentReceiverRecovered, was.Reason, contract.AlertFacts{Failure: was.Failure, Since: was.Began, FailingFor: was.Well.Sub(was.Began)})
	}
}

// notify fires one moment.
func (r *receiverRun) notify(moment interaction.Moment, reason string, facts contract.AlertFacts) {
	facts.Call, facts.Lanes, facts.Parked = r.start.Call, r.Lanes, r.Parked
	r.Sequence++
	event := interaction.Event{Sequence: r.Sequence, Moment: moment, At: workflow.Now(r.ctx).UTC(), Reason: reason, Fields: facts.Fields()}
	in := contract.AlertInput{Owner: r.owner, Turn: interaction.Turn{Events: []interaction.Event{event}}}
	var result contract.AlertResult
	err := workflow.ExecuteActivity(withAlert(r.ctx, summaryOf("%s: %s", r.start.Call, moment)), contract.ActivityAlert, in).Get(r.ctx, &result)
	if err != nil {
		workflow.GetLogger(r.ctx).Error("notifying operators failed", "call", r.start.Call, "when", moment, "error", err)
	}
	record := contract.AlertRecord{Moment: string(moment), Sequence: event.Sequence, At: stamp(event.At), Deliveries: []contract.AlertDeliveryRecord{}, GivenUp: err != nil}
	for _, d := range result.Deliveries {
		alert := contract.AlertDeliveryRecord{ID: d.ID, Call: d.Call, DryRun: d.Status == contract.StatusDelivered}
		if !alert.DryRun {
			alert.WorkflowID = contract.DeliveryWorkflowID(r.owner, d.Call)
		}
		record.Deliveries = append(record.Deliveries, alert)
	}
	r.Alerts = append(r.Alerts, record)
	r.Alerts = r.Alerts[max(0, len(r.Alerts)-keptAlerts):]
	r.changed = true
}
