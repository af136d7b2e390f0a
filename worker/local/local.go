package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	sdkclient "go.temporal.io/sdk/client"

	"segue/client"
	"segue/connect"
	"segue/embedded"
	"segue/metrics/export"
	"segue/workflows"
	"segue/workflows/notices"
)

// dialLimit bounds how long Start waits for a Temporal that does not answer.
const dialLimit = 10 * time.Second

// Options configure a Segue.
type Options struct {
	// Settings say how Temporal is reached. A Temporal runs at Settings.Address already; without an address, Start starts
	// an embedded one.
	Settings connect.Settings
	// Server configures the embedded Temporal. Start sets its namespace and search attributes. Progress goes to standard
	// error if nothing else is set.
	Server embedded.Options
	// Metrics collects metrics of the client and of a worker, which serves them at its configuration's metrics.address.
	Metrics bool
	// Notices receives the changes of interactions that the workers make; nil for none. It must outlive
	// the Segue.
	Notices notices.Sink
	// Log receives the log of the client and the workers; nil logs errors to standard error.
	Log *slog.Logger
}

// Segue is a Temporal, a client of it, and the workers that StartWorker added.
type Segue struct {
	Client *client.Client
	// Settings are those of the connection, with the address of the embedded Temporal if there is one.
	Settings connect.Settings
	// Server is the embedded Temporal; nil if Temporal was running already.
	Server *embedded.Server

	log      *slog.Logger
	exporter *export.Exporter

	mu      sync.Mutex
	workers []*Worker
	// failed is closed when a worker ends by itself; failure then has the reason.
	failed  chan struct{}
	failure error
}

// Start starts Temporal unless it is running, connects to it, and prepares its namespace. The context bounds the start
// alone: a Segue that has started runs until Stop. If Start fails, it stops what it has started. An error that wraps
// client.ErrUnreachable means that Temporal did not answer.
func Start(ctx context.Context, options Options) (*Segue, error) {
	s := &Segue{Settings: options.Settings.WithDefaults(), log: options.Log, failed: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	}
	err := s.start(ctx, options)
	if err == nil {
		return s, nil
	}
	if ctx.Err() != nil {
		err = ctx.Err() // whatever it interrupted
	}
	return nil, errors.Join(err, s.Stop())
}

func (s *Segue) start(ctx context.Context, options Options) error {
	if options.Settings.Address == "" {
		if err := s.embed(ctx, options.Server); err != nil {
			return err
		}
	}
	plugins, err := s.plugins(options)
	if err != nil {
		return err
	}
	if err := s.dial(ctx, plugins); err != nil {
		return err
	}
	_, err = connect.Setup(ctx, s.Client.Temporal, s.Settings.Namespace, 0)
	return err
}

// embed starts the embedded Temporal.
func (s *Segue) embed(ctx context.Context, options embedded.Options) (err error) {
	options.Namespace, options.SearchAttributes = s.Settings.Namespace, connect.SearchAttributeTypes()
	if options.Progress == nil {
		options.Progress = func(text string) { fmt.Fprintln(os.Stderr, text) }
	}
	if s.Server, err = embedded.Start(ctx, options); err != nil {
		return err
	}
	s.Settings.Address = s.Server.Address
	return nil
}

// plugins returns the plugins of the client, which its workers share.
func (s *Segue) plugins(options Options) ([]sdkclient.Plugin, error) {
	order, err := workflows.NewPlugin(workflows.WithNotices(options.Notices))
	if err != nil || !options.Metrics {
		return []sdkclient.Plugin{order}, err
	}
	if s.exporter, err = export.New(s.log); err != nil {
		return nil, err
	}
	measure, err := s.exporter.Plugin()
	return []sdkclient.Plugin{measure, order}, err
}

func (s *Segue) dial(ctx context.Context, plugins []sdkclient.Plugin) error {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	temporal, err := connect.Dial(ctx, s.Settings, s.log, plugins...)
	if err != nil {
		return fmt.Errorf("%w: %w", client.ErrUnreachable, err)
	}
	s.Client = &client.Client{Temporal: temporal, TaskQueue: s.Settings.TaskQueue}
	return nil
}

// Exporter returns the exporter of the metrics; nil if none are collected.
func (s *Segue) Exporter() *export.Exporter { return s.exporter }

// Wait returns nil when the context ends, and an error when Temporal or a worker ends without being stopped.
func (s *Segue) Wait(ctx context.Context) error {
	var serverEnded <-chan struct{}
	if s.Server != nil {
		serverEnded = s.Server.Done()
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.failed:
		return s.failure
	case <-serverEnded:
		return s.Server.Err()
	}
}

// Stop stops the workers, which finish their deliveries in flight, then closes the client and stops the embedded
// Temporal. It returns the errors of all of them.
func (s *Segue) Stop() error {
	s.mu.Lock()
	workers := slices.Clone(s.workers)
	s.mu.Unlock()
	var errs []error
	for _, w := range workers {
		w.cancel()
	}
	for _, w := range workers {
		errs = append(errs, w.Stop())
	}
	if s.Client != nil {
		s.Client.Temporal.Close()
	}
	if s.Server != nil {
		errs = append(errs, s.Server.Stop())
	}
	return errors.Join(errs...)
}
