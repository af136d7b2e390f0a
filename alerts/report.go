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
	// reportTimeout bounds one report.
	reportTimeout = 5 * time.Second
	// maxConcurrentReports is how many calls are reported at the same time.
	maxConcurrentReports = 8
)

// run sends the reports that are due, until the reporter is closed.
func (r *Reporter) run(ctx context.Context) {
	defer close(r.stopped)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		case <-timer.C:
		}
		if next := r.sendDue(ctx); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// sendDue sends the reports that are due, and returns when to look again; zero if only
// another attempt can make a report due.
func (r *Reporter) sendDue(ctx context.Context) (next time.Time) {
	grace := r.grace()
	due := map[string]contract.HealthReport{}
	r.mu.Lock()
	for call, receiver := range r.receivers {
		if report, isDue, _ := receiver.report(time.Now(), grace); isDue {
			due[call] = report
		}
	}
	r.mu.Unlock()
	var group errgroup.Group
	group.SetLimit(maxConcurrentReports)
	for call, report := range due {
		group.Go(func() error {
			r.recordResult(call, report, r.send(ctx, call, report))
			return nil
		})
	}
	_ = group.Wait() // each has recorded its own error
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, receiver := range r.receivers {
		if _, _, at := receiver.report(time.Now(), grace); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

func (r *Reporter) recordResult(call string, report contract.HealthReport, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	receiver := r.receiverOf(call)
	if err == nil {
		receiver.accepted(report, time.Now())
		return
	}
	in := receiver.rejected(time.Now())
	r.options.Log.Warn("reporting a receiver to its workflow failed, it is retried", "call", call, "health", string(report.Health),
		"parked", report.Parked, "in", in, "error", err)
}

// send signals a report to the Receiver workflow of the call, and starts the workflow if
// there is none. A report that says only that the receiver delivers starts none.
func (r *Reporter) send(ctx context.Context, call string, report contract.HealthReport) error {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	id := contract.ReceiverWorkflowID(r.options.TaskQueue, call)
	if report.Health == contract.HealthDelivered && report.Parked == 0 {
		err := r.options.Temporal.SignalWorkflow(ctx, id, "", contract.SignalHealth, report)
		var missing *serviceerror.NotFound
		if err != nil && !errors.As(err, &missing) {
			return fmt.Errorf("signaling %s: %w", id, err)
		}
		return nil
	}
	options := client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                r.options.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "receiver of " + call,
		TypedSearchAttributes:    temporal.NewSearchAttributes(contract.AttributeCall.ValueSet(call)),
	}
	start := contract.ReceiverStart{Call: call}
	if _, err := r.options.Temporal.SignalWithStartWorkflow(ctx, id, contract.SignalHealth, report, options, contract.WorkflowReceiver, start); err != nil {
		return fmt.Errorf("signaling or starting %s: %w", id, err)
	}
	return nil
}
