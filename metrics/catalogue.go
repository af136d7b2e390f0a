package metrics

import (
	"errors"
	"slices"

	"go.opentelemetry.io/otel/metric"
)

// Kind is the type of a metric, as Prometheus names it.
type Kind string

// The kinds of metric.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Entry is one metric as it is exported.
type Entry struct {
	Name   string
	Kind   Kind
	Unit   string // UCUM; an annotation in braces where a number of things is counted
	Labels []string
	Help   string
}

// Catalogue lists every metric of the product, by name.
func (i *Instruments) Catalogue() []Entry { return slices.Clone(i.entries) }

// maker makes instruments and remembers each in the catalogue. Their names are the
// exported ones: an exporter adds no second suffix.
type maker struct {
	meter   metric.Meter
	entries []Entry
	errs    []error
}

func (m *maker) note(kind Kind, name, unit, help string, labels []string, err error) {
	m.entries = append(m.entries, Entry{Name: name, Kind: kind, Unit: unit, Labels: labels, Help: help})
	m.errs = append(m.errs, err)
}

func (m *maker) counter(name, unit, help string, labels ...string) metric.Int64Counter {
	c, err := m.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(help))
	m.note(Counter, name, unit, help, labels, err)
	return c
}

// histogram counts seconds into buckets.
func (m *maker) histogram(name, help string, buckets []float64, labels ...string) metric.Float64Histogram {
	h, err := m.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(help), metric.WithExplicitBucketBoundaries(buckets...))
	m.note(Histogram, name, "s", help, labels, err)
	return h
}

// gauge is looked up whenever the metrics are collected.
func (m *maker) gauge(name, unit, help string, labels ...string) metric.Int64ObservableGauge {
	g, err := m.meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(help))
	m.note(Gauge, name, unit, help, labels, err)
	return g
}

// clock is a gauge of seconds: an age, or a moment in Unix time.
func (m *maker) clock(name, help string, labels ...string) metric.Float64ObservableGauge {
	g, err := m.meter.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(help))
	m.note(Gauge, name, "s", help, labels, err)
	return g
}

// foreign notes a metric that workflow code records through Temporal's own handler,
// which keeps replays from counting twice.
func (m *maker) foreign(e Entry) { m.entries = append(m.entries, e) }

func (m *maker) err() error { return errors.Join(m.errs...) }
