package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	stdlog "log"
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
	store, err := configuration(arguments)
	if err != nil {
		return err
	}
	set := store.Current()
	log, err := host.Logger(os.Stderr, set.Log)
	if err != nil {
		return fmt.Errorf("log.level: %w", err)
	}
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return err
	}
	settings := host.Settings(set).WithDefaults()
	temporal, err := connect.Dial(ctx, settings, log, plugin)
	if err != nil {
		return err
	}
	defer temporal.Close()
	if err := isPrepared(ctx, temporal, settings.Namespace); err != nil {
		return err
	}
	log.Info("worker started", "address", settings.Address, "namespace", settings.Namespace, "task_queue", settings.TaskQueue,
		"version", cmp.Or(host.Version(set.Temporal), "unversioned"), "configuration", set.Version)
	return host.Run(ctx, host.Options{Client: temporal, TaskQueue: settings.TaskQueue, Config: store, Log: log})
}

// configuration reads the flags, and by them the file and the environment.
func configuration(arguments []string) (*config.Store, error) {
	flags := pflag.NewFlagSet("worker", pflag.ContinueOnError)
	file := flags.String("config", os.Getenv("SEGUE_CONFIG"), "configuration file")
	flags.String("address", "", "Temporal's host:port (default 127.0.0.1:7233)")
	flags.String("namespace", "", "Temporal namespace (default default)")
	flags.String("task-queue", "", "task queue to poll (default segue)")
	flags.String("deployment", "", "deployment of a versioned worker (default segue)")
	flags.String("build-id", "", "version to run as; without one the worker is unversioned")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q; see --help", flags.Arg(0))
	}
	return config.Open(*file,
		config.WithFlag("temporal.address", flags.Lookup("address")),
		config.WithFlag("temporal.namespace", flags.Lookup("namespace")),
		config.WithFlag("temporal.task_queue", flags.Lookup("task-queue")),
		config.WithFlag("temporal.deployment", flags.Lookup("deployment")),
		config.WithFlag("temporal.build_id", flags.Lookup("build-id")))
}

// isPrepared checks for the search attributes, without which every workflow task
// would fail.
func isPrepared(ctx context.Context, temporal client.Client, namespace string) error {
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
