package workflows

import (
	"time"

	"segue/contract"
)

// An episode is two small state machines. Workers move them by health reports, and the
// workflow by inspections, in which a worker looks at what waits. What operators are notified
// of is in the last column.
//
//	outage       moved by                                                to           notified
//	none         a report of failures                                    failing
//	failing      failing_after is over, and an inspection confirms it    failing      delivery_failing
//	             a report that a breaker is open                         failing      breaker_open
//	             remind_every is over since delivery_failing             failing      delivery_failing, reminder
//	             a delivery after the last failure                       recovering
//	             two inspections in a row find that nothing waits        recovering
//	recovering   a report of failures                                    failing
//	             deliveries arrive for recovered_after without a         none         receiver_recovered, if operators
//	             failure, or an inspection finds nothing to retry                     were notified of the outage
//
//	parking      moved by                                                to           notified
//	none         a report of parked deliveries                           parked       delivery_parked
//	parked       a report of parked deliveries                           parked       delivery_parked, once a minute
//	             remind_every is over since delivery_parked              parked       delivery_parked, reminder
//	             two inspections in a row find nothing parked            none
//
// So a receiver that alternates between failures and deliveries has one outage, and a receiver
// to which nothing is sent between two retries has not recovered. Findings of "nothing" must be
// found twice because Temporal's lists lag behind.
type episode struct {
	outage
	parking
}

const (
	// parkedEvery is the shortest time between two notifications of parked deliveries.
	parkedEvery = time.Minute
	// Inspections come a minute after a state began, then after twice as long each time,
	// up to the longest pause.
	firstInspection = time.Minute
	longestPause    = 10 * time.Minute
	// recheck is the pause before an inspection that must confirm the last one.
	recheck = 10 * time.Second
)

// The reasons of receiver_recovered.
const (
	reasonDelivered    = "delivered"
	reasonNothingWaits = "nothing_waits"
)

// reasonReminder is the reason of a notification that repeats an earlier one.
const reasonReminder = "reminder"

// pauseAfter returns the pause after so many inspections.
func pauseAfter(inspections int) time.Duration {
	return min(firstInspection<<min(inspections, 4), longestPause)
}

// outage is the state of a receiver that fails, or has failed.
type outage struct {
	// Began is when the outage began; zero for none.
	Began time.Time `json:"began,omitzero"`
	// Since is when the receiver began to fail; zero unless it fails. Well is when it was
	// found to have stopped, and Reason why.
	Since  time.Time `json:"since,omitzero"`
	Well   time.Time `json:"well,omitzero"`
	Reason string    `json:"reason,omitempty"`
	// Breaker says that the circuit breaker of a worker is open.
	Breaker bool `json:"breaker,omitempty"`
	// NotifiedBreaker and NotifiedFailing say of what operators were notified, NotifiedAt
	// when last that the receiver fails.
	NotifiedBreaker bool      `json:"said_breaker,omitempty"`
	NotifiedFailing bool      `json:"said_failing,omitempty"`
	NotifiedAt      time.Time `json:"said_failing_at,omitzero"`
	// Failure is the latest failure. Delivered and Failed are the times of the latest
	// reported attempts.
	Failure   contract.Failure `json:"failure,omitzero"`
	Delivered time.Time        `json:"delivered,omitzero"`
	Failed    time.Time        `json:"failed,omitzero"`
	// Inspections counts the inspections since the state began, Empty how often in a row
	// nothing waited; InspectAt is when the next one is.
	Inspections int       `json:"looks,omitempty"`
	Empty       int       `json:"empty,omitempty"`
	InspectAt   time.Time `json:"look_at,omitzero"`
}

func (o *outage) isFailing() bool    { return !o.Since.IsZero() }
func (o *outage) isRecovering() bool { return !o.Began.IsZero() && !o.isFailing() }

// isNotified reports whether operators were notified of this outage.
func (o *outage) isNotified() bool { return o.NotifiedBreaker || o.NotifiedFailing }

// reportFailing applies a report of failures. Failures before a delivery, by any worker, do
// not count.
func (o *outage) reportFailing(report contract.HealthReport, now time.Time) {
	since := later(notAfter(now, report.Since), o.Delivered)
	if !o.isFailing() {
		o.Since, o.Well, o.Inspections, o.Empty, o.InspectAt = since, time.Time{}, 0, 0, now.Add(firstInspection)
	}
	o.Since = earlier(o.Since, since)
	if o.Began.IsZero() {
		o.Began = since
	}
	o.Began = earlier(o.Began, o.Since)
	o.Breaker = o.Breaker || report.Health == contract.HealthBreakerOpen
	if at := notAfter(now, report.At); report.Failure != nil && !at.Before(o.Failed) {
		o.Failure, o.Failed = *report.Failure, at
	}
}

// stopFailing records a delivery, or that nothing waits: the receiver recovers.
func (o *outage) stopFailing(at, now time.Time, reason string) {
	o.Delivered = later(o.Delivered, at)
	if o.isFailing() {
		o.Since, o.Well, o.Reason = time.Time{}, now, reason
		o.Inspections, o.Empty, o.InspectAt = 0, 0, time.Time{}
	}
}

// inspectFailing applies an inspection of a failing receiver.
func (o *outage) inspectFailing(i contract.Inspection, now time.Time) {
	if !o.isFailing() {
		return
	}
	if at := i.Delivered; at.After(o.Failed) && at.After(i.Failed) && at.After(o.Since) {
		o.stopFailing(notAfter(now, at), now, reasonDelivered)
		return
	}
	o.Inspections++
	o.InspectAt = now.Add(pauseAfter(o.Inspections))
	if !i.Counted || i.Lanes > 0 || now.Before(o.Since.Add(firstInspection)) {
		o.Empty = 0
		return
	}
	o.Empty++
	o.InspectAt = now.Add(recheck)
	if o.Empty > 1 {
		o.stopFailing(now, now, reasonNothingWaits)
	}
}

// inspectRecovering applies an inspection of a recovering receiver, and reports whether it has
// recovered: it has delivered for long enough, or everything that waits is parked.
func (o *outage) inspectRecovering(i contract.Inspection, rules contract.AlertRules, now time.Time) bool {
	if at := notAfter(now, i.Delivered); !i.Delivered.IsZero() && i.Delivered.After(i.Failed) {
		o.Delivered = later(o.Delivered, at)
	}
	if o.isProven(rules) || i.Counted && i.Lanes <= i.Parked {
		return true
	}
	o.InspectAt = now.Add(recheck)
	if o.Inspections > 0 {
		o.InspectAt = now.Add(pauseAfter(o.Inspections - 1))
	}
	o.Inspections++
	return false
}

// isProven reports whether the receiver has delivered for long enough.
func (o *outage) isProven(rules contract.AlertRules) bool {
	return o.Reason == reasonNothingWaits || !o.Delivered.Before(o.Well.Add(rules.RecoveredAfter))
}

// recoveryDue returns when to inspect whether the receiver has recovered.
func (o *outage) recoveryDue(rules contract.AlertRules) time.Time {
	due := o.Well.Add(rules.RecoveredAfter)
	if o.isProven(rules) {
		return due
	}
	return later(due, o.InspectAt)
}

// isFailingDue reports whether operators should be notified that the receiver fails.
func (o *outage) isFailingDue(rules contract.AlertRules, now time.Time) bool {
	return !o.NotifiedFailing && rules.FailingAfter > 0 && !now.Before(o.Since.Add(rules.FailingAfter))
}

// inspectionDue returns when to inspect a failing receiver: before operators are notified, and
// from time to time.
func (o *outage) inspectionDue(rules contract.AlertRules) time.Time {
	if o.NotifiedFailing || rules.FailingAfter <= 0 || o.Empty > 0 {
		return o.InspectAt
	}
	return earlier(o.InspectAt, o.Since.Add(rules.FailingAfter))
}

// reminderDue returns when to remind operators that the receiver fails; zero for never.
func (o *outage) reminderDue(rules contract.AlertRules) time.Time {
	if rules.RemindEvery <= 0 || !o.isFailing() || !o.NotifiedFailing {
		return time.Time{}
	}
	return o.NotifiedAt.Add(rules.RemindEvery)
}

// parking is the state of a call's parked deliveries.
type parking struct {
	// Pending counts the parked deliveries of which operators were not notified, the first
	// of them parked at PendingSince. LastParked is the latest one.
	Pending      int              `json:"unsaid,omitempty"`
	PendingSince time.Time        `json:"unsaid_since,omitzero"`
	LastParked   contract.Failure `json:"last_parked,omitzero"`
	// NotifiedParked is when operators were notified last.
	NotifiedParked time.Time `json:"said_parked,omitzero"`
	// ParkedSince is since when deliveries are parked; zero for none.
	ParkedSince time.Time `json:"parked_since,omitzero"`
	// ParkedInspections, ParkedEmpty and ParkedInspectAt are as those of an outage.
	ParkedInspections int       `json:"parked_looks,omitempty"`
	ParkedEmpty       int       `json:"parked_empty,omitempty"`
	ParkedInspectAt   time.Time `json:"parked_look_at,omitzero"`
}

// hasParked reports whether deliveries are parked, as far as is known.
func (p *parking) hasParked() bool { return !p.ParkedSince.IsZero() }

// reportParked applies a report of parked deliveries.
func (p *parking) reportParked(report contract.HealthReport, now time.Time) {
	if !p.hasParked() {
		p.ParkedSince = now
	}
	p.ParkedInspections, p.ParkedEmpty, p.ParkedInspectAt = 0, 0, now.Add(firstInspection)
	if p.Pending == 0 {
		p.PendingSince = now
	}
	p.Pending += report.Parked
	if report.LastParked != nil {
		p.LastParked = *report.LastParked
	}
}

// inspectParked applies an inspection to what is known of parked deliveries.
func (p *parking) inspectParked(i contract.Inspection, now time.Time) {
	p.ParkedInspections++
	p.ParkedInspectAt = now.Add(pauseAfter(p.ParkedInspections))
	switch {
	case !i.Counted:
	case i.Parked > 0:
		p.ParkedEmpty = 0
	case p.ParkedEmpty > 0 && p.Pending == 0:
		p.ParkedSince, p.ParkedInspections, p.ParkedEmpty, p.ParkedInspectAt = time.Time{}, 0, 0, time.Time{}
	default:
		p.ParkedEmpty++
		p.ParkedInspectAt = now.Add(recheck)
	}
}

// notified records that operators were notified of the parked deliveries.
func (p *parking) notified(now time.Time) {
	p.Pending, p.NotifiedParked = 0, now
	p.ParkedInspectAt = later(p.ParkedInspectAt, now.Add(firstInspection))
}

// parkedDue returns when to notify operators of pending parked deliveries.
func (p *parking) parkedDue() time.Time {
	if p.NotifiedParked.IsZero() {
		return time.Time{}
	}
	return p.NotifiedParked.Add(parkedEvery)
}

// parkedReminderDue returns when to remind operators of parked deliveries; zero for never.
func (p *parking) parkedReminderDue(rules contract.AlertRules) time.Time {
	if rules.RemindEvery <= 0 || !p.hasParked() || p.Pending > 0 || p.NotifiedParked.IsZero() {
		return time.Time{}
	}
	return p.NotifiedParked.Add(rules.RemindEvery)
}

// report applies the health report of a worker, whose clock may be ahead.
func (e *episode) report(report contract.HealthReport, now time.Time) {
	switch report.Health {
	case contract.HealthFailing, contract.HealthBreakerOpen:
		e.reportFailing(report, now)
	case contract.HealthDelivered:
		if at := notAfter(now, report.At); !at.Before(e.Since) {
			e.stopFailing(at, now, reasonDelivered)
		}
		if e.hasParked() { // the delivery may be one that was parked
			e.ParkedInspectAt = earlier(e.ParkedInspectAt, now.Add(recheck))
		}
	}
	if report.Parked > 0 {
		e.reportParked(report, now)
	}
}

// endOutage ends the outage.
func (e *episode) endOutage() { e.outage = outage{Delivered: e.Delivered} }

// notAfter returns a time from another clock, which may be ahead, or now if the time is not given.
func notAfter(now, at time.Time) time.Time {
	if at.IsZero() {
		return now
	}
	return earlier(now, at)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
