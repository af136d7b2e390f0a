package host

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.temporal.io/sdk/client"

	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/metrics"
	"segue/reload"
)

// For tests.

var NewReloader = newReloader

type Prober = health

// NewProber returns the health of a process whose Temporal answers with missing.
func NewProber(r *reload.Reloader, missing func(context.Context) ([]string, error)) *Prober {
	return &health{reloader: r, missing: missing, temporal: TemporalHealth{Namespace: "default", TaskQueue: "segue"}}
}

func (h *Prober) Probe(ctx context.Context) time.Duration { return h.probe(ctx) }
func (h *Prober) Stop()                                   { h.stop() }
func (h *Prober) Status() Health                          { return h.status() }

func Handler(scrape http.Handler, status func() Health) http.Handler { return handler(scrape, status) }

var (
	Serve   = serve
	Sources = sources
)

// Survey surveys once.
func Survey(ctx context.Context, c client.Client, taskQueue string) (*metrics.Survey, error) {
	return newSurveyor(Options{Client: c, TaskQueue: taskQueue}).survey(ctx)
}

type Surveyor = surveyor

func NewSurveyor(o Options) *Surveyor       { return newSurveyor(o) }
func (s *Surveyor) Identify(name string)    { s.identity = name + surveys }
func (s *Surveyor) Run(ctx context.Context) { s.run(ctx) }
func (s *Surveyor) Recent() *metrics.Survey { return s.recent() }

// ReportReceivers reports on the receivers of a configuration until the context ends.
func ReportReceivers(ctx context.Context, store *config.Store, sender *delivery.Sender, publish func([]contract.ReceiverReport) error) {
	newReceiverReports(Options{Config: store, Log: slog.New(slog.DiscardHandler)}, sender, publish).run(ctx)
}
