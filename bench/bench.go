package bench

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"time"

	sdklog "go.temporal.io/sdk/log"

	"segue/config"
	"segue/embedded"
	"segue/worker/local"
)

// Start starts an embedded Temporal without a UI, and a worker with a configuration in YAML.
func Start(ctx context.Context, yaml string) (*local.Segue, error) {
	set, err := config.Parse("bench.yaml", []byte(yaml))
	if err != nil {
		return nil, err
	}
	segue, err := local.Start(ctx, local.Options{Server: embedded.Options{UIPort: embedded.NoUI}})
	if err != nil {
		return nil, err
	}
	if _, err := segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set)}); err != nil {
		return nil, errors.Join(err, segue.Stop())
	}
	return segue, nil
}

// Quantile returns the nearest-rank quantile of the values, q from 0 to 1, and 0 if there are none.
func Quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(float64(len(sorted))*q), len(sorted)-1)]
}

// Milliseconds returns a duration in milliseconds.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ErrorsOnly returns a logger for connections to Temporal.
func ErrorsOnly() sdklog.Logger {
	return sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
}
