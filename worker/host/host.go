package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"segue/activities"
	"segue/config"
	"segue/delivery"
	"segue/workflows"
)

// stopTimeout is how long a stopping worker lets activities finish: longer than
// the usual call's timeout, shorter than what orchestrators give before they kill.
const stopTimeout = 20 * time.Second

// activitySlots is how many activities run at once. The sender shares them among the
// calls, so that receivers that hang leave some to the others.
const activitySlots = 1000

// Options are what a worker needs.
type Options struct {
	// Client is connected to the namespace and was given workflows.NewPlugin.
	Client    client.Client
	TaskQueue string
	Config    *config.Store
	Log       *slog.Logger
}

// Run works until the context ends, then stops: no new task is taken, what is
// being sent is let finish.
func Run(ctx context.Context, options Options) error {
	guard, err := delivery.NewGuard(options.Config.Current().Guard.Allow)
	if err != nil {
		return fmt.Errorf("worker: guard.allow: %w", err)
	}
	sender := delivery.New(delivery.Options{Guard: guard, Slots: activitySlots, Log: options.Log})
	fatal := make(chan error, 1)
	work := sdkworker.New(options.Client, options.TaskQueue, workerOptions(fatal))
	workflows.Register(work)
	(&activities.Activities{
		Config:    options.Config.Current,
		Sender:    sender,
		Temporal:  options.Client,
		TaskQueue: options.TaskQueue,
	}).Register(work)

	if err := work.Start(); err != nil {
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
	return errors.Join(err, sender.Close(closing))
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
		MaxConcurrentActivityExecutionSize:     activitySlots,
	}
}
