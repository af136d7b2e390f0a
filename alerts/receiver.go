package alerts

import (
	"time"

	"segue/contract"
	"segue/delivery"
)

// receiver is what the process knows of one call's receiver, and how much of it
// Temporal knows.
type receiver struct {
	failing bool
	open    bool      // the breaker has been open since it fails
	since   time.Time // of the first failure after the last success
	latest  time.Time // of the attempt that said something last
	failure contract.Failure
	// delivered and failed are when that was seen last.
	delivered, failed time.Time

	told   contract.Health
	toldAt time.Time
	// news: since that telling an attempt failed, of a receiver that fails; or a
	// lane's delivery arrived, of one that does not.
	news bool

	parked     int
	lastParked contract.Failure
	parkedAt   time.Time       // when parked ones were told of last
	waiting    []chan struct{} // closed once what is parked is told of

	refused   int       // tellings in a row that Temporal did not take
	notBefore time.Time // when the next one is tried
}

// saw takes one attempt in, and tells whether there is something new to tell, be it
// later.
// What says nothing about the receiver, and what is older than what is known (the
// outcome of an attempt may be asked for more than once), changes nothing.
func (r *receiver) saw(a Attempt) bool {
	o := a.Outcome
	isDelivered := o.Verdict == contract.VerdictDelivered && o.Class == string(delivery.ClassOK)
	isFailed := !o.Free && o.Verdict != contract.VerdictDelivered &&
		(o.Verdict == contract.VerdictRetry || delivery.Class(o.Class).IsTransient())
	switch {
	case o.At.Before(r.latest):
		return false
	case isDelivered:
		return r.recover(a)
	case isFailed:
		return r.fail(a)
	}
	return false
}

func (r *receiver) recover(a Attempt) bool {
	was, had := r.failing, r.news && !r.failing
	r.failing, r.open, r.latest, r.delivered = false, false, a.Outcome.At, a.Outcome.At
	r.news = had || a.InLane
	return was && r.hasTold() || r.news && !had
}

func (r *receiver) fail(a Attempt) bool {
	at := a.Outcome.At
	had := r.failing && r.news && (r.open || !a.BreakerOpen)
	if !r.failing {
		r.failing, r.since = true, at
	}
	r.open, r.news = r.open || a.BreakerOpen, true
	r.latest, r.failed, r.failure = at, at, failureOf(a.Owner, a.Request, a.Outcome)
	return !had
}

// hasTold tells whether Temporal knows from this process that the receiver fails.
func (r *receiver) hasTold() bool {
	return r.told == contract.HealthFailing || r.told == contract.HealthBreakerOpen
}

// park counts a delivery that waits for a person. What it returns is closed when
// the process has told of it; nil where that is only due later.
func (r *receiver) park(f contract.Failure, now time.Time) <-chan struct{} {
	r.parked++
	r.lastParked = f
	if now.Before(r.parkedAt.Add(parkedEvery)) || now.Before(r.notBefore) || len(r.waiting) > 0 {
		return nil
	}
	told := make(chan struct{})
	r.waiting = append(r.waiting, told)
	return told
}

// health is what is to be told of the receiver, and from when on; "" for nothing.
func (r *receiver) health(grace time.Duration) (contract.Health, time.Time) {
	switch {
	case r.failing && r.open && r.told != contract.HealthBreakerOpen:
		return contract.HealthBreakerOpen, r.since
	case r.failing && !r.hasTold():
		return contract.HealthFailing, r.since.Add(grace)
	case r.failing && r.news:
		return r.told, r.toldAt.Add(refreshEvery)
	case !r.failing && r.hasTold():
		return contract.HealthDelivered, r.latest
	case !r.failing && r.news:
		return contract.HealthDelivered, r.toldAt.Add(deliveredEvery)
	}
	return "", time.Time{}
}

// telling is what is due to be told now; until tells when there is something next,
// zero for when something happens.
func (r *receiver) telling(now time.Time, grace time.Duration) (t contract.HealthReport, isDue bool, until time.Time) {
	health, healthAt := r.health(grace)
	soonest := func(at time.Time) {
		if at.Before(r.notBefore) {
			at = r.notBefore
		}
		if until.IsZero() || at.Before(until) {
			until = at
		}
	}
	if health != "" {
		if soonest(healthAt); !now.Before(healthAt) {
			t.Health, t.At = health, r.latest
			if health != contract.HealthDelivered {
				failure := r.failure
				t.Since, t.Failure = r.since, &failure
			}
		}
	}
	if r.parked > 0 {
		parkedAt := r.parkedAt.Add(parkedEvery)
		if soonest(parkedAt); !now.Before(parkedAt) {
			last := r.lastParked
			t.Parked, t.LastParked = r.parked, &last
		}
	}
	isDue = (t.Health != "" || t.Parked > 0) && !now.Before(r.notBefore)
	return t, isDue, until
}

// took notes that Temporal has a telling.
func (r *receiver) took(t contract.HealthReport, now time.Time) {
	r.refused, r.notBefore = 0, time.Time{}
	if t.Health != "" {
		r.told, r.toldAt = t.Health, now
		r.news = r.latest.After(t.At) && r.news
	}
	if t.Parked == 0 {
		return
	}
	r.parked, r.parkedAt = r.parked-t.Parked, now
	for _, told := range r.waiting {
		close(told)
	}
	r.waiting = nil
}

// refuse notes that Temporal did not take a telling, and tells when to try again.
func (r *receiver) refuse(now time.Time) time.Duration {
	in := min(time.Second<<min(r.refused, 6), time.Minute)
	r.refused++
	r.notBefore = now.Add(in)
	return in
}

// hurry makes all that is parked due: the process stops.
func (r *receiver) hurry() { r.parkedAt, r.notBefore = time.Time{}, time.Time{} }
