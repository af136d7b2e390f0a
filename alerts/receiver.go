package alerts

import (
	"time"

	"segue/contract"
)

// receiver is what the process has to report about the receiver of one call.
type receiver struct {
	health health
	parked parked

	rejections int       // of reports, in a row
	notBefore  time.Time // when to try the next report after a rejection
}

// park counts a delivery that waits for an operator. It returns a channel that is closed
// when the delivery has been reported, or nil if the report is only due later.
func (r *receiver) park(f contract.Failure, now time.Time) <-chan struct{} {
	r.parked.count++
	r.parked.last = f
	if now.Before(r.parked.due()) || now.Before(r.notBefore) || len(r.parked.waiting) > 0 {
		return nil
	}
	return r.parked.wait()
}

// report returns the report that is due now, if any, and when to look again: zero if only
// another attempt can make a report due.
func (r *receiver) report(now time.Time, grace time.Duration) (report contract.HealthReport, isDue bool, next time.Time) {
	isNow := func(at time.Time) bool {
		if tryAt := latest(at, r.notBefore); next.IsZero() || tryAt.Before(next) {
			next = tryAt
		}
		return !now.Before(at)
	}
	if health, at := r.health.due(grace); health != "" && isNow(at) {
		r.health.fill(&report, health)
	}
	if at := r.parked.due(); r.parked.count > 0 && isNow(at) {
		r.parked.fill(&report)
	}
	isDue = (report.Health != "" || report.Parked > 0) && !now.Before(r.notBefore)
	return report, isDue, next
}

// accepted records that Temporal has accepted a report.
func (r *receiver) accepted(report contract.HealthReport, now time.Time) {
	r.rejections, r.notBefore = 0, time.Time{}
	r.health.accepted(report, now)
	r.parked.accepted(report, now)
}

// rejected records that Temporal did not accept a report, and returns after what time to
// try again.
func (r *receiver) rejected(now time.Time) time.Duration {
	in := min(time.Second<<min(r.rejections, 6), time.Minute)
	r.rejections++
	r.notBefore = now.Add(in)
	return in
}

// flush makes what is parked due at once: the process stops.
func (r *receiver) flush() { r.parked.reportedAt, r.notBefore = time.Time{}, time.Time{} }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
