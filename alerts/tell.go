package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"

	"segue/contract"
)

const (
	// tellWithin bounds one telling.
	tellWithin = 5 * time.Second
	// tellAtOnce is how many calls are told of at once.
	tellAtOnce = 8
)

// run tells what is due until the watch is closed.
func (w *Reporter) run(ctx context.Context) {
	defer close(w.stopped)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
		if until := w.tellAll(ctx); !until.IsZero() {
			timer.Reset(time.Until(until))
		}
	}
}

// tellAll tells what is due, and when there is more.
func (w *Reporter) tellAll(ctx context.Context) (until time.Time) {
	grace := w.grace()
	due := map[string]contract.HealthReport{}
	w.mu.Lock()
	for call, r := range w.receivers {
		telling, isDue, _ := r.telling(time.Now(), grace)
		if isDue {
			due[call] = telling
		}
	}
	w.mu.Unlock()
	var group errgroup.Group
	group.SetLimit(tellAtOnce)
	for call, telling := range due {
		group.Go(func() error {
			w.noted(call, telling, w.tell(ctx, call, telling))
			return nil
		})
	}
	_ = group.Wait() // each has noted its own error
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.receivers {
		if _, _, next := r.telling(time.Now(), grace); !next.IsZero() && (until.IsZero() || next.Before(until)) {
			until = next
		}
	}
	return until
}

func (w *Reporter) noted(call string, telling contract.HealthReport, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.of(call)
	if err == nil {
		r.took(telling, time.Now())
		return
	}
	in := r.refuse(time.Now())
	w.options.Log.Warn("telling operators' workflow of a receiver failed, it is tried again", "call", call, "health", string(telling.Health),
		"parked", telling.Parked, "in", in, "error", err)
}

// tell gives the Receiver workflow of the call a telling, and starts it when there
// is none; that all is well concerns only one that there is.
func (w *Reporter) tell(ctx context.Context, call string, telling contract.HealthReport) error {
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	id := contract.ReceiverWorkflowID(w.options.TaskQueue, call)
	if telling.Health == contract.HealthDelivered && telling.Parked == 0 {
		err := w.options.Temporal.SignalWorkflow(ctx, id, "", contract.SignalHealth, telling)
		var missing *serviceerror.NotFound
		if err != nil && !errors.As(err, &missing) {
			return fmt.Errorf("signaling %s: %w", id, err)
		}
		return nil
	}
	options := client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                w.options.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "receiver of " + call,
		TypedSearchAttributes:    temporal.NewSearchAttributes(contract.AttributeCall.ValueSet(call)),
	}
	start := contract.ReceiverStart{Call: call}
	if _, err := w.options.Temporal.SignalWithStartWorkflow(ctx, id, contract.SignalHealth, telling, options, contract.WorkflowReceiver, start); err != nil {
		return fmt.Errorf("signaling or starting %s: %w", id, err)
	}
	return nil
}
