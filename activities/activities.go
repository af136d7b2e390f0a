package activities

import (
	"go.temporal.io/sdk/activity"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"segue/alerts"
	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/metrics"
)

// Activities are the activities of one worker process.
type Activities struct {
	// Config returns the current configuration. Each activity calls it once, so that one
	// event is dispatched with one configuration.
	Config func() *config.Set
	// Sender is shared by all workers of the process: it remembers the requests in flight,
	// so that a repeated activity does not send them again.
	Sender *delivery.Sender
	// Alerts is notified of the outcomes of attempts; nil is notified of nothing.
	Alerts *alerts.Reporter
	// Metrics counts what is dispatched; nil counts nothing.
	Metrics *metrics.Instruments
	// Temporal appends to Delivery workflows, counts them, and reads histories.
	Temporal sdkclient.Client
	// TaskQueue is where Delivery workflows run; empty is the activity's own.
	TaskQueue string
}

// Register registers the activities under their names in package contract.
func (a *Activities) Register(registry worker.ActivityRegistry) {
	for name, do := range map[string]any{
		contract.ActivityDispatch:     a.Dispatch,
		contract.ActivityAttempt:      a.Attempt,
		contract.ActivityHandOver:     a.HandOver,
		contract.ActivityRender:       a.Render,
		contract.ActivityInspect:      a.Inspect,
		contract.ActivityAlert:        a.Alert,
		contract.ActivityCancelReason: a.CancelReason,
	} {
		registry.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: name})
	}
}
