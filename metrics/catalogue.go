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

// Catalogue returns every metric of Segue, in the order of the documentation.
func (i *Instruments) Catalogue() []Entry { return slices.Clone(i.entries) }

// maker creates instruments and adds each to the catalogue. The names are those that are
// exported: the exporter adds no suffix.
type maker struct {
	meter   metric.Meter
	entries []Entry
	errs    []error
}

func (m *maker) add(kind Kind, name, unit, help string, labels []string, err error) {
	m.entries = append(m.entries, Entry{Name: name, Kind: kind, Unit: unit, Labels: labels, Help: help})
	m.errs = append(m.errs, err)
}

func (m *maker) counter(name, unit, help string, labels ...string) metric.Int64Counter {
	c, err := m.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(help))
	m.add(Counter, name, unit, help, labels, err)
	return c
}

// observed is a counter whose value another part of the process counts.
func (m *maker) observed(name, unit, help string, labels ...string) metric.Int64ObservableCounter {
	c, err := m.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(help))
	m.add(Counter, name, unit, help, labels, err)
	return c
}

// histogram counts durations in buckets of seconds.
func (m *maker) histogram(name, help string, buckets []float64, labels ...string) metric.Float64Histogram {
	h, err := m.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(help), metric.WithExplicitBucketBoundaries(buckets...))
	m.add(Histogram, name, "s", help, labels, err)
	return h
}

// sizes counts numbers of things.
func (m *maker) sizes(name, unit, help string, buckets []float64, labels ...string) metric.Int64Histogram {
	h, err := m.meter.Int64Histogram(name, metric.WithUnit(unit), metric.WithDescription(help), metric.WithExplicitBucketBoundaries(buckets...))
	m.add(Histogram, name, unit, help, labels, err)
	return h
}

// gauge is observed whenever the metrics are collected.
func (m *maker) gauge(name, unit, help string, labels ...string) metric.Int64ObservableGauge {
	g, err := m.meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(help))
	m.add(Gauge, name, unit, help, labels, err)
	return g
}

// clock is a gauge of seconds: an age, or a time in Unix time.
func (m *maker) clock(name, help string, labels ...string) metric.Float64ObservableGauge {
	g, err := m.meter.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(help))
	m.add(Gauge, name, "s", help, labels, err)
	return g
}

// foreign adds a metric that workflow code records through Temporal's own handler, which
// keeps replays from counting twice.
func (m *maker) foreign(e Entry) { m.entries = append(m.entries, e) }

func (m *maker) err() error { return errors.Join(m.errs...) }
