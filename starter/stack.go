package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"segue/config"
	"segue/connect"
	"segue/embedded"
	"segue/metrics/export"
	"segue/worker/host"
)

// stackFlags are the flags of the commands that start Segue on this machine.
type stackFlags struct {
	temporalPort, uiPort, httpPort int
	db                             string
	noWorker                       bool
	metricsAddress                 *pflag.Flag
}

func (f *stackFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.IntVar(&f.temporalPort, "temporal-port", 7233, "port of the embedded Temporal (0: a free one)")
	flags.IntVar(&f.uiPort, "ui-port", 8233, "port of the Temporal UI (0: a free one)")
	flags.IntVar(&f.httpPort, "http-port", 8080, "port of the gateway (0: a free one); not used in this version")
	flags.StringVar(&f.db, "db", "", "SQLite file or postgres://user:password@host:port/name that keeps Temporal's state (default: in memory)")
	flags.String("metrics-address", "", "host:port of the worker's /metrics, /livez and /readyz, empty for none (default "+config.MetricsAddress+", or a free port)")
	f.metricsAddress = flags.Lookup("metrics-address")
	flags.BoolVar(&f.noWorker, "no-worker", false, "start no worker; other processes are the workers")
}

// metricsOption makes --metrics-address set metrics.address.
func (f *stackFlags) metricsOption() config.Option {
	return config.WithFlag("metrics.address", f.metricsAddress)
}

func (f *stackFlags) check(c *cobra.Command, external bool) error {
	for flag, port := range map[string]int{"temporal-port": f.temporalPort, "ui-port": f.uiPort, "http-port": f.httpPort} {
		if port < 0 || port > 65535 {
			return usage("--%s %d: use 1 to 65535, or 0 for a free port", flag, port)
		}
	}
	for _, flag := range []string{"temporal-port", "ui-port", "db"} {
		if external && isSet(c, flag) {
			return usage("--%s is for the embedded Temporal, and --address (or SEGUE_TEMPORAL_ADDRESS) names another Temporal: leave one of them out", flag)
		}
	}
	return nil
}

// external reports whether --address or SEGUE_TEMPORAL_ADDRESS names a running Temporal.
func (a *app) external() bool {
	return a.flags.address != "" || os.Getenv("SEGUE_TEMPORAL_ADDRESS") != ""
}

// stack is a whole Segue on this machine: Temporal, its namespace, a worker.
type stack struct {
	*session
	ui     string
	server *embedded.Server
	cancel context.CancelFunc
	// worker gives the worker's end; nil without one.
	worker chan error
	// exporter and listener tell the worker's metrics and health, and where.
	exporter *export.Exporter
	listener net.Listener
	// version is what the worker runs as; empty is unversioned.
	version string
}

// up starts a stack, which logs what is at least that important; what it started
// before an error is stopped again.
func (a *app) up(ctx context.Context, f stackFlags, store *config.Store, least slog.Level) (s *stack, err error) {
	s = &stack{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.down())
		}
	}()
	settings := host.Settings(store.Current()).WithDefaults()
	if !a.external() {
		if s.server, err = a.embed(ctx, f, settings, store.Current().Log.Level); err != nil {
			return s, err
		}
		settings.Address, s.ui = s.server.Address, s.server.UI
	}
	if store.Current().Log.Level == "debug" {
		least = slog.LevelDebug
	}
	log := a.log(least)
	if s.exporter, err = export.New(log); err != nil {
		return s, err
	}
	measure, err := s.exporter.Plugin()
	if err != nil {
		return s, err
	}
	if s.session, err = dial(ctx, settings, log, measure); err != nil {
		return s, err
	}
	s.Priority = priorities(store.Current)
	if _, err = connect.Setup(ctx, s.Temporal, settings.Namespace, 0); err != nil {
		return s, err
	}
	if f.noWorker {
		return s, nil
	}
	if s.listener, err = host.Listen(store.Current().Metrics.Address); err != nil {
		return s, err
	}
	s.work(store, log)
	return s, nil
}

// metrics is the URL of the worker's metrics; empty where there is none.
func (s *stack) metrics() string {
	if s.listener == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String() + "/metrics"
}

// embed starts the embedded Temporal. What that logs concerns nobody, unless they
// ask for it: if it dies, its last words are in the error.
func (a *app) embed(ctx context.Context, f stackFlags, settings connect.Settings, level string) (*embedded.Server, error) {
	options := embedded.Options{
		Port: f.temporalPort, UIPort: f.uiPort, DB: f.db, Namespace: settings.Namespace,
		SearchAttributes: connect.SearchAttributeTypes(),
		Progress:         func(text string) { fmt.Fprintln(a.errs, text) },
	}
	if level == "debug" {
		options.Log, options.LogLevel = a.errs, "info"
	}
	server, err := embedded.Start(ctx, options)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return server, err
}

// work runs the worker beside everything else. It has a context of its own, so
// that it is stopped in its turn.
func (s *stack) work(store *config.Store, log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.worker = cancel, make(chan error, 1)
	s.version = host.Version(store.Current().Temporal)
	go func() {
		s.worker <- host.Run(ctx, host.Options{
			Client: s.Temporal, Namespace: s.settings.Namespace, TaskQueue: s.TaskQueue, Config: store, Log: log,
			Allow: []string{"127.0.0.0/8", "::1"}, Metrics: s.exporter, Listener: s.listener,
		})
	}()
}

// wait lasts until the context ends, which is no error, or something of the stack
// ends by itself, which is one.
func (s *stack) wait(ctx context.Context) error {
	var ended <-chan struct{}
	if s.server != nil {
		ended = s.server.Done()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.worker:
		s.worker <- nil // down asks again
		return errors.Join(errors.New("the worker ended"), err)
	case <-ended:
		return s.server.Err()
	}
}

// down stops what runs, in order: the worker finishes what it is at, then the
// connection goes, then Temporal.
func (s *stack) down() error {
	var errs []error
	if s.worker != nil {
		s.cancel()
		errs = append(errs, <-s.worker)
	}
	if s.session != nil {
		s.session.close()
	}
	if s.server != nil {
		errs = append(errs, s.server.Stop())
	}
	return errors.Join(errs...)
}
