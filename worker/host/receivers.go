package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"segue/bus"
	"segue/config"
	"segue/contract"
	"segue/delivery"
)

// reportEvery is how often a worker reports what it knows of its receivers. Gateways forget a worker
// that is silent for three times as long.
const reportEvery = 5 * time.Second

// receiverReports publish what this process knows of the receivers of its calls.
type receiverReports struct {
	// worker identifies the process: workers of one machine, or of one process in tests, differ.
	worker  string
	publish func([]contract.ReceiverReport) error
	config  *config.Store
	sender  *delivery.Sender
	log     *slog.Logger
}

func newReceiverReports(o Options, sender *delivery.Sender, publish func([]contract.ReceiverReport) error) *receiverReports {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	return &receiverReports{
		worker: fmt.Sprintf("%s %d %s", name, os.Getpid(), rand.Text()[:8]), publish: publish,
		config: o.Config, sender: sender, log: o.Log,
	}
}

// run reports until the context ends. A report that the bus does not get is replaced by the next one.
func (r *receiverReports) run(ctx context.Context) {
	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	for {
		if err := r.publish(r.reports()); err != nil && !errors.Is(err, bus.ErrAway) {
			r.log.Warn("the state of receivers cannot be published", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// reports returns a report on the receiver of each call of the current configuration.
func (r *receiverReports) reports() []contract.ReceiverReport {
	var reports []contract.ReceiverReport
	now := time.Now().UTC()
	for _, c := range r.config.Current().Calls() {
		report := r.sender.Report(c.Policy)
		report.Worker, report.At = r.worker, now
		reports = append(reports, report)
	}
	return reports
}
