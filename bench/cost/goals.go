package main

import "fmt"

// The loads that goals name. atIdle is that of a row, saturation the highest.
const (
	atIdle     = 1
	at20       = 20
	saturation = 60
)

// goal is one figure, or a ratio of two, and its limit.
type goal struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	// Bound is "at least" or "at most".
	Bound string  `json:"bound"`
	Limit float64 `json:"limit"`
	Pass  bool    `json:"pass"`
}

const (
	atLeast = "at least"
	atMost  = "at most"
)

func rate(r row) float64     { return r.Rate }
func p50(r row) float64      { return r.P50 }
func closeP50(r row) float64 { return r.CloseP50 }
func events(r row) float64   { return r.Events }

// target describes a goal. Without against, it is a figure instead of a ratio.
type target struct {
	what      string
	of        func(row) float64
	delayMS   int64
	inFlight  int
	contender string
	against   string
	bound     string
	limit     float64
}

var targets = []target{
	{"interactions/s", rate, 2, saturation, byUpdate, floor, atLeast, 0.9},
	{"p50", p50, 2, atIdle, byUpdate, floor, atMost, 1.2},
	{"interactions/s", rate, 2, at20, bySignal, usual, atLeast, 1.3},
	{"p50", p50, 2, atIdle, bySignal, usual, atMost, 0.5},
	{"p50", p50, 2, at20, bySignal, usual, atMost, 0.5},
	{"p50", p50, 2, atIdle, byUpdate, usual, atMost, 0.35},
	{"p50", p50, 2, at20, byUpdate, usual, atMost, 0.25},
	{"p50", p50, 150, atIdle, byUpdate, usual, atMost, 0.5},
	{"p50", p50, 150, at20, byUpdate, usual, atMost, 0.5},
	{"p50", p50, 150, atIdle, bySignal, usual, atMost, 0.5},
	{"p50", p50, 150, at20, bySignal, usual, atMost, 0.5},
	{"interactions/s", rate, 2, saturation, byFeed, floor, atLeast, 3},
	{"close p50 in ms", closeP50, 2, atIdle, byUpdate, "", atMost, 50},
	{"close p50 in ms", closeP50, 2, atIdle, bySignal, "", atMost, 50},
	{"events", events, 2, at20, byUpdate, "", atMost, 44},
}

// judge computes the goals whose rows were measured.
func (r *report) judge() {
	for _, t := range targets {
		value, known := r.value(t, t.contender)
		if t.against != "" {
			baseline, baselineKnown := r.value(t, t.against)
			value, known = value/baseline, known && baselineKnown
		}
		if !known {
			continue
		}
		pass := value <= t.limit
		if t.bound == atLeast {
			pass = value >= t.limit
		}
		r.Goals = append(r.Goals, goal{Name: t.name(), Value: value, Bound: t.bound, Limit: t.limit, Pass: pass})
	}
}

func (r *report) value(t target, contender string) (value float64, known bool) {
	for _, w := range r.Rows {
		if w.ReceiverMS == t.delayMS && w.InFlight == t.inFlight && w.Contender == contender {
			return t.of(w), true
		}
	}
	return 0, false
}

func (t target) name() string {
	load := "at idle"
	if t.inFlight > atIdle {
		load = fmt.Sprintf("with %d in flight", t.inFlight)
	}
	text := fmt.Sprintf("receiver %d ms, %s: %s of %s", t.delayMS, load, t.what, t.contender)
	if t.against != "" {
		text += " against " + t.against
	}
	return text
}
