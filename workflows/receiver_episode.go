package workflows

import (
	"time"

	"segue/contract"
)

const (
	// parkedEvery is how often operators are told of parked deliveries at most.
	parkedEvery = time.Minute
	// A failing receiver is looked at a minute after it began to fail, then after
	// twice as long each time, up to the most.
	lookFirst = time.Minute
	lookMost  = 10 * time.Minute
	// lookAgain is when to look a second time where nothing seems to wait any more:
	// Temporal's lists lag behind.
	lookAgain = 10 * time.Second
)

// The reasons why a receiver is said to have recovered.
const (
	reasonDelivered    = "delivered"
	reasonNothingWaits = "nothing_waits"
)

// reasonReminder is why operators are told again of what they know.
const reasonReminder = "reminder"

// episode is what is known of a receiver's trouble, and what operators have heard.
//
// An episode begins with a failure and ends when deliveries have arrived for a while
// without a failure, or when nothing waits any more: so a receiver that flaps makes one
// episode, and one from which nobody wants anything between two retries has not recovered.
type episode struct {
	// Began is when the episode did; zero outside of one.
	Began time.Time `json:"began,omitzero"`
	// Since is since when nothing is delivered; zero when something was, Well being
	// when that was told, for which Reason.
	Since  time.Time `json:"since,omitzero"`
	Well   time.Time `json:"well,omitzero"`
	Reason string    `json:"reason,omitempty"`
	// Breaker says that some process leaves the receiver alone.
	Breaker     bool `json:"breaker,omitempty"`
	SaidBreaker bool `json:"said_breaker,omitempty"`
	SaidFailing bool `json:"said_failing,omitempty"`
	// SaidFailingAt is when operators were told last that it fails.
	SaidFailingAt time.Time        `json:"said_failing_at,omitzero"`
	Failure       contract.Failure `json:"failure,omitzero"`

	// Delivered and Failed are of the latest attempts that were told of.
	Delivered time.Time `json:"delivered,omitzero"`
	Failed    time.Time `json:"failed,omitzero"`
	// Looks counts how often it was looked at since it fails, or since it is well, Empty
	// how often in a row nothing waited then, and LookAt is when it is next.
	Looks  int       `json:"looks,omitempty"`
	Empty  int       `json:"empty,omitempty"`
	LookAt time.Time `json:"look_at,omitzero"`

	// Unsaid counts the parked deliveries that operators have not heard of, the first
	// of them since UnsaidSince; SaidParked is when they last heard of any.
	Unsaid      int              `json:"unsaid,omitempty"`
	UnsaidSince time.Time        `json:"unsaid_since,omitzero"`
	LastParked  contract.Failure `json:"last_parked,omitzero"`
	SaidParked  time.Time        `json:"said_parked,omitzero"`
	// ParkedSince is since when deliveries are parked; zero when none is. ParkedLooks,
	// ParkedEmpty and ParkedLookAt are as above.
	ParkedSince  time.Time `json:"parked_since,omitzero"`
	ParkedLooks  int       `json:"parked_looks,omitempty"`
	ParkedEmpty  int       `json:"parked_empty,omitempty"`
	ParkedLookAt time.Time `json:"parked_look_at,omitzero"`
}

func (t *episode) isFailing() bool { return !t.Since.IsZero() }

// isOver tells whether the episode ends unless the receiver fails again.
func (t *episode) isOver() bool { return !t.Began.IsZero() && !t.isFailing() }

// hasSaid tells whether operators have heard of this episode.
func (t *episode) hasSaid() bool { return t.SaidBreaker || t.SaidFailing }

// hasParked reports whether deliveries are parked, as far as is known.
func (t *episode) hasParked() bool { return !t.ParkedSince.IsZero() }

// take notes what a worker process tells. Its clock may be ahead of ours.
func (t *episode) take(told contract.HealthReport, now time.Time) {
	switch told.Health {
	case contract.HealthFailing, contract.HealthBreakerOpen:
		t.fail(told, now)
	case contract.HealthDelivered:
		if at := notAfter(now, told.At); !at.Before(t.Since) {
			t.deliver(at, now, reasonDelivered)
		}
		if t.hasParked() { // it may be one that was parked
			t.ParkedLookAt = earlier(t.ParkedLookAt, now.Add(lookAgain))
		}
	}
	if told.Parked > 0 {
		if !t.hasParked() {
			t.ParkedSince = now
		}
		t.ParkedLooks, t.ParkedEmpty, t.ParkedLookAt = 0, 0, now.Add(lookFirst)
		if t.Unsaid == 0 {
			t.UnsaidSince = now
		}
		t.Unsaid += told.Parked
		if told.LastParked != nil {
			t.LastParked = *told.LastParked
		}
	}
}

// fail notes that a process cannot deliver. What failed before something was
// delivered, by whomever, does not count.
func (t *episode) fail(told contract.HealthReport, now time.Time) {
	since := later(notAfter(now, told.Since), t.Delivered)
	if !t.isFailing() {
		t.Since, t.Well, t.Looks, t.Empty, t.LookAt = since, time.Time{}, 0, 0, now.Add(lookFirst)
	}
	t.Since = earlier(t.Since, since)
	if t.Began.IsZero() {
		t.Began = since
	}
	t.Began = earlier(t.Began, t.Since)
	t.Breaker = t.Breaker || told.Health == contract.HealthBreakerOpen
	if at := notAfter(now, told.At); told.Failure != nil && !at.Before(t.Failed) {
		t.Failure, t.Failed = *told.Failure, at
	}
}

func (t *episode) deliver(at, now time.Time, reason string) {
	t.Delivered = later(t.Delivered, at)
	if t.isFailing() {
		t.Since, t.Well, t.Reason = time.Time{}, now, reason
		t.Looks, t.Empty, t.LookAt = 0, 0, time.Time{}
	}
}

// isProven reports whether the receiver has delivered for long enough.
func (t *episode) isProven(rules contract.AlertRules) bool {
	return t.Reason == reasonNothingWaits || !t.Delivered.Before(t.Well.Add(rules.RecoveredAfter))
}

// recoveryDue is when to see whether the receiver has recovered.
func (t *episode) recoveryDue(rules contract.AlertRules) time.Time {
	due := t.Well.Add(rules.RecoveredAfter)
	if t.isProven(rules) {
		return due
	}
	return later(due, t.LookAt)
}

// seenWell notes what a look has brought at a receiver that delivers, and reports whether
// it has recovered: it has delivered for long enough, or nothing is left that waits but
// for an operator. That nothing failed is no proof: between two retries nothing happens.
func (t *episode) seenWell(i contract.Inspection, rules contract.AlertRules, now time.Time) bool {
	if at := notAfter(now, i.Delivered); !i.Delivered.IsZero() && i.Delivered.After(i.Failed) {
		t.Delivered = later(t.Delivered, at)
	}
	if t.isProven(rules) || i.Counted && i.Lanes <= i.Parked {
		return true
	}
	t.LookAt = now.Add(lookAgain)
	if t.Looks > 0 {
		t.LookAt = now.Add(min(lookFirst<<min(t.Looks-1, 4), lookMost))
	}
	t.Looks++
	return false
}

// seen notes what a look has brought: that something was delivered by the worker
// that looked, or that nothing waits any more, found twice and not too early.
func (t *episode) seen(i contract.Inspection, now time.Time) {
	if !t.isFailing() {
		return
	}
	if at := i.Delivered; at.After(t.Failed) && at.After(i.Failed) && at.After(t.Since) {
		t.deliver(notAfter(now, at), now, reasonDelivered)
		return
	}
	t.Looks++
	t.LookAt = now.Add(min(lookFirst<<min(t.Looks, 4), lookMost))
	if !i.Counted || i.Lanes > 0 || now.Before(t.Since.Add(lookFirst)) {
		t.Empty = 0
		return
	}
	t.Empty++
	t.LookAt = now.Add(lookAgain)
	if t.Empty > 1 {
		t.deliver(now, now, reasonNothingWaits)
	}
}

// isDue tells whether operators are to hear that the receiver fails.
func (t *episode) isDue(rules contract.AlertRules, now time.Time) bool {
	return !t.SaidFailing && rules.FailingAfter > 0 && !now.Before(t.Since.Add(rules.FailingAfter))
}

// lookDue is when to look next: before operators hear of it, and now and then.
func (t *episode) lookDue(rules contract.AlertRules) time.Time {
	if t.SaidFailing || rules.FailingAfter <= 0 || t.Empty > 0 {
		return t.LookAt
	}
	return earlier(t.LookAt, t.Since.Add(rules.FailingAfter))
}

// end ends the episode.
func (t *episode) end() {
	*t = episode{
		Delivered: t.Delivered, Unsaid: t.Unsaid, UnsaidSince: t.UnsaidSince, LastParked: t.LastParked, SaidParked: t.SaidParked,
		ParkedSince: t.ParkedSince, ParkedLooks: t.ParkedLooks, ParkedEmpty: t.ParkedEmpty, ParkedLookAt: t.ParkedLookAt,
	}
}

func (t *episode) parkedDue() time.Time {
	if t.SaidParked.IsZero() {
		return time.Time{}
	}
	return t.SaidParked.Add(parkedEvery)
}

func (t *episode) saidParked(now time.Time) {
	t.Unsaid, t.SaidParked = 0, now
	if t.ParkedLookAt.Before(now.Add(lookFirst)) {
		t.ParkedLookAt = now.Add(lookFirst)
	}
}

// seenParked notes what a look has brought of what is parked. That nothing is any more
// has to be found twice: Temporal's lists lag behind.
func (t *episode) seenParked(i contract.Inspection, now time.Time) {
	t.ParkedLooks++
	t.ParkedLookAt = now.Add(min(lookFirst<<min(t.ParkedLooks, 4), lookMost))
	switch {
	case !i.Counted:
	case i.Parked > 0:
		t.ParkedEmpty = 0
	case t.ParkedEmpty > 0 && t.Unsaid == 0:
		t.ParkedSince, t.ParkedLooks, t.ParkedEmpty, t.ParkedLookAt = time.Time{}, 0, 0, time.Time{}
	default:
		t.ParkedEmpty++
		t.ParkedLookAt = now.Add(lookAgain)
	}
}

// failingReminder and parkedReminder are when operators are told again; zero for never.
func (t *episode) failingReminder(rules contract.AlertRules) time.Time {
	if rules.RemindEvery <= 0 || !t.isFailing() || !t.SaidFailing {
		return time.Time{}
	}
	return t.SaidFailingAt.Add(rules.RemindEvery)
}

func (t *episode) parkedReminder(rules contract.AlertRules) time.Time {
	if rules.RemindEvery <= 0 || !t.hasParked() || t.Unsaid > 0 || t.SaidParked.IsZero() {
		return time.Time{}
	}
	return t.SaidParked.Add(rules.RemindEvery)
}

// notAfter is a time that another clock told, which may be ahead; it may also be left out.
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
