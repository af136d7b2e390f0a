package main

import (
	"fmt"
	"strings"
	"time"

	"segue/bench"
)

// row is one contender under one load.
type row struct {
	Part      string  `json:"part"`
	Contender string  `json:"contender"`
	InFlight  int     `json:"in_flight"`
	Commands  int     `json:"commands"`
	Rate      float64 `json:"commands_per_s"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	// The CPU is for 1,000 commands.
	GatewayCPU float64 `json:"gateway_cpu_ms"`
	WorkerCPU  float64 `json:"worker_cpu_ms"`
	ServerCPU  float64 `json:"server_cpu_ms"`
	LoadCPU    float64 `json:"load_cpu_ms"`
}

// goal is a ratio and its limit.
type goal struct {
	Part     string `json:"part"`
	Name     string `json:"name"`
	InFlight int    `json:"in_flight,omitempty"`
	// Load is the name of a measurement of live notifications.
	Load  string  `json:"load,omitempty"`
	Value float64 `json:"value"`
	// Bound is "at least" or "at most"; empty for a ratio that has no goal.
	Bound string  `json:"bound,omitempty"`
	Limit float64 `json:"limit,omitempty"`
	Pass  bool    `json:"pass"`
}

// report is the result of a run.
type report struct {
	Rows    []row       `json:"rows"`
	Streams []streamRow `json:"streams"`
	Goals   []goal      `json:"goals"`
}

// addTo adds the rows and ratios of a part to the report.
func (m *measurement) addTo(r *report) {
	for _, l := range m.loads {
		for _, c := range m.contenders {
			r.Rows = append(r.Rows, m.row(c.name, l.inFlight))
		}
	}
	for _, l := range m.loads {
		if m.name == partNotices {
			r.Goals = append(r.Goals, m.goal("worker CPU of a command, with notices against without", noticing, quiet, l.inFlight,
				func(f *figures) []float64 { return f.costs }, goal{Bound: "at most", Limit: 1.03}))
			r.Goals = append(r.Goals, m.goal("commands/s, with notices against without", noticing, quiet, l.inFlight,
				func(f *figures) []float64 { return f.rates }, goal{}))
			continue
		}
		r.Goals = append(r.Goals, m.goal("commands/s, gateway against gRPC", byGateway, byGRPC, l.inFlight,
			func(f *figures) []float64 { return f.rates }, goal{Bound: "at least", Limit: 0.85}))
	}
}

func (m *measurement) goal(name, contender, against string, inFlight int, of func(*figures) []float64, g goal) goal {
	g.Part, g.Name, g.InFlight = m.name, name, inFlight
	g.Value = median(ratios(of(m.of(contender, inFlight)), of(m.of(against, inFlight))))
	g.Pass = g.Bound == "at most" && g.Value <= g.Limit || g.Bound != "at most" && g.Value >= g.Limit
	return g
}

func (m *measurement) row(contender string, inFlight int) row {
	f := m.of(contender, inFlight)
	each := func(used time.Duration) float64 { return bench.Milliseconds(used) * 1000 / float64(len(f.latencies)) }
	return row{
		Part: m.name, Contender: contender, InFlight: inFlight, Commands: len(f.latencies), Rate: median(f.rates),
		P50: bench.Milliseconds(bench.Quantile(f.latencies, 0.5)), P95: bench.Milliseconds(bench.Quantile(f.latencies, 0.95)),
		GatewayCPU: each(f.cpu.gateway), WorkerCPU: each(f.cpu.worker), ServerCPU: each(f.cpu.server), LoadCPU: each(f.cpu.load),
	}
}

// text returns the tables.
func (r *report) text() string {
	var b strings.Builder
	for i, w := range r.Rows {
		if i == 0 || r.Rows[i-1].Part != w.Part {
			fmt.Fprintf(&b, "\n%-8s %9s %8s %8s %8s %8s %8s %8s %8s %8s\n", w.Part, "in flight", "commands", "cmd/s", "p50 ms", "p95 ms", "gateway", "worker", "server", "load")
		}
		fmt.Fprintf(&b, "%-8s %9d %8d %8.0f %8.1f %8.1f %8.0f %8.0f %8.0f %8.0f\n", w.Contender, w.InFlight, w.Commands, w.Rate, w.P50, w.P95,
			w.GatewayCPU, w.WorkerCPU, w.ServerCPU, w.LoadCPU)
	}
	r.writeStreams(&b)
	fmt.Fprintf(&b, "\n%-72s %8s  %s\n", "goal", "value", "limit")
	for _, g := range r.Goals {
		fmt.Fprintf(&b, "%-72s %8.3f  %s\n", g.title(), g.Value, g.verdict())
	}
	return b.String()
}

func (g goal) title() string {
	if g.Load != "" {
		return fmt.Sprintf("%s, %s: %s", g.Part, g.Load, g.Name)
	}
	return fmt.Sprintf("%s, %d in flight: %s", g.Part, g.InFlight, g.Name)
}

func (g goal) verdict() string {
	switch {
	case g.Bound == "":
		return "-"
	case g.Pass:
		return fmt.Sprintf("%s %g  pass", g.Bound, g.Limit)
	}
	return fmt.Sprintf("%s %g  MISS", g.Bound, g.Limit)
}

func (r *report) writeStreams(b *strings.Builder) {
	for i, w := range r.Streams {
		if i == 0 {
			fmt.Fprintf(b, "\n%-6s %-12s %7s %8s %6s %8s %8s %7s %7s %7s %8s %7s %7s %7s %7s %8s %8s %7s\n", partEvents, "transport", "clients",
				"commands", "cmd/s", "notified", "messages", "p50 ms", "p99 ms", "max ms", "answered", "kB open", "kB load", "kB heap", "kB stck",
				"gateway", "clients", "reconn.")
		}
		fmt.Fprintf(b, "%-6s %-12s %7d %8d %6.0f %8d %8d %7.1f %7.1f %7.1f %8.1f %7.0f %7.0f %7.1f %7.1f %8.2f %8.2f %7d\n", w.Name, w.Transport,
			w.Clients, w.Commands, w.PerSecond, w.Notifications, w.Messages, w.P50, w.P99, w.Most, w.AnsweredP99, w.OpenKB, w.LoadedKB, w.HeapKB,
			w.StacksKB, w.GatewayCPU, w.LoadCPU, w.Reconnects)
	}
}

// addStreamRatios adds the ratios of CometD against SSE under the same load.
func (r *report) addStreamRatios() {
	for _, w := range r.Streams {
		for _, sse := range r.Streams {
			if w.Transport == bySSE || sse.Transport != bySSE || w.Name != sse.Name {
				continue
			}
			for _, of := range []struct {
				name        string
				of, against float64
			}{
				{"p99", w.P99, sse.P99},
				{"resident memory of a client, after the load", w.LoadedKB, sse.LoadedKB},
				{"gateway CPU of a notification", w.GatewayCPU, sse.GatewayCPU},
			} {
				if of.against > 0 {
					name := fmt.Sprintf("%s, %s against SSE", of.name, w.Transport)
					r.Goals = append(r.Goals, goal{Part: partEvents, Name: name, Load: w.Name, Value: of.of / of.against, Pass: true})
				}
			}
		}
	}
}
