// Command build is a worker of another build than the product's: its workflows have the change that it was linked with.
// Tests of deploys run it.
//
//	go build -ldflags "-X main.change=guarded" ./e2e/build
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"segue/config"
	"segue/connect"
	"segue/e2e/changed"
	"segue/worker/host"
	"segue/workflows"
)

// change is set when the build is linked.
var change string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if change != changed.Guarded && change != changed.Unguarded {
		return fmt.Errorf("linked with the change %q: use -X main.change=%s or %s", change, changed.Guarded, changed.Unguarded)
	}
	store, err := config.Open(os.Getenv("SEGUE_CONFIG"))
	if err != nil {
		return err
	}
	set := store.Current()
	log, _, err := host.Logger(os.Stderr, set.Log)
	if err != nil {
		return fmt.Errorf("log.level: %w", err)
	}
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return err
	}
	another, err := temporal.NewSimplePlugin(temporal.SimplePluginOptions{
		Name: "changed", WorkerInterceptors: []interceptor.WorkerInterceptor{changed.Interceptor(change)},
	})
	if err != nil {
		return err
	}
	settings := host.Settings(set).WithDefaults()
	client, err := connect.Dial(ctx, settings, log, plugin, another)
	if err != nil {
		return err
	}
	defer client.Close()
	return host.Run(ctx, host.Options{Client: client, TaskQueue: settings.TaskQueue, Config: store, Log: log})
}
