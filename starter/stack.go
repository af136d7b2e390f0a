package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"segue/config"
	"segue/embedded"
	"segue/worker/host"
	"segue/worker/local"
)

// stackFlags are the flags of the commands that start Segue on this machine.
type stackFlags struct {
	temporalPort, uiPort, httpPort int
	db                             string
	noWorker                       bool
	metricsAddress                 *pflag.Flag
	// options are those of config, for the demo, which makes its configuration later.
	options []config.Option
}

func (f *stackFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.IntVar(&f.temporalPort, "temporal-port", 7233, "port of the embedded Temporal (0: a free one)")
	flags.IntVar(&f.uiPort, "ui-port", 8233, "port of the Temporal UI (0: a free one)")
	flags.IntVar(&f.httpPort, "http-port", 8080, "port of the gateway (0: a free one; default: that of gateway.address)")
	flags.StringVar(&f.db, "db", "", "SQLite file or postgres://user:password@host:port/name that keeps Temporal's state (default: a temporary database)")
	flags.String("metrics-address", "", "host:port of the worker's /metrics, /livez and /readyz, empty for none (default "+config.MetricsAddress+", or a free port)")
	f.metricsAddress = flags.Lookup("metrics-address")
	flags.BoolVar(&f.noWorker, "no-worker", false, "start no worker; other processes are the workers")
}

// config returns the options with which --metrics-address sets metrics.address, and --http-port the port of the gateway.
func (f *stackFlags) config(c *cobra.Command) []config.Option {
	options := []config.Option{config.WithFlag("metrics.address", f.metricsAddress)}
	if isSet(c, "http-port") {
		options = append(options, config.WithValue("gateway.address", net.JoinHostPort("127.0.0.1", strconv.Itoa(f.httpPort))))
	}
	return options
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

// stack is Segue on this machine, with the session that the other commands use.
type stack struct {
	*session
	segue   *local.Segue
	gateway *inside
	// worker is nil with --no-worker.
	worker *local.Worker
}

// startStack starts Temporal, unless --address names a running one, a gateway and a worker. It logs from level least up, and
// debug messages if log.level of the configuration is debug.
func (a *app) startStack(ctx context.Context, f stackFlags, store *config.Store, least slog.Level) (*stack, error) {
	server := embedded.Options{
		Port: f.temporalPort, UIPort: f.uiPort, DB: f.db,
		Progress: func(text string) { fmt.Fprintln(a.errs, text) },
	}
	if store.Current().Log.Level == "debug" {
		least = slog.LevelDebug
		// Without this the server's log is dropped, except for its last lines in the error of a server that ends.
		server.Log, server.LogLevel = a.errs, "info"
	}
	settings := host.Settings(store.Current())
	if !a.external() {
		settings.Address = "" // an embedded Temporal
	}
	log := a.log(least)
	own, err := openInside(store.Current(), log) // before Temporal, whose start takes longer than to find a port in use
	if err != nil {
		return nil, err
	}
	segue, err := local.Start(ctx, local.Options{Settings: settings, Server: server, Metrics: true, Notices: own.publisher, Log: log})
	if err != nil {
		return nil, errors.Join(err, own.end(), own.close(context.WithoutCancel(ctx)))
	}
	segue.Client.Priority = priorities(store.Current)
	s := &stack{session: &session{Client: segue.Client, settings: segue.Settings}, segue: segue, gateway: own}
	if !f.noWorker {
		s.worker, err = segue.StartWorker(local.WorkerOptions{Config: store, Allow: ownMachine, Bus: own.bus.Conn})
	}
	if err == nil {
		err = own.begin(store, segue.Client, segue.Settings, segue.Exporter(), f.noWorker, log)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// ui returns the URL of the embedded Temporal's UI, or "" without one.
func (s *stack) ui() string {
	if s.segue.Server == nil {
		return ""
	}
	return s.segue.Server.UI
}

// metrics returns the URL of the worker's metrics, or "" without any.
func (s *stack) metrics() string {
	if s.worker == nil {
		return ""
	}
	return s.worker.MetricsURL()
}

// version returns the version of the worker, or "" for an unversioned one.
func (s *stack) version() string {
	if s.worker == nil {
		return ""
	}
	return s.worker.Version
}
