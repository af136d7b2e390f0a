package metricstest

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"segue/metrics/export"
)

// Probe is an exporter that a test reads.
type Probe struct {
	*export.Exporter
	t testing.TB
}

// New returns an exporter for one test.
func New(t testing.TB) *Probe {
	t.Helper()
	e, err := export.New(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return &Probe{Exporter: e, t: t}
}

// Families returns all metrics, by name.
func (p *Probe) Families() map[string]*dto.MetricFamily {
	p.t.Helper()
	gathered, err := p.Gather().Gather()
	require.NoError(p.t, err)
	families := map[string]*dto.MetricFamily{}
	for _, family := range gathered {
		families[family.GetName()] = family
	}
	return families
}

// Values returns the series of one metric by their labels, such as "call=crm,class=ok". The
// value of a histogram is its count.
func (p *Probe) Values(name string) map[string]float64 {
	p.t.Helper()
	return Values(p.Families()[name])
}

// Values returns the series of one metric by their labels.
func Values(family *dto.MetricFamily) map[string]float64 {
	values := map[string]float64{}
	for _, series := range family.GetMetric() {
		var labels []string
		for _, l := range series.GetLabel() {
			labels = append(labels, fmt.Sprintf("%s=%s", l.GetName(), l.GetValue()))
		}
		value := series.GetCounter().GetValue() + series.GetGauge().GetValue()
		if h := series.GetHistogram(); h != nil {
			value = float64(h.GetSampleCount())
		}
		values[strings.Join(labels, ",")] = value
	}
	return values
}
