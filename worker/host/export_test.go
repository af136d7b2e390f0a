package host

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"go.temporal.io/sdk/client"

	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/metrics"
)

// For tests.

type Reloader = reloader

func NewReloader(o Options, sender *delivery.Sender) *Reloader { return newReloader(o, sender) }

func (r *Reloader) Reload()                     { r.reload() }
func (r *Reloader) Recheck()                    { r.recheck() }
func (r *Reloader) Status() ConfigurationHealth { return r.status() }

type Prober = health

// NewProber returns the health of a process whose Temporal answers with missing.
func NewProber(r *Reloader, missing func(context.Context) ([]string, error)) *Prober {
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

// RunReloader reloads when the file changes or a signal arrives, until the context ends.
func RunReloader(ctx context.Context, r *Reloader, requested <-chan os.Signal) { r.run(ctx, requested) }

type Surveyor = surveyor

func NewSurveyor(o Options) *Surveyor       { return newSurveyor(o) }
func (s *Surveyor) Identify(name string)    { s.identity = name + surveys }
func (s *Surveyor) Run(ctx context.Context) { s.run(ctx) }
func (s *Surveyor) Recent() *metrics.Survey { return s.recent() }

// ReportReceivers reports on the receivers of a configuration until the context ends.
func ReportReceivers(ctx context.Context, store *config.Store, sender *delivery.Sender, publish func([]contract.ReceiverReport) error) {
	newReceiverReports(Options{Config: store, Log: slog.New(slog.DiscardHandler)}, sender, publish).run(ctx)
}
