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
	"segue/bus"
	"segue/config"
	"segue/connect"
	"segue/contract"
	"segue/delivery"
	"segue/metrics"
	"segue/metrics/export"
	"segue/recovery"
	"segue/workflows"
)

// stopTimeout is how long a stopping worker waits for its activities: longer than the usual
// timeout of a call, shorter than the time that orchestrators allow before they kill.
const stopTimeout = 20 * time.Second

// activitySlots is how many activities run at once. The sender divides them among the
// calls, so that hanging receivers do not take all of them.
const activitySlots = 1000

// Options are what a worker needs.
type Options struct {
	// Client is connected to the namespace and has the plugin of workflows.NewPlugin.
	Client    client.Client
	Namespace string
	TaskQueue string
	Config    *config.Store
	Log       *slog.Logger
	// Allow lists what calls may reach besides what the configuration allows.
	Allow []string
	// Level is set to the configuration's log.level; nil for a log with a fixed level.
	Level *slog.LevelVar
	// Reload makes the process reload the configuration at once; nil for never. It reloads
	// also when the file has changed.
	Reload <-chan os.Signal
	// Metrics are served on Listener, with the health; nothing is served if either is nil.
	Metrics  *export.Exporter
	Listener net.Listener
	// Bus gets reports on the receivers of the calls; nil for none.
	Bus *bus.Conn
}

func (o Options) servesMetrics() bool { return o.Listener != nil && o.Metrics != nil }

func (o Options) instruments() *metrics.Instruments {
	if o.Metrics == nil {
		return nil
	}
	return o.Metrics.Instruments
}

// Run runs the worker until the context ends, then stops it: it takes no new tasks, and
// requests in flight finish. Run fails if the worker cannot be started or cannot poll.
func Run(ctx context.Context, options Options) error {
	guard, err := guardOf(options.Config.Current().Guard, options.Allow)
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	sender := delivery.New(delivery.Options{Guard: guard, Slots: activitySlots, Log: options.Log, Metrics: options.instruments()})
	fatal := make(chan error, 1)
	reporter := alerts.New(alerts.Options{
		Temporal: options.Client, TaskQueue: options.TaskQueue, Log: options.Log,
		Rules: func() contract.AlertRules { return options.Config.Current().Alerts },
	})
	set := workerOptions(fatal)
	set.DeploymentOptions = deployment(options.Config.Current().Temporal)
	if options.servesMetrics() {
		set.Identity = surveyorIdentity()
	}
	work := sdkworker.New(options.Client, options.TaskQueue, set)
	workflows.Register(work)
	(&activities.Activities{
		Config:    options.Config.Current,
		Sender:    sender,
		Alerts:    reporter,
		Metrics:   options.instruments(),
		Temporal:  options.Client,
		TaskQueue: options.TaskQueue,
	}).Register(work)
	(&recovery.Activities{Temporal: options.Client}).Register(work)

	// Metrics and health are served until the worker has stopped.
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	health, err := watch(background, options, sender)
	if err != nil {
		end()
		return errors.Join(err, sender.Close(ctx))
	}
	defer health.background.Wait()
	defer end()
	if err := work.Start(); err != nil {
		reporter.Close(ctx)
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
	reporter.Close(closing)
	return errors.Join(err, sender.Close(closing))
}

// NewSender returns a sender like that of a worker with this configuration.
func NewSender(set *config.Set, log *slog.Logger) (*delivery.Sender, error) {
	guard, err := guardOf(set.Guard, nil)
	if err != nil {
		return nil, err
	}
	return delivery.New(delivery.Options{Guard: guard, Log: log}), nil
}

// watch runs everything besides the worker until the context ends: it reloads the
// configuration, and serves metrics and health.
func watch(ctx context.Context, options Options, sender *delivery.Sender) (*health, error) {
	reloader := newReloader(options, sender)
	h := &health{
		reloader: reloader,
		missing: func(ctx context.Context) ([]string, error) {
			return connect.Missing(ctx, options.Client, options.Namespace)
		},
		temporal: TemporalHealth{Namespace: options.Namespace, TaskQueue: options.TaskQueue},
	}
	h.background.Go(func() { reloader.Run(ctx, options.Reload) })
	if options.Bus != nil {
		reports := newReceiverReports(options, sender, options.Bus.PublishReceivers)
		h.background.Go(func() { reports.run(ctx) })
	}
	if !options.servesMetrics() {
		return h, nil
	}
	survey := newSurveyor(options)
	if err := options.Metrics.Observe(sources(options.Config, sender, survey, h)); err != nil {
		return nil, err
	}
	h.background.Go(func() { h.run(ctx) })
	h.background.Go(func() { survey.run(ctx) })
	h.background.Go(func() { serve(ctx, options.Listener, handler(options.Metrics.Handler(), h.status), options.Log) })
	return h, nil
}

// sources returns where the gauges read their values.
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
			c := h.reloader.Status()
			return metrics.Configuration{
				Version: c.Version, LoadedAt: c.LoadedAt, OK: c.IsGood(),
				MissingSecrets: len(c.MissingSecrets), RestartsNeeded: len(c.NeedsRestart),
			}
		},
		Ready: func() bool { return h.status().Ready },
	}
}

// workflowPollers is how many polls for workflow tasks wait at Temporal. A task that finds
// none waiting is written to the database and read again. Pollers whose number follows the load
// lag behind: with 8 to 50 of them, 4 of 6 tasks of an interaction found none, with 60 fixed
// ones 0.5. Idle polls cost a request a minute each; a frontend of Temporal accepts 1,200 of a
// namespace by default.
const workflowPollers = 60

// workerOptions returns the options of the SDK's worker. They differ from the defaults where
// these are known to be too low: two pollers of each kind, and heartbeats that are sent only
// after 80 % of their timeout, so that deliveries of a killed worker would be sent again.
//
// The first task of an interaction that waited for a worker may have 10,000 signals. A slow
// machine needs more than a second to apply them; by default, the SDK takes the task for
// deadlocked then and fails it, again and again.
//
// Errors that make polling impossible, such as a deleted namespace, go to fatal.
func workerOptions(fatal chan<- error) sdkworker.Options {
	return sdkworker.Options{
		WorkflowTaskPollerBehavior: sdkworker.NewPollerBehaviorSimpleMaximum(sdkworker.PollerBehaviorSimpleMaximumOptions{
			MaximumNumberOfPollers: workflowPollers,
		}),
		ActivityTaskPollerBehavior: sdkworker.NewPollerBehaviorAutoscaling(sdkworker.PollerBehaviorAutoscalingOptions{
			InitialNumberOfPollers: 8, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: 50,
		}),
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
