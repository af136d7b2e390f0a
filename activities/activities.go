package activities

import (
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"segue/alerts"
	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/metrics"
)

// Activities are the activities of one worker process.
type Activities struct {
	// Config gives the configuration in force; it is asked once for each activity,
	// so that one event is dispatched with one configuration.
	Config func() *config.Set
	// Sender is shared by all workers of the process: its memory of what is under
	// way is what keeps a repeat from being sent again.
	Sender *delivery.Sender
	// Alerts is told what comes of attempts; nil is told nothing.
	Alerts *alerts.Reporter
	// Metrics hear of what is dispatched; nil is nobody.
	Metrics *metrics.Instruments
	// Temporal appends to Delivery workflows.
	Temporal client.Client
	// TaskQueue is where Delivery workflows run; empty is the activity's own.
	TaskQueue string
}

// Register makes the activities known under the names of package contract.
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
