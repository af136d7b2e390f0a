package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"segue/activities"
	"segue/alerts"
	"segue/config"
	"segue/connect"
	"segue/contract"
	"segue/delivery"
	"segue/metrics"
	"segue/metrics/export"
	"segue/recovery"
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
	Namespace string
	TaskQueue string
	Config    *config.Store
	Log       *slog.Logger
	// Allow lists what calls may reach beside what the configuration allows.
	Allow []string
	// Level follows the configuration's log.level; nil for a log that does not.
	Level *slog.LevelVar
	// Reload asks for the configuration to be read again at once, besides whenever its
	// file has changed; nil for never.
	Reload <-chan os.Signal
	// Metrics and Listener are what is told, and where; nil for nothing and nowhere.
	Metrics  *export.Exporter
	Listener net.Listener
}

func (o Options) showsMetrics() bool { return o.Listener != nil && o.Metrics != nil }

func (o Options) instruments() *metrics.Instruments {
	if o.Metrics == nil {
		return nil
	}
	return o.Metrics.Instruments
}

// Run works until the context ends, then stops: no new task is taken, what is
// being sent is let finish.
func Run(ctx context.Context, options Options) error {
	guard, err := guardOf(options.Config.Current().Guard, options.Allow)
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	sender := delivery.New(delivery.Options{Guard: guard, Slots: activitySlots, Log: options.Log, Metrics: options.instruments()})
	fatal := make(chan error, 1)
	trouble := alerts.New(alerts.Options{
		Temporal: options.Client, TaskQueue: options.TaskQueue, Log: options.Log,
		Rules: func() contract.AlertRules { return options.Config.Current().Alerts },
	})
	set := workerOptions(fatal)
	set.DeploymentOptions = deployment(options.Config.Current().Temporal)
	if options.showsMetrics() {
		set.Identity = surveyorIdentity()
	}
	work := sdkworker.New(options.Client, options.TaskQueue, set)
	workflows.Register(work)
	(&activities.Activities{
		Config:    options.Config.Current,
		Sender:    sender,
		Alerts:    trouble,
		Metrics:   options.instruments(),
		Temporal:  options.Client,
		TaskQueue: options.TaskQueue,
	}).Register(work)
	(&recovery.Activities{Temporal: options.Client}).Register(work)

	// What is told outlasts the work, so that the stopping can be watched, too.
	beside, end := context.WithCancel(context.WithoutCancel(ctx))
	health, err := watch(beside, options, sender)
	if err != nil {
		end()
		return errors.Join(err, sender.Close(ctx))
	}
	defer health.sides.Wait()
	defer end()
	if err := work.Start(); err != nil {
		trouble.Close(ctx)
		return errors.Join(fmt.Errorf("worker on task queue %s: %w", options.TaskQueue, err), sender.Close(ctx))
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-fatal:
	}
	health.stop()
	work.Stop()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	trouble.Close(closing)
	return errors.Join(err, sender.Close(closing))
}

// NewSender is a sender as a worker of this configuration has it.
func NewSender(set *config.Set, log *slog.Logger) (*delivery.Sender, error) {
	guard, err := guardOf(set.Guard, nil)
	if err != nil {
		return nil, err
	}
	return delivery.New(delivery.Options{Guard: guard, Log: log}), nil
}

// watch does everything that goes on beside the work, until the context ends: it
// follows the configuration, and tells how the process is to whoever asks.
func watch(ctx context.Context, options Options, sender *delivery.Sender) (*health, error) {
	reload := newReloader(options, sender)
	h := &health{
		reloader: reload,
		missing: func(ctx context.Context) ([]string, error) {
			return connect.Missing(ctx, options.Client, options.Namespace)
		},
		temporal: TemporalHealth{Namespace: options.Namespace, TaskQueue: options.TaskQueue},
	}
	h.sides.Go(func() { reload.run(ctx, options.Reload) })
	if !options.showsMetrics() {
		return h, nil
	}
	survey := newSurveyor(options)
	if err := options.Metrics.Observe(sources(options.Config, sender, survey, h)); err != nil {
		return nil, err
	}
	h.sides.Go(func() { h.run(ctx) })
	h.sides.Go(func() { survey.run(ctx) })
	h.sides.Go(func() { serve(ctx, options.Listener, handler(options.Metrics.Handler(), h.status), options.Log) })
	return h, nil
}

// sources are what the gauges are looked up in.
func sources(store *config.Store, sender *delivery.Sender, survey *surveyor, h *health) metrics.Sources {
	return metrics.Sources{
		Calls: func() []string {
			var names []string
			for _, c := range store.Current().Calls() {
				names = append(names, c.Name)
			}
			return names
		},
		Receivers: func() []metrics.Receiver {
			var receivers []metrics.Receiver
			for _, c := range store.Current().Calls() {
				receivers = append(receivers, sender.ReceiverState(c.Policy))
			}
			return receivers
		},
		Survey: survey.recent,
		Configuration: func() metrics.Configuration {
			c := h.reloader.status()
			return metrics.Configuration{
				Version: c.Version, LoadedAt: c.LoadedAt, OK: c.isGood(),
				MissingSecrets: len(c.MissingSecrets), RestartsNeeded: len(c.NeedsRestart),
			}
		},
		Ready: func() bool { return h.status().Ready },
	}
}

// workerOptions differ from the SDK's defaults where these are known to hold a
// worker back: two pollers of each kind, and heartbeats that are told at 80 % of
// their timeout, so that a killed worker's deliveries would be sent again.
//
// The first task of an interaction that waited for a worker may bring 10,000 signals,
// which a slow machine applies in more than the second after which the SDK takes a task
// for deadlocked and fails it, again and again.
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
		DeadlockDetectionTimeout:     8 * time.Second, // a workflow task has 10
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
