package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"segue/bench/lab"
)

const (
	// bearable is how much longer the healthy receivers' p99 may be because of the two.
	bearable = 1.2
	// opensWithin is when the dead receiver has to be left alone, but for probes.
	opensWithin = 10 * time.Second
	// probeEvery is how often a receiver that is left alone is probed at most.
	probeEvery = 10 * time.Second
	// leaveAlone is a pause between tries that tells that the breaker has opened.
	leaveAlone = probeEvery / 2
	// timedRun is how many deliveries give a p99 that means something; a shorter run
	// is only judged by what has to hold in any.
	timedRun = 5_000
)

// report is what came of a run; durations are milliseconds unless they say seconds.
//
// A round's p99 is that of its healthy receivers' deliveries, and what is compared is
// the median of the rounds: a hiccup of the machine spoils one round, not the run.
type report struct {
	Plan       plan    `json:"plan"`
	WithoutP50 float64 `json:"without_p50_ms"`
	WithoutP99 float64 `json:"without_p99_ms"`
	WithP50    float64 `json:"with_p50_ms"`
	WithP99    float64 `json:"with_p99_ms"`
	// RatioP99 is the p99 with the two by the p99 without them.
	RatioP99 float64 `json:"ratio_p99"`
	RatioP50 float64 `json:"ratio_p50"`
	Rounds   []shown `json:"rounds"`
	// BreakerOpenedS is how long the dead receiver was tried without a pause, at worst.
	BreakerOpenedS float64 `json:"breaker_opened_s"`
	// TriesAfter counts the tries after the breaker had to be open, in all rounds, and
	// Probes how many there may be.
	TriesAfter int `json:"dead_tries_after_opening"`
	Probes     int `json:"dead_probes_allowed"`
	// Arrived counts what arrived in the rounds with the two, none was lost; Healthy
	// counts those of the healthy receivers.
	Arrived int `json:"arrived"`
	Healthy int `json:"healthy_deliveries"`
}

// shown is one round as the report shows it.
type shown struct {
	Sick       bool    `json:"sick"`
	Deliveries int     `json:"deliveries"`
	P50        float64 `json:"healthy_p50_ms"`
	P99        float64 `json:"healthy_p99_ms"`
	DeadTries  int     `json:"dead_tries,omitempty"`
	SlowTries  int     `json:"slow_tries,omitempty"`
	SickS      float64 `json:"sick_s,omitempty"`
	RecoveryS  float64 `json:"recovery_s,omitempty"`
	Hurried    int     `json:"redelivered,omitempty"`
}

func (r *report) add(done *round) {
	r.Rounds = append(r.Rounds, shown{
		Sick: done.sick, Deliveries: done.arrivals, P50: lab.MS(lab.Quantile(done.latency, 0.5)), P99: lab.MS(lab.Quantile(done.latency, 0.99)),
		DeadTries: len(done.deadTries), SlowTries: len(done.slowTries),
		SickS: done.sickFor.Seconds(), RecoveryS: done.recovery.Seconds(), Hurried: done.redelivered,
	})
	if !done.sick {
		return
	}
	r.Arrived += done.arrivals
	r.Healthy += done.arrivedHealthy
	r.judgeDead(done)
}

// judgeDead looks at when the dead receiver was tried.
func (r *report) judgeDead(done *round) {
	if len(done.deadTries) == 0 {
		return
	}
	first, last := done.deadTries[0], done.deadTries[0]
	for _, at := range done.deadTries[1:] {
		if at.Sub(last) >= leaveAlone {
			break
		}
		last = at
	}
	r.BreakerOpenedS = max(r.BreakerOpenedS, last.Sub(first).Seconds())
	for _, at := range done.deadTries {
		if at.Sub(first) > opensWithin {
			r.TriesAfter++
		}
	}
	if alone := done.begin.Add(done.sickFor).Sub(first) - opensWithin; alone > 0 {
		r.Probes += int(alone/probeEvery) + 1
	}
}

func (r *report) sum() {
	r.WithoutP50, r.WithoutP99 = r.medians(false)
	r.WithP50, r.WithP99 = r.medians(true)
	r.RatioP50, r.RatioP99 = r.WithP50/r.WithoutP50, r.WithP99/r.WithoutP99
}

func (r *report) medians(sick bool) (p50, p99 float64) {
	var p50s, p99s []float64
	for _, round := range r.Rounds {
		if round.Sick == sick {
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

// verdict is what does not hold. Times are judged only where there are enough of them.
func (r *report) verdict() error {
	var errs []error
	if r.Plan.Deliveries >= timedRun && r.RatioP99 > bearable {
		errs = append(errs, fmt.Errorf("the healthy receivers' p99 is %.2f times what it is without the two, more than %.1f", r.RatioP99, bearable))
	}
	if r.BreakerOpenedS > opensWithin.Seconds() {
		errs = append(errs, fmt.Errorf("the dead receiver was tried for %.1f s before it was left alone, longer than %s", r.BreakerOpenedS, opensWithin))
	}
	if r.TriesAfter > r.Probes {
		errs = append(errs, fmt.Errorf("the dead receiver was tried %d times while it was to be left alone, more than %d probes", r.TriesAfter, r.Probes))
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
	l.add("the dead receiver was left alone after %.1f s at worst; then it was tried %d times (%d probes are due)", r.BreakerOpenedS, r.TriesAfter, r.Probes)
	l.add("nothing was lost, and every lane kept its order")
	return l.err
}
