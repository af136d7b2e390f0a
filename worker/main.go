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
	stdlog.SetOutput(delivery.RedactStandardLog(os.Stderr))
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
	live, err := host.OpenNotices(set.Bus, log)
	if err != nil {
		return err
	}
	defer live.Close()
	plugins, err := plugins(exporter, live)
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
		Reload: reloadSignals(ctx), Metrics: exporter, Listener: listener,
		Bus: live.Bus(),
	})
}

// openMetrics returns the exporter of the metrics and the listener that serves metrics and health. The listener is nil
// if metrics.address is empty.
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
		log.Info("metrics.address is empty: metrics and health are not served")
		return exporter, nil, nil
	}
	address := listener.Addr().String()
	if settings.Address == config.MetricsAddress && address != settings.Address {
		log.Warn("metrics.address is in use: using a free port", "in_use", settings.Address)
	}
	log.Info("serving metrics and health", "address", address)
	return exporter, listener, nil
}

// plugins returns the plugins of the client and the worker: the order of signals with live notices, and metrics.
func plugins(exporter *export.Exporter, live *host.Notices) ([]client.Plugin, error) {
	var options []workflows.Option
	if live != nil {
		options = append(options, workflows.WithNotices(live))
	}
	order, err := workflows.NewPlugin(options...)
	if err != nil {
		return nil, err
	}
	measure, err := exporter.Plugin()
	if err != nil {
		return nil, err
	}
	return []client.Plugin{order, measure}, nil
}

// reloadSignals receives SIGHUP, which requests a reload of the configuration.
func reloadSignals(ctx context.Context) <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(signals) })
	return signals
}

const help = `Run Segue's workflows and activities on one task queue until SIGTERM or Ctrl-C.

A changed configuration file is reloaded, at once on SIGHUP; an invalid file is logged and changes nothing. On SIGTERM or
Ctrl-C the worker accepts no more work and finishes the requests in flight. Logs go to stderr.

Exit status: 0 stopped, or ready with --probe; 1 failed, or not ready with --probe.

Usage:
  worker [flags]

Examples:
  worker --config segue.yaml
  worker --config segue.yaml --address temporal.internal:7233 --namespace contact-center
  worker --probe 127.0.0.1:9464

Flags (they take precedence over SEGUE_… variables, and these over the file):
`

func parse(arguments []string) (*pflag.FlagSet, error) {
	flags := pflag.NewFlagSet("worker", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.Usage = func() { fmt.Print(help, flags.FlagUsages()) }
	flags.String("config", os.Getenv("SEGUE_CONFIG"), "configuration file (SEGUE_CONFIG)")
	flags.String("address", "", "host:port of Temporal (SEGUE_TEMPORAL_ADDRESS; default 127.0.0.1:7233)")
	flags.String("namespace", "", "Temporal namespace (SEGUE_TEMPORAL_NAMESPACE; default default)")
	flags.String("task-queue", "", "task queue to poll (SEGUE_TEMPORAL_TASK_QUEUE; default segue)")
	flags.String("deployment", "", "deployment of a versioned worker (SEGUE_TEMPORAL_DEPLOYMENT; default segue)")
	flags.String("build-id", "", "version to run as (SEGUE_TEMPORAL_BUILD_ID; default unversioned)")
	flags.String("metrics-address", "", "host:port of /metrics, /livez and /readyz, empty for none (SEGUE_METRICS_ADDRESS; default "+config.MetricsAddress+")")
	flags.String("probe", "", "check whether the worker with this metrics host:port is ready, and exit with status 0 or 1")
	if err := flags.Parse(arguments); errors.Is(err, pflag.ErrHelp) {
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("%w: `worker --help` lists the flags", err)
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: the worker takes only flags; `worker --help` lists them", flags.Arg(0))
	}
	return flags, nil
}

// configuration opens the configuration of the file, the environment and the flags.
func configuration(flags *pflag.FlagSet) (*config.Store, error) {
	return config.Open(flags.Lookup("config").Value.String(),
		config.WithFlag("temporal.address", flags.Lookup("address")),
		config.WithFlag("temporal.namespace", flags.Lookup("namespace")),
		config.WithFlag("temporal.task_queue", flags.Lookup("task-queue")),
		config.WithFlag("temporal.deployment", flags.Lookup("deployment")),
		config.WithFlag("temporal.build_id", flags.Lookup("build-id")),
		config.WithFlag("metrics.address", flags.Lookup("metrics-address")))
}

// checkNamespace returns an error if the namespace lacks search attributes: every workflow task would fail.
func checkNamespace(ctx context.Context, temporal client.Client, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	missing, err := connect.Missing(ctx, temporal, namespace)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("namespace %s lacks the search attributes %s: run `segue setup --namespace %s`",
			cmp.Or(namespace, "default"), strings.Join(missing, ", "), namespace)
	}
	return nil
}
