package main

import (
	"fmt"
	"strings"
	"time"

	"segue/bench"
)

// row is one contender under one load. A figure that was not measured is 0.
type row struct {
	ReceiverMS int64  `json:"receiver_ms"`
	Contender  string `json:"contender"`
	// InFlight is 1 at idle.
	InFlight     int     `json:"in_flight"`
	Interactions int     `json:"interactions"`
	Rate         float64 `json:"interactions_per_s"`
	P50          float64 `json:"p50_ms"`
	P95          float64 `json:"p95_ms"`
	CloseP50     float64 `json:"close_p50_ms"`
	Events       float64 `json:"events_each"`
	Bytes        float64 `json:"history_bytes_each"`
	ServerCPU    float64 `json:"server_cpu_ms_each"`
	WorkerCPU    float64 `json:"worker_cpu_ms_each"`
	// LoadCPU is that of load generator and receivers together.
	LoadCPU float64 `json:"load_cpu_ms_each"`
}

// report is the result of a run.
type report struct {
	Rows  []row  `json:"rows"`
	Goals []goal `json:"goals"`
	// ServerMB is the resident memory of the embedded server at the end, when it has run this many interactions.
	ServerMB     float64 `json:"server_resident_mb"`
	Interactions int     `json:"server_interactions"`
}

// addTo adds the rows of a receiver to the report.
func (m *measurement) addTo(r *report) {
	for _, c := range m.contenders {
		r.Interactions += int(c.started.Load())
	}
	for _, inFlight := range append([]int{1}, m.inFlights()...) {
		for _, c := range m.contenders {
			at := place{m.delay.Milliseconds(), c.name, inFlight}
			if f := m.figures[at]; f != nil {
				r.Rows = append(r.Rows, rowOf(at, f))
			}
		}
	}
}

func (p plan) inFlights() []int {
	var all []int
	for _, l := range p.loads {
		all = append(all, l.inFlight)
	}
	return all
}

func rowOf(at place, f *figures) row {
	each := func(sum float64) float64 { return sum / float64(f.interactions) }
	quantile := func(of []time.Duration, q float64) float64 { return bench.Milliseconds(bench.Quantile(of, q)) }
	return row{
		ReceiverMS: at.delayMS, Contender: at.contender, InFlight: at.inFlight, Interactions: f.interactions,
		Rate: f.rate(), P50: quantile(f.latencies, 0.5), P95: quantile(f.latencies, 0.95), CloseP50: quantile(f.closes, 0.5),
		Events: each(float64(f.events)), Bytes: each(float64(f.bytes)),
		ServerCPU: each(bench.Milliseconds(f.cpu.server)), WorkerCPU: each(bench.Milliseconds(f.cpu.workers)),
		LoadCPU: each(bench.Milliseconds(f.cpu.load)),
	}
}

// text returns the tables.
func (r *report) text() string {
	var b strings.Builder
	for i, w := range r.Rows {
		if i == 0 || r.Rows[i-1].ReceiverMS != w.ReceiverMS {
			fmt.Fprintf(&b, "\nreceiver takes %d ms\n%-10s %-8s %8s %8s %8s %10s %7s %7s %10s %10s %8s\n", w.ReceiverMS,
				"in flight", "", "inter/s", "p50 ms", "p95 ms", "close p50", "events", "bytes", "server ms", "worker ms", "load ms")
		}
		load := "idle"
		if w.InFlight > 1 {
			load = fmt.Sprint(w.InFlight)
		}
		fmt.Fprintf(&b, "%-10s %-8s %8s %8s %8s %10s %7.1f %7.0f %10s %10s %8s\n", load, w.Contender,
			measured(w.Rate), measured(w.P50), measured(w.P95), measured(w.CloseP50), w.Events, w.Bytes,
			measured(w.ServerCPU), measured(w.WorkerCPU), measured(w.LoadCPU))
	}
	fmt.Fprintf(&b, "\n%-72s %8s  %s\n", "goal", "value", "limit")
	for _, g := range r.Goals {
		verdict := "pass"
		if !g.Pass {
			verdict = "MISS"
		}
		fmt.Fprintf(&b, "%-72s %8.2f  %s %g  %s\n", g.Name, g.Value, g.Bound, g.Limit, verdict)
	}
	fmt.Fprintf(&b, "\nthe server: %.0f MB resident after %d interactions\n", r.ServerMB, r.Interactions)
	return b.String()
}

// measured formats a figure, and a dash if it was not measured.
func measured(figure float64) string {
	if figure == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", figure)
}
