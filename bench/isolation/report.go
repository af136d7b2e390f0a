package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"segue/bench"
)

const (
	// maxRatio is how much longer the healthy receivers' p99 may be in degraded rounds.
	maxRatio = 1.2
	// opensWithin is how soon the breaker of the dead receiver has to open.
	opensWithin = 10 * time.Second
	// probeEvery is the shortest time between the probes of an open breaker.
	probeEvery = 10 * time.Second
	// openPause is the pause between attempts that shows that the breaker has opened.
	openPause = probeEvery / 2
	// timedRun is how many deliveries a meaningful p99 needs. A shorter run is not judged by its times.
	timedRun = 5_000
)

// report is the result of a run. Durations are in milliseconds; a name with the suffix S has seconds.
//
// The p99 of a round is that of its healthy receivers' deliveries. The report compares the medians of the rounds: a
// pause of the machine spoils one round, not the run.
type report struct {
	Plan       plan    `json:"plan"`
	WithoutP50 float64 `json:"without_p50_ms"`
	WithoutP99 float64 `json:"without_p99_ms"`
	WithP50    float64 `json:"with_p50_ms"`
	WithP99    float64 `json:"with_p99_ms"`
	// RatioP99 is the p99 of degraded rounds divided by that of the others.
	RatioP99 float64       `json:"ratio_p99"`
	RatioP50 float64       `json:"ratio_p50"`
	Rounds   []roundReport `json:"rounds"`
	// BreakerOpenedS is the longest time for which the dead receiver got attempts without a pause.
	BreakerOpenedS float64 `json:"breaker_opened_s"`
	// AttemptsAfter counts the attempts after the breaker had to be open, in all rounds; Probes is how many there may be.
	AttemptsAfter int `json:"dead_attempts_after_opening"`
	Probes        int `json:"dead_probes_allowed"`
	// Arrived counts the deliveries of degraded rounds, of which none was lost; Healthy counts those of the healthy
	// receivers.
	Arrived int `json:"arrived"`
	Healthy int `json:"healthy_deliveries"`
}

// roundReport is one round in the report.
type roundReport struct {
	Degraded     bool    `json:"degraded"`
	Deliveries   int     `json:"deliveries"`
	P50          float64 `json:"healthy_p50_ms"`
	P99          float64 `json:"healthy_p99_ms"`
	DeadAttempts int     `json:"dead_attempts,omitempty"`
	SlowAttempts int     `json:"slow_attempts,omitempty"`
	DegradedS    float64 `json:"degraded_s,omitempty"`
	RecoveryS    float64 `json:"recovery_s,omitempty"`
	Redelivered  int     `json:"redelivered,omitempty"`
}

func (r *report) add(done *round) {
	r.Rounds = append(r.Rounds, roundReport{
		Degraded: done.degraded, Deliveries: done.arrivals,
		P50:          bench.Milliseconds(bench.Quantile(done.latency, 0.5)),
		P99:          bench.Milliseconds(bench.Quantile(done.latency, 0.99)),
		DeadAttempts: len(done.deadAttempts), SlowAttempts: len(done.slowAttempts),
		DegradedS: done.degradedFor.Seconds(), RecoveryS: done.recovery.Seconds(), Redelivered: done.redelivered,
	})
	if !done.degraded {
		return
	}
	r.Arrived += done.arrivals
	r.Healthy += done.arrivedHealthy
	r.judgeDead(done)
}

// judgeDead derives from the attempts at the dead receiver when its breaker opened.
func (r *report) judgeDead(done *round) {
	if len(done.deadAttempts) == 0 {
		return
	}
	first, last := done.deadAttempts[0], done.deadAttempts[0]
	for _, at := range done.deadAttempts[1:] {
		if at.Sub(last) >= openPause {
			break
		}
		last = at
	}
	r.BreakerOpenedS = max(r.BreakerOpenedS, last.Sub(first).Seconds())
	for _, at := range done.deadAttempts {
		if at.Sub(first) > opensWithin {
			r.AttemptsAfter++
		}
	}
	if open := done.begin.Add(done.degradedFor).Sub(first) - opensWithin; open > 0 {
		r.Probes += int(open/probeEvery) + 1
	}
}

func (r *report) sum() {
	r.WithoutP50, r.WithoutP99 = r.medians(false)
	r.WithP50, r.WithP99 = r.medians(true)
	r.RatioP50, r.RatioP99 = r.WithP50/r.WithoutP50, r.WithP99/r.WithoutP99
}

func (r *report) medians(degraded bool) (p50, p99 float64) {
	var p50s, p99s []float64
	for _, round := range r.Rounds {
		if round.Degraded == degraded {
			p50s, p99s = append(p50s, round.P50), append(p99s, round.P99)
		}
	}
	return median(p50s), median(p99s)
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// verdict returns an error for each limit that the run exceeds. Times are judged only where there are enough of them.
func (r *report) verdict() error {
	var errs []error
	if r.Plan.Deliveries >= timedRun && r.RatioP99 > maxRatio {
		errs = append(errs, fmt.Errorf("with the two, the healthy receivers' p99 is %.2f times that without them, more than %.1f", r.RatioP99, maxRatio))
	}
	if r.BreakerOpenedS > opensWithin.Seconds() {
		errs = append(errs, fmt.Errorf("the breaker of the dead receiver opened after %.1f s, later than %s", r.BreakerOpenedS, opensWithin))
	}
	if r.AttemptsAfter > r.Probes {
		errs = append(errs, fmt.Errorf("the dead receiver got %d attempts while its breaker had to be open, more than %d probes", r.AttemptsAfter, r.Probes))
	}
	return errors.Join(errs...)
}

func (r *report) write(out io.Writer) error {
	l := &lines{out: out}
	l.add("%d receivers, one dead, one that takes %s; %d deliveries in rounds with the two, at %.0f a second", receivers, r.Plan.Slow, r.Arrived, r.Plan.Rate)
	l.add("the other %d, from signal to arrival, medians of %d rounds each:", receivers-2, r.Plan.Pairs)
	l.add("  without the two   p50 %7.2f ms   p99 %7.2f ms", r.WithoutP50, r.WithoutP99)
	l.add("  with the two      p50 %7.2f ms   p99 %7.2f ms", r.WithP50, r.WithP99)
	l.add("  ratio             p50 %7.2f      p99 %7.2f", r.RatioP50, r.RatioP99)
	l.add("the breaker of the dead receiver opened after %.1f s at most; then it got %d attempts (%d probes are due)", r.BreakerOpenedS, r.AttemptsAfter, r.Probes)
	l.add("nothing was lost, and every lane kept its order")
	return l.err
}
