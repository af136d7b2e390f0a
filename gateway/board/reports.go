package board

import (
	"slices"
	"sync"
	"time"

	"segue/contract"
)

const (
	// silentFor is after how long without a report a worker is forgotten: three reports.
	silentFor = 15 * time.Second
	// maxReports bounds the reports of all workers that are kept, and maxText the texts in them.
	maxReports = 1 << 16
	maxText    = 255
)

// StateUnknown is the state of a receiver on which no worker reports.
const StateUnknown = "unknown"

// severity orders the states of receivers, the worst last.
var severity = []contract.ReceiverState{
	contract.ReceiverHealthy, contract.ReceiverSlow, contract.ReceiverFailing, contract.ReceiverBreakerOpen,
}

// source is a receiver as one worker sees it.
type source struct{ worker, call string }

// report is the last report of a source. It counts by the time of its arrival: clocks of workers differ.
type report struct {
	state   contract.ReceiverState
	p95     int64
	arrived time.Time
}

// reports are the last reports of the workers.
type reports struct {
	mu    sync.Mutex
	last  map[source]report
	swept time.Time
}

func (r *reports) init() { r.last = map[source]report{} }

// take keeps a report. One with a state that this version does not know is dropped.
func (r *reports) take(got contract.ReceiverReport) {
	if got.Worker == "" || got.Call == "" || len(got.Worker) > maxText || len(got.Call) > maxText || !slices.Contains(severity, got.State) {
		return
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.swept) >= silentFor {
		r.sweep(now)
	}
	key := source{got.Worker, got.Call}
	if _, known := r.last[key]; known || len(r.last) < maxReports {
		r.last[key] = report{got.State, max(got.P95, 0), now}
	}
}

// sweep forgets the workers that are silent.
func (r *reports) sweep(now time.Time) {
	r.swept = now
	for key, last := range r.last {
		if now.Sub(last.arrived) >= silentFor {
			delete(r.last, key)
		}
	}
}

// worst returns, for each call that workers report on, the worst state and the highest p95 of all
// workers.
func (r *reports) worst() map[string]report {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[string]report{}
	for key, last := range r.last {
		if now.Sub(last.arrived) >= silentFor {
			continue
		}
		sum, known := found[key.call]
		if !known || slices.Index(severity, last.state) > slices.Index(severity, sum.state) {
			sum.state = last.state
		}
		sum.p95 = max(sum.p95, last.p95)
		found[key.call] = sum
	}
	return found
}
