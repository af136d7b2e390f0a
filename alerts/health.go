package alerts

import (
	"time"

	"segue/contract"
	"segue/delivery"
)

// health is what the process knows of the health of one call's receiver, and how much of
// that Temporal knows.
type health struct {
	failing     bool
	breakerOpen bool      // the breaker was open at some time since the receiver fails
	since       time.Time // of the first failure after the last success
	latest      time.Time // of the latest attempt that says something about the receiver
	failure     contract.Failure
	// delivered and failed are the times of the latest attempt of each kind.
	delivered, failed time.Time

	reported   contract.Health // what Temporal accepted last
	reportedAt time.Time
	// unreported says that something happened since that report: an attempt failed, of a
	// failing receiver, or a lane's delivery arrived, of another.
	unreported bool
}

// observe takes in one attempt, and returns true if a report is due because of it, now or
// later. It ignores an attempt that says nothing about the receiver, and one that is older
// than the latest: the outcome of an attempt may be observed more than once.
func (h *health) observe(a Attempt) (changed bool) {
	o := a.Outcome
	isDelivered := o.Verdict == contract.VerdictDelivered && o.Class == string(delivery.ClassOK)
	isFailed := !o.Free && o.Verdict != contract.VerdictDelivered &&
		(o.Verdict == contract.VerdictRetry || delivery.Class(o.Class).IsTransient())
	switch {
	case o.At.Before(h.latest):
		return false
	case isDelivered:
		return h.observeDelivered(a)
	case isFailed:
		return h.observeFailed(a)
	}
	return false
}

func (h *health) observeDelivered(a Attempt) (changed bool) {
	at := a.Outcome.At
	wasFailing, wasUnreported := h.failing, h.unreported && !h.failing
	h.failing, h.breakerOpen, h.latest, h.delivered = false, false, at, at
	h.unreported = wasUnreported || a.InLane
	return wasFailing && h.isReportedFailing() || h.unreported && !wasUnreported
}

func (h *health) observeFailed(a Attempt) (changed bool) {
	at := a.Outcome.At
	wasUnreported := h.failing && h.unreported && (h.breakerOpen || !a.BreakerOpen)
	if !h.failing {
		h.failing, h.since = true, at
	}
	h.breakerOpen, h.unreported = h.breakerOpen || a.BreakerOpen, true
	h.latest, h.failed, h.failure = at, at, failureOf(a.Owner, a.Request, a.Outcome)
	return !wasUnreported
}

// isReportedFailing reports whether Temporal knows from this process that the receiver fails.
func (h *health) isReportedFailing() bool {
	return h.reported == contract.HealthFailing || h.reported == contract.HealthBreakerOpen
}

// due returns the health that is to be reported next, and from when on; "" for none.
func (h *health) due(grace time.Duration) (contract.Health, time.Time) {
	switch {
	case h.failing && h.breakerOpen && h.reported != contract.HealthBreakerOpen:
		return contract.HealthBreakerOpen, h.since
	case h.failing && !h.isReportedFailing():
		return contract.HealthFailing, h.since.Add(grace)
	case h.failing && h.unreported:
		return h.reported, h.reportedAt.Add(refreshEvery)
	case !h.failing && h.isReportedFailing():
		return contract.HealthDelivered, h.latest
	case !h.failing && h.unreported:
		return contract.HealthDelivered, h.reportedAt.Add(deliveredEvery)
	}
	return "", time.Time{}
}

// fill writes the receiver's health into a report.
func (h *health) fill(report *contract.HealthReport, is contract.Health) {
	report.Health, report.At = is, h.latest
	if is != contract.HealthDelivered {
		failure := h.failure
		report.Since, report.Failure = h.since, &failure
	}
}

// accepted records that Temporal has accepted a report.
func (h *health) accepted(report contract.HealthReport, now time.Time) {
	if report.Health != "" {
		h.reported, h.reportedAt = report.Health, now
		h.unreported = h.latest.After(report.At) && h.unreported
	}
}
