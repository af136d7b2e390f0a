package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"segue/activities"
	"segue/alerts"
	"segue/config"
	"segue/delivery"
	"segue/dispatch"
	"segue/workflows"
)

// stopTimeout is how long a stopping worker lets activities finish: longer than
// the usual call's timeout, shorter than what orchestrators give before they kill.
const stopTimeout = 20 * time.Second

// Options are what a worker needs.
type Options struct {
	// Client is connected to the namespace and was given workflows.NewPlugin.
	Client    client.Client
	TaskQueue string
	Config    *config.Store
	Log       *slog.Logger
	// Allow lists what calls may reach beside what the configuration allows.
	Allow []string
}

// Run works until the context ends, then stops: no new task is taken, what is
// being sent is let finish.
func Run(ctx context.Context, options Options) error {
	sender, err := NewSender(options.Config.Current(), options.Log, options.Allow...)
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	fatal := make(chan error, 1)
	watch := alerts.New(alerts.Options{
		Temporal: options.Client, TaskQueue: options.TaskQueue, Log: options.Log,
		Rules: func() dispatch.AlertRules { return options.Config.Current().Alerts },
	})
	set := workerOptions(fatal)
	set.DeploymentOptions = deployment(options.Config.Current().Temporal)
	work := sdkworker.New(options.Client, options.TaskQueue, set)
	workflows.Register(work)
	(&activities.Activities{
		Config:    options.Config.Current,
		Sender:    sender,
		Alerts:    watch,
		Temporal:  options.Client,
		TaskQueue: options.TaskQueue,
	}).Register(work)

	if err := work.Start(); err != nil {
		watch.Close(ctx)
		return fmt.Errorf("worker on task queue %s: %w", options.TaskQueue, err)
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-fatal:
	}
	work.Stop()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	watch.Close(closing)
	return errors.Join(err, sender.Close(closing))
}

// NewSender is a sender as a worker of this configuration has it; also lists what may
// be reached beside what the configuration allows.
func NewSender(set *config.Set, log *slog.Logger, also ...string) (*delivery.Sender, error) {
	guard, err := delivery.NewGuard(slices.Concat(set.Guard.Allow, also))
	if err != nil {
		return nil, err
	}
	if guard, err = guard.Through(set.Guard.Proxy); err != nil {
		return nil, err
	}
	return delivery.New(delivery.Options{Guard: guard, Log: log}), nil
}

// workerOptions differ from the SDK's defaults where these are known to hold a
// worker back: two pollers of each kind, and heartbeats that are told at 80 % of
// their timeout, so that a killed worker's deliveries would be sent again.
//
// What makes polling impossible, such as a namespace that is gone, goes to fatal.
func workerOptions(fatal chan<- error) sdkworker.Options {
	pollers := sdkworker.NewPollerBehaviorAutoscaling(sdkworker.PollerBehaviorAutoscalingOptions{
		InitialNumberOfPollers: 8, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: 50,
	})
	return sdkworker.Options{
		WorkflowTaskPollerBehavior:   pollers,
		ActivityTaskPollerBehavior:   pollers,
		MaxHeartbeatThrottleInterval: 50 * time.Millisecond,
		OnFatalError: func(err error) {
			select {
			case fatal <- fmt.Errorf("worker: %w", err):
			default: // the first one is enough
			}
		},
		WorkerStopTimeout:                      stopTimeout,
		MaxConcurrentWorkflowTaskExecutionSize: 200,
	}
}
