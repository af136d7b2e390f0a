package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"

	"segue/config"
	"segue/connect"
	"segue/delivery"
	"segue/metrics/export"
	"segue/worker/host"
	"segue/workflows"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	stdlog.SetOutput(delivery.Quiet(os.Stderr))
	err := run(ctx, os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	flags, err := parse(arguments)
	if err != nil {
		return err
	}
	if address := flags.Lookup("probe").Value.String(); address != "" {
		return probe(ctx, address)
	}
	store, err := configuration(flags)
	if err != nil {
		return err
	}
	set := store.Current()
	log, level, err := host.Logger(os.Stderr, set.Log)
	if err != nil {
		return fmt.Errorf("log.level: %w", err)
	}
	exporter, listener, err := openMetrics(set.Metrics, log)
	if err != nil {
		return err
	}
	plugins, err := plugins(exporter)
	if err != nil {
		return err
	}
	settings := host.Settings(set).WithDefaults()
	temporal, err := connect.Dial(ctx, settings, log, plugins...)
	if err != nil {
		return err
	}
	defer temporal.Close()
	if err := checkNamespace(ctx, temporal, settings.Namespace); err != nil {
		return err
	}
	log.Info("worker started", "address", settings.Address, "namespace", settings.Namespace, "task_queue", settings.TaskQueue,
		"version", cmp.Or(host.Version(set.Temporal), "unversioned"), "configuration", set.Version)
	return host.Run(ctx, host.Options{
		Client: temporal, Namespace: settings.Namespace, TaskQueue: settings.TaskQueue, Config: store, Log: log, Level: level,
		Reload: hangups(ctx), Metrics: exporter, Listener: listener,
	})
}

// openMetrics returns the exporter of metrics, and the listener on which the process serves metrics and health; the
// listener is nil if metrics.address is empty.
func openMetrics(settings config.Metrics, log *slog.Logger) (*export.Exporter, net.Listener, error) {
	exporter, err := export.New(log)
	if err != nil {
		return nil, nil, err
	}
	listener, err := host.Listen(settings.Address)
	if err != nil {
		return nil, nil, err
	}
	if listener == nil {
		log.Info("metrics and health are not served: metrics.address is empty")
		return exporter, nil, nil
	}
	address := listener.Addr().String()
	if settings.Address == config.MetricsAddress && address != settings.Address {
		log.Warn("metrics.address is in use, using another port", "in_use", settings.Address)
	}
	log.Info("serving metrics and health", "address", address)
	return exporter, listener, nil
}

// plugins returns the plugins that the client and its worker need.
func plugins(exporter *export.Exporter) ([]client.Plugin, error) {
	order, err := workflows.NewPlugin()
	if err != nil {
		return nil, err
	}
	measure, err := exporter.Plugin()
	if err != nil {
		return nil, err
	}
	return []client.Plugin{order, measure}, nil
}

// hangups receives SIGHUP, with which an operator reloads the configuration.
func hangups(ctx context.Context) <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(signals) })
	return signals
}

func parse(arguments []string) (*pflag.FlagSet, error) {
	flags := pflag.NewFlagSet("worker", pflag.ContinueOnError)
	flags.String("config", os.Getenv("SEGUE_CONFIG"), "configuration file")
	flags.String("address", "", "Temporal's host:port (default 127.0.0.1:7233)")
	flags.String("namespace", "", "Temporal namespace (default default)")
	flags.String("task-queue", "", "task queue to poll (default segue)")
	flags.String("metrics-address", "", "host:port of /metrics, /livez and /readyz, empty for none (default "+config.MetricsAddress+")")
	flags.String("probe", "", "check whether the worker at this host:port is ready, and exit with status 0 or 1")
	flags.String("deployment", "", "deployment of a versioned worker (default segue)")
	flags.String("build-id", "", "version to run as (default: unversioned)")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q; see --help", flags.Arg(0))
	}
	return flags, nil
}

// configuration reads the file and the environment; flags override both.
func configuration(flags *pflag.FlagSet) (*config.Store, error) {
	return config.Open(flags.Lookup("config").Value.String(),
		config.WithFlag("temporal.address", flags.Lookup("address")),
		config.WithFlag("temporal.namespace", flags.Lookup("namespace")),
		config.WithFlag("temporal.task_queue", flags.Lookup("task-queue")),
		config.WithFlag("temporal.deployment", flags.Lookup("deployment")),
		config.WithFlag("temporal.build_id", flags.Lookup("build-id")),
		config.WithFlag("metrics.address", flags.Lookup("metrics-address")))
}

// checkNamespace returns an error if the namespace lacks search attributes, without which every workflow task would fail.
func checkNamespace(ctx context.Context, temporal client.Client, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	missing, err := connect.Missing(ctx, temporal, namespace)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("namespace %s lacks the search attributes %s; run: segue setup --namespace %s",
			cmp.Or(namespace, "default"), strings.Join(missing, ", "), namespace)
	}
	return nil
}
