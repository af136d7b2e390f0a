package metrics

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Instruments record what a process does. Nil ones record nothing.
type Instruments struct {
	meter   metric.Meter
	entries []Entry

	events     metric.Int64Counter
	dispatched metric.Int64Counter
	handedOver metric.Int64Counter
	attempts   metric.Int64Counter
	took       metric.Float64Histogram
	age        metric.Float64Histogram
	waiting    metric.Float64Histogram
	reloads    metric.Int64Counter
	surveys    metric.Int64Counter

	inflight inflight
	gauges
}

// Route is how Dispatch chose to bring a delivery to its receiver.
type Route string

// The ways of a delivery.
const (
	// WayInline: sent inside the workflow task.
	RouteInline Route = "inline"
	// WayAttempt: left to an activity of the interaction.
	RouteAttempt Route = "attempt"
	// WayLane: appended to its lane workflow.
	RouteLane Route = "lane"
	// WayRecorded: a dry run, sent nowhere.
	RouteRecorded Route = "recorded"
)

// Routes lists the closed set.
func Routes() []Route { return []Route{RouteInline, RouteAttempt, RouteLane, RouteRecorded} }

// Removed stands for a call that the configuration does not have any more.
const Removed = "(removed)"

// The metric of commands is recorded by workflow code, under these names.
const (
	CommandsName   = "segue_commands_total"
	LabelCommand   = "command"
	LabelResult    = "result"
	ResultApplied  = "applied"
	ResultRejected = "rejected"
	ResultRepeated = "duplicate"
	// UnknownCommand is the label of a name that no command has.
	UnknownCommand = "unknown"
)

// CommandsHelp says what the metric of commands counts.
const CommandsHelp = "Commands that interactions were given, as signals or updates: applied, rejected, or a repeat of an applied event_id."

var (
	// ages reach from an inline delivery to the end of the usual schedule.
	ages = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 21600, 86400, 259200, 604800}
	// durations reach from a fast receiver to the longest timeout.
	durations = []float64{.001, .0025, .005, .01, .025, .05, .075, .1, .15, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 600}
)

// New makes the instruments of a meter.
func New(meter metric.Meter) (*Instruments, error) {
	m := &maker{meter: meter}
	i := &Instruments{meter: meter, inflight: inflight{batches: map[*Batch]struct{}{}}}
	i.events = m.counter("segue_events_dispatched_total", "{event}",
		"Events of interactions that were matched with the triggers.", "when")
	i.dispatched = m.counter("segue_deliveries_dispatched_total", "{delivery}",
		"Deliveries that events caused, by the way they took first. A workflow task that Temporal has redone counts again.", "call", "way")
	i.handedOver = m.counter("segue_deliveries_handed_over_total", "{delivery}",
		"Deliveries appended to a lane workflow, because of a failed attempt, an open breaker or the end of the interaction.", "call")
	i.attempts = m.counter("segue_delivery_attempts_total", "{attempt}",
		"Attempts by what came of them; also those that were held back before anything was sent.", "call", "class")
	i.took = m.histogram("segue_delivery_attempt_duration_seconds",
		"How long attempts took that went out: connection, token, request and response.", durations, "call")
	i.age = m.histogram("segue_delivery_age_seconds",
		"Age of deliveries when they arrived: from the event to the receiver's success.", ages, "call")
	i.waiting = m.histogram("segue_delivery_waiting_age_seconds",
		"Age of deliveries at each attempt that did not deliver them, held back ones included.", ages, "call")
	i.reloads = m.counter("segue_config_reloads_total", "{reload}",
		"Readings of the configuration while running: loaded, unchanged or rejected.", "outcome")
	i.surveys = m.counter("segue_surveys_total", "{survey}",
		"Readings of Temporal's visibility, which the metrics of lanes and interactions come from: ok or failed.", "outcome")
	m.foreign(Entry{Name: CommandsName, Kind: Counter, Labels: []string{LabelCommand, LabelResult}, Help: CommandsHelp})
	i.gauges.make(m)
	if err := m.err(); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	i.entries = m.entries
	return i, nil
}

func labels(pairs ...string) metric.MeasurementOption {
	set := make([]attribute.KeyValue, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		set = append(set, attribute.String(pairs[i], pairs[i+1]))
	}
	return metric.WithAttributeSet(attribute.NewSet(set...))
}

// background: what is recorded has happened, whatever became of who asked for it.
var background = context.Background()

// Begin lets the counters of these calls stand at zero before anything happens, so
// that the first failure already is an increase.
func (i *Instruments) Begin(calls []string) {
	if i == nil {
		return
	}
	for _, call := range calls {
		for _, way := range Routes() {
			i.dispatched.Add(background, 0, labels("call", call, "way", string(way)))
		}
		i.handedOver.Add(background, 0, labels("call", call))
	}
	for _, outcome := range Outcomes() {
		i.reloads.Add(background, 0, labels("outcome", string(outcome)))
	}
}

// Event counts an event that was dispatched.
func (i *Instruments) Event(when string) {
	if i != nil {
		i.events.Add(background, 1, labels("when", when))
	}
}

// Dispatched counts a delivery by the way it took first.
func (i *Instruments) Dispatched(call string, way Route) {
	if i != nil {
		i.dispatched.Add(background, 1, labels("call", call, "way", string(way)))
	}
}

// HandedOver counts deliveries that a lane workflow was given.
func (i *Instruments) HandedOver(call string, deliveries int) {
	if i != nil {
		i.handedOver.Add(background, int64(deliveries), labels("call", call))
	}
}

// Attempt is what came of one attempt.
type Attempt struct {
	Call, Class string
	// Sent says that something went to the receiver, and Took how long that was.
	Sent bool
	Took time.Duration
	// Delivered ends the delivery; otherwise it goes on waiting.
	Delivered bool
	// At is when the event happened.
	At time.Time
}

// Attempted records an attempt and the age of its delivery. A source whose clock is
// ahead does not make ages negative.
func (i *Instruments) Attempted(a Attempt) {
	if i == nil {
		return
	}
	call := labels("call", a.Call)
	i.attempts.Add(background, 1, labels("call", a.Call, "class", a.Class))
	if a.Sent {
		i.took.Record(background, a.Took.Seconds(), call)
	}
	if a.At.IsZero() {
		return
	}
	age := max(0, time.Since(a.At).Seconds())
	if a.Delivered {
		i.age.Record(background, age, call)
	} else {
		i.waiting.Record(background, age, call)
	}
}

// Outcome is what became of reading the configuration again.
type Outcome string

// The outcomes of a reload.
const (
	Loaded    Outcome = "loaded"
	Unchanged Outcome = "unchanged"
	Rejected  Outcome = "rejected"
)

// Outcomes lists the closed set.
func Outcomes() []Outcome { return []Outcome{Loaded, Unchanged, Rejected} }

// Reloaded counts a reading of the configuration.
func (i *Instruments) Reloaded(outcome Outcome) {
	if i != nil {
		i.reloads.Add(background, 1, labels("outcome", string(outcome)))
	}
}

// Surveyed counts a reading of Temporal's visibility.
func (i *Instruments) Surveyed(err error) {
	if i == nil {
		return
	}
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	i.surveys.Add(background, 1, labels("outcome", outcome))
}
