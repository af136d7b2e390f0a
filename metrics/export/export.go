package export

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/temporal"

	"segue/metrics"
)

// maxSeries bounds the series of one metric: a configuration has at most 500 calls, and an
// attempt one of 26 classes.
const maxSeries = 13_000

// maxScrapes is how many scrapes may run at once.
const maxScrapes = 4

// Exporter collects the metrics of a process.
type Exporter struct {
	*metrics.Instruments
	registry *prometheus.Registry
	provider *sdkmetric.MeterProvider
	log      *slog.Logger
}

// New returns an exporter with a registry of its own, so that a process may have several.
func New(log *slog.Logger) (*Exporter, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithCardinalityLimit(maxSeries), sdkmetric.WithView(views()...))
	instruments, err := metrics.New(provider.Meter("segue"))
	if err != nil {
		return nil, err
	}
	return &Exporter{Instruments: instruments, registry: registry, provider: provider, log: log}, nil
}

// views correct the metrics of the Temporal SDK. OpenTelemetry's default buckets are meant
// for milliseconds, but the SDK records seconds. And the metric that workflow code counts
// needs none of the labels that the SDK adds.
func views() []sdkmetric.View {
	seconds := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400}
	return []sdkmetric.View{
		sdkmetric.NewView(
			sdkmetric.Instrument{Name: "temporal_*", Kind: sdkmetric.InstrumentKindHistogram},
			sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: seconds}},
		),
		sdkmetric.NewView(
			sdkmetric.Instrument{Name: metrics.CommandsName},
			sdkmetric.Stream{
				Description:     metrics.CommandsHelp,
				AttributeFilter: attribute.NewAllowKeysFilter(metrics.LabelCommand, metrics.LabelResult),
			},
		),
	}
}

// Handler serves scrapes. A metric that cannot be collected is logged, and the others are served.
func (e *Exporter) Handler() http.Handler {
	return promhttp.HandlerFor(e.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(e.log.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
	})
}

// Gather returns the registry, which collects all metrics as a scrape does.
func (e *Exporter) Gather() prometheus.Gatherer { return e.registry }

// Plugin returns a plugin that makes a Temporal client, and the workers created from it,
// record their own metrics and those of workflow code in this exporter.
func (e *Exporter) Plugin() (client.Plugin, error) {
	handler := opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{
		Meter: e.provider.Meter("temporal-sdk-go"),
		// Without OnError, an invalid metric would panic in a workflow task.
		OnError:              func(err error) { e.log.Error("recording a metric of Temporal failed", "error", err) },
		UseMonotonicCounters: true,
	})
	plugin, err := temporal.NewSimplePlugin(temporal.SimplePluginOptions{
		Name: "segue-metrics",
		ConfigureClient: func(_ context.Context, o client.PluginConfigureClientOptions) error {
			o.ClientOptions.MetricsHandler = handler
			return nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return plugin, nil
}
