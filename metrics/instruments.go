package metrics

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Instruments record what a process does. A nil *Instruments records nothing.
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
	gateway
	visitors visitors
}

// Route is how Dispatch first brings a delivery to its receiver.
type Route string

// The routes of a delivery. The metric's label is called way.
const (
	// RouteInline: sent inside the workflow task.
	RouteInline Route = "inline"
	// RouteAttempt: left to an Attempt activity of the interaction.
	RouteAttempt Route = "attempt"
	// RouteLane: appended to its lane workflow.
	RouteLane Route = "lane"
	// RouteRecorded: a dry run, which is not sent.
	RouteRecorded Route = "recorded"
)

// Routes returns all routes.
func Routes() []Route { return []Route{RouteInline, RouteAttempt, RouteLane, RouteRecorded} }

// Removed is the label of a call that is no longer in the configuration.
const Removed = "(removed)"

// The name and labels of the metric of commands, which workflow code records.
const (
	CommandsName   = "segue_commands_total"
	LabelCommand   = "command"
	LabelResult    = "result"
	ResultApplied  = "applied"
	ResultRejected = "rejected"
	ResultRepeated = "duplicate"
	// UnknownCommand is the label of a command whose name does not exist.
	UnknownCommand = "unknown"
)

// CommandsHelp is the help text of the metric of commands.
const CommandsHelp = "Commands to interactions, as signals or updates: applied, rejected, or a duplicate of an applied event_id."

var (
	// ages range from an inline delivery to the end of the default schedule.
	ages = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 21600, 86400, 259200, 604800}
	// durations range from a fast receiver to the longest timeout.
	durations = []float64{.001, .0025, .005, .01, .025, .05, .075, .1, .15, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 600}
)

// New returns the instruments of a meter. It reports an error if the meter refuses one.
func New(meter metric.Meter) (*Instruments, error) {
	m := &maker{meter: meter}
	i := &Instruments{meter: meter, inflight: inflight{batches: map[*Batch]struct{}{}}}
	i.events = m.counter("segue_events_dispatched_total", "{event}",
		"Events of interactions that were matched against the triggers.", "when")
	i.dispatched = m.counter("segue_deliveries_dispatched_total", "{delivery}",
		"Deliveries that events caused, by the way they were first sent. A workflow task that Temporal repeats counts again.", "call", "way")
	i.handedOver = m.counter("segue_deliveries_handed_over_total", "{delivery}",
		"Deliveries appended to a lane workflow, because of a failed attempt, an open breaker or the end of the interaction.", "call")
	i.attempts = m.counter("segue_delivery_attempts_total", "{attempt}",
		"Attempts by the class of their outcome, including those that were delayed before anything was sent.", "call", "class")
	i.took = m.histogram("segue_delivery_attempt_duration_seconds",
		"Duration of the attempts that were sent: connection, token, request and response.", durations, "call")
	i.age = m.histogram("segue_delivery_age_seconds",
		"Age of deliveries when they arrived: from the event to the receiver's success response.", ages, "call")
	i.waiting = m.histogram("segue_delivery_waiting_age_seconds",
		"Age of deliveries at each attempt that did not deliver them, including delayed ones.", ages, "call")
	i.reloads = m.counter("segue_config_reloads_total", "{reload}",
		"Reloads of the configuration: loaded, unchanged or rejected.", "outcome")
	i.surveys = m.counter("segue_surveys_total", "{survey}",
		"Surveys of Temporal's visibility, from which the metrics of lanes and interactions come: ok or failed.", "outcome")
	m.foreign(Entry{Name: CommandsName, Kind: Counter, Labels: []string{LabelCommand, LabelResult}, Help: CommandsHelp})
	i.gauges.make(m)
	i.gateway.make(m)
	i.visitors.make(m)
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

// background is the context of every recording: what is recorded has happened, whether or
// not its caller was canceled.
var background = context.Background()

// Begin sets the counters of these calls to zero before anything happens, so that the
// first failure is an increase.
func (i *Instruments) Begin(calls []string) {
	if i == nil {
		return
	}
	for _, call := range calls {
		for _, route := range Routes() {
			i.dispatched.Add(background, 0, labels("call", call, "way", string(route)))
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

// Dispatched counts a delivery by its first route.
func (i *Instruments) Dispatched(call string, route Route) {
	if i != nil {
		i.dispatched.Add(background, 1, labels("call", call, "way", string(route)))
	}
}

// HandedOver counts deliveries that were appended to a lane workflow.
func (i *Instruments) HandedOver(call string, deliveries int) {
	if i != nil {
		i.handedOver.Add(background, int64(deliveries), labels("call", call))
	}
}

// Attempt is the outcome of one attempt.
type Attempt struct {
	Call, Class string
	// Sent says that the attempt reached out to the receiver, and Took how long that took.
	Sent bool
	Took time.Duration
	// Delivered says that the delivery has arrived; otherwise it still waits.
	Delivered bool
	// At is when the event happened.
	At time.Time
}

// Attempted records an attempt and the age of its delivery. The age is never negative,
// also if the clock of the event's source is ahead.
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

// Outcome is the result of a reload of the configuration.
type Outcome string

// The outcomes of a reload.
const (
	Loaded    Outcome = "loaded"
	Unchanged Outcome = "unchanged"
	Rejected  Outcome = "rejected"
)

// Outcomes returns all outcomes of a reload.
func Outcomes() []Outcome { return []Outcome{Loaded, Unchanged, Rejected} }

// Reloaded counts a reload of the configuration.
func (i *Instruments) Reloaded(outcome Outcome) {
	if i != nil {
		i.reloads.Add(background, 1, labels("outcome", string(outcome)))
	}
}

// Surveyed counts a survey of Temporal's visibility.
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
