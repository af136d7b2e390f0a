package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"go.temporal.io/sdk/client"

	"segue/config"
	"segue/connect"
	"segue/embedded"
	"segue/worker/host"
	"segue/workflows"
)

// TaskQueue is the one that Segue's worker polls.
const TaskQueue = "segue"

// Lab is one embedded Temporal with a Segue worker.
type Lab struct {
	Client client.Client
	Store  *config.Store

	server   *embedded.Server
	stopHost context.CancelFunc
	hostDone chan error
}

// Open starts everything, with a configuration as YAML. What it started before an
// error ends with the process.
func Open(ctx context.Context, yaml string) (*Lab, error) {
	set, err := config.Parse("bench.yaml", []byte(yaml))
	if err != nil {
		return nil, err
	}
	l := &Lab{Store: config.NewStore(set), hostDone: make(chan error, 1)}
	l.server, err = embedded.Start(ctx, embedded.Options{
		UIPort: -1, SearchAttributes: connect.SearchAttributeTypes(),
		Progress: func(text string) { fmt.Fprintln(os.Stderr, text) },
	})
	if err != nil {
		return nil, err
	}
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if l.Client, err = connect.Dial(ctx, connect.Settings{Address: l.server.Address}, quiet, plugin); err != nil {
		return nil, err
	}
	hostCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stopHost = stop
	go func() {
		l.hostDone <- host.Run(hostCtx, host.Options{Client: l.Client, TaskQueue: TaskQueue, Config: l.Store, Log: quiet})
	}()
	return l, nil
}

// Close stops the worker, then the server.
func (l *Lab) Close() error {
	l.stopHost()
	err := <-l.hostDone
	l.Client.Close()
	return errors.Join(err, l.server.Stop())
}

// Quantile is the nearest-rank quantile of the values, q from 0 to 1; 0 of none.
func Quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(float64(len(sorted))*q), len(sorted)-1)]
}

// MS is a duration in milliseconds.
func MS(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
