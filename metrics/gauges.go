package metrics

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// gauges are looked up whenever the metrics are collected.
type gauges struct {
	inFlight       metric.Int64ObservableGauge
	inFlightOldest metric.Float64ObservableGauge
	breaker        metric.Int64ObservableGauge
	inline         metric.Int64ObservableGauge

	lanes            metric.Int64ObservableGauge
	lanesParked      metric.Int64ObservableGauge
	lanesOldest      metric.Float64ObservableGauge
	deliveriesParked metric.Int64ObservableGauge
	interactions     metric.Int64ObservableGauge
	undelivered      metric.Int64ObservableGauge
	surveyed         metric.Float64ObservableGauge

	configInfo    metric.Int64ObservableGauge
	configOK      metric.Int64ObservableGauge
	configLoaded  metric.Float64ObservableGauge
	configSecrets metric.Int64ObservableGauge
	configRestart metric.Int64ObservableGauge
	ready         metric.Int64ObservableGauge
}

func (g *gauges) make(m *maker) {
	g.inFlight = m.gauge("segue_deliveries_in_flight", "{delivery}",
		"Deliveries that activities of this process are at: being sent, waiting for the call's limits, or next behind one.", "call")
	g.inFlightOldest = m.clock("segue_deliveries_in_flight_oldest_age_seconds",
		"Age of the oldest delivery in hand, from its event.", "call")
	g.breaker = m.gauge("segue_breaker_state", "",
		"1 for the state that the call's breaker is in, in this process.", "call", "state")
	g.inline = m.gauge("segue_receiver_inline", "",
		"1 when this process knows the call's receiver as fast and healthy, so that deliveries may go to it inline.", "call")

	g.lanes = m.gauge("segue_lanes_open", "{lane}",
		"Open lane workflows: interactions whose receiver is owed deliveries. Shown by one process.", "call")
	g.lanesParked = m.gauge("segue_lanes_parked", "{lane}",
		"Open lane workflows with something parked. Shown by one process.", "call")
	g.lanesOldest = m.clock("segue_lanes_oldest_age_seconds",
		"How long the oldest open lane workflow has been open. Shown by one process.", "call")
	g.deliveriesParked = m.gauge("segue_deliveries_parked", "{delivery}",
		"Deliveries that wait for an operator. Shown by one process.", "call")
	g.interactions = m.gauge("segue_interactions_open", "{interaction}",
		"Open interactions. Shown by one process.")
	g.undelivered = m.gauge("segue_interactions_undelivered", "{interaction}",
		"Open interactions with a delivery that has not arrived. Shown by one process.")
	g.surveyed = m.clock("segue_survey_timestamp_seconds",
		"When the lanes and interactions were counted last, in Unix time. Shown by one process.")

	g.configInfo = m.gauge("segue_config_info", "",
		"1 for the version of the configuration that is in force.", "version")
	g.configOK = m.gauge("segue_config_last_reload_successful", "",
		"0 while the configuration file is bad and an older configuration stays in force.")
	g.configLoaded = m.clock("segue_config_loaded_timestamp_seconds",
		"When the configuration in force was read, in Unix time.")
	g.configSecrets = m.gauge("segue_config_missing_secrets", "{secret}",
		"References to secrets in the configuration that lead to nothing.")
	g.configRestart = m.gauge("segue_config_restart_needed", "{setting}",
		"Settings of the file that differ from those the process started with and need a restart.")
	g.ready = m.gauge("segue_ready", "", "1 while the process can work, as /readyz says.")
}

// Receiver is what a process knows of one call's receiver.
type Receiver struct {
	Call string
	// Breaker is one of BreakerStates.
	Breaker string
	Inline  bool
}

// BreakerStates lists the closed set.
func BreakerStates() []string { return []string{"closed", "half_open", "open"} }

// Lanes are the open lane workflows of one call.
type Lanes struct {
	Open, WithParked, Parked int
	// Oldest is when the oldest one was started.
	Oldest time.Time
}

// Survey is what Temporal's visibility says of all that is open.
type Survey struct {
	At                        time.Time
	Lanes                     map[string]Lanes // by call
	Interactions, Undelivered int
}

// Configuration is how the configuration stands.
type Configuration struct {
	Version                        string
	LoadedAt                       time.Time
	OK                             bool
	MissingSecrets, RestartsNeeded int
}

// Sources answer, from memory and at once, whenever the metrics are collected.
type Sources struct {
	// Calls are those of the configuration in force.
	Calls     func() []string
	Receivers func() []Receiver
	// Survey is the last one; nil when there is none, or when it is too old to be shown.
	Survey        func() *Survey
	Configuration func() Configuration
	Ready         func() bool
}

// Observe looks the gauges up in the sources from now on.
func (i *Instruments) Observe(s Sources) error {
	g := &i.gauges
	_, err := i.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		i.observeProcess(o, s)
		i.observeSurvey(o, s)
		i.observeConfiguration(o, s)
		return nil
	}, g.inFlight, g.inFlightOldest, g.breaker, g.inline,
		g.lanes, g.lanesParked, g.lanesOldest, g.deliveriesParked, g.interactions, g.undelivered, g.surveyed,
		g.configInfo, g.configOK, g.configLoaded, g.configSecrets, g.configRestart, g.ready)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

func (i *Instruments) observeProcess(o metric.Observer, s Sources) {
	held := i.inflight.byCall()
	for _, call := range s.Calls() {
		if _, ok := held[call]; !ok {
			held[call] = holding{} // stands at zero
		}
	}
	for call, h := range held {
		o.ObserveInt64(i.inFlight, int64(h.count), labels("call", call))
		o.ObserveFloat64(i.inFlightOldest, ageOf(h.oldest), labels("call", call))
	}
	for _, r := range s.Receivers() {
		o.ObserveInt64(i.inline, one(r.Inline), labels("call", r.Call))
		for _, state := range BreakerStates() {
			o.ObserveInt64(i.breaker, one(state == r.Breaker), labels("call", r.Call, "state", state))
		}
	}
	o.ObserveInt64(i.ready, one(s.Ready()))
}

func (i *Instruments) observeSurvey(o metric.Observer, s Sources) {
	survey := s.Survey()
	if survey == nil {
		return
	}
	lanes := map[string]Lanes{}
	for _, call := range s.Calls() {
		lanes[call] = survey.Lanes[call]
	}
	removed := Lanes{}
	for call, l := range survey.Lanes {
		if _, ok := lanes[call]; !ok {
			removed.add(l)
		}
	}
	if removed.Open > 0 {
		lanes[Removed] = removed
	}
	for call, l := range lanes {
		label := labels("call", call)
		o.ObserveInt64(i.lanes, int64(l.Open), label)
		o.ObserveInt64(i.lanesParked, int64(l.WithParked), label)
		o.ObserveInt64(i.deliveriesParked, int64(l.Parked), label)
		o.ObserveFloat64(i.lanesOldest, ageOf(l.Oldest), label)
	}
	o.ObserveInt64(i.interactions, int64(survey.Interactions))
	o.ObserveInt64(i.undelivered, int64(survey.Undelivered))
	o.ObserveFloat64(i.surveyed, unix(survey.At))
}

func (i *Instruments) observeConfiguration(o metric.Observer, s Sources) {
	c := s.Configuration()
	o.ObserveInt64(i.configInfo, 1, labels("version", c.Version))
	o.ObserveInt64(i.configOK, one(c.OK))
	o.ObserveFloat64(i.configLoaded, unix(c.LoadedAt))
	o.ObserveInt64(i.configSecrets, int64(c.MissingSecrets))
	o.ObserveInt64(i.configRestart, int64(c.RestartsNeeded))
}

// Add counts one lane workflow more.
func (l *Lanes) Add(started time.Time, parked int) {
	one := Lanes{Open: 1, Parked: parked, Oldest: started}
	if parked > 0 {
		one.WithParked = 1
	}
	l.add(one)
}

func (l *Lanes) add(more Lanes) {
	l.Open += more.Open
	l.WithParked += more.WithParked
	l.Parked += more.Parked
	if l.Oldest.IsZero() || !more.Oldest.IsZero() && more.Oldest.Before(l.Oldest) {
		l.Oldest = more.Oldest
	}
}

func ageOf(since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, time.Since(since).Seconds())
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
