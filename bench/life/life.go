package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	sdkclient "go.temporal.io/sdk/client"

	"segue/bench"
	"segue/client"
	"segue/contract"
)

const contactCenter = "bench"

// life is one run of a scenario.
type life struct {
	scenario
	client     *client.Client
	temporal   sdkclient.Client
	receiver   *receiver
	workflowID string
}

// runScenario runs one scenario on a new server, up to the interaction's end.
func runScenario(ctx context.Context, s scenario) (report, error) {
	r := openReceiver()
	defer r.Close()
	segue, err := bench.Start(ctx, fmt.Sprintf(`
calls:
  - name: probe
    method: POST
    url: %s
    json: {number: "${event.p1}", sequence: "${event.sequence}", fill: "${event.p2}"}
    retry: {schedule: [1s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s, 5s]}
triggers:
  - {when: script_signal, call: probe}
timeouts: {default: {lifetime: 0s, late_events: 0s, queue: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, r.URL))
	if err != nil {
		return report{}, err
	}
	segue.Client.Patience = time.Hour // retries as long as the interaction answers Overloaded
	l := &life{
		scenario: s, client: segue.Client, temporal: segue.Client.Temporal, receiver: r,
		workflowID: contract.InteractionWorkflowID(contactCenter, s.Name),
	}
	got, err := l.measure(ctx)
	return got, errors.Join(err, segue.Stop())
}

func (l *life) measure(ctx context.Context) (report, error) {
	got := report{Scenario: l.Name, Commands: l.Commands, Batch: l.Batch}
	start := map[string]any{"channel": "inbound", "contact_center": contactCenter, "id": l.Name}
	options := sdkclient.StartWorkflowOptions{ID: l.workflowID, TaskQueue: l.client.TaskQueue}
	if _, err := l.temporal.ExecuteWorkflow(ctx, options, contract.WorkflowInteraction, start); err != nil {
		return got, err
	}
	l.receiver.down.Store(l.Down)
	var taken atomic.Int64
	stopHeap := got.watchHeap(ctx, &taken, l.Commands)
	stopProgress := l.printProgress(ctx, &taken)
	defer stopProgress()
	begin := time.Now()
	if err := l.send(ctx, &taken); err != nil {
		return got, err
	}
	got.TakenIn = time.Since(begin).Seconds()
	l.receiver.down.Store(false)
	if err := l.awaitArrivals(ctx); err != nil {
		return got, err
	}
	got.DeliveredIn = time.Since(begin).Seconds()
	stopHeap()
	status, err := l.end(ctx)
	if err != nil {
		return got, err
	}
	got.Rejected, got.Duplicates = status.RejectedCount, status.Duplicates
	got.tally = l.receiver.counts()
	got.Lost = l.Commands - l.receiver.commands()
	got.Interaction, err = l.readHistories(ctx, contract.WorkflowInteraction)
	if err == nil {
		got.Lane, err = l.readHistories(ctx, contract.WorkflowDelivery)
	}
	return got, err
}

// end ends the interaction and returns its last state.
func (l *life) end(ctx context.Context) (contract.State, error) {
	var status contract.State
	if err := l.temporal.SignalWorkflow(ctx, l.workflowID, "", "abandon", map[string]any{}); err != nil {
		return status, err
	}
	return status, l.temporal.GetWorkflow(ctx, l.workflowID, "").Get(ctx, &status)
}

// printProgress prints every 10 s how many commands Temporal has taken and how many deliveries have arrived. The
// returned function ends it.
func (l *life) printProgress(ctx context.Context, taken *atomic.Int64) func() {
	return repeat(ctx, 10*time.Second, func() bool {
		fmt.Fprintf(os.Stderr, "%s: %d of %d taken, %d arrived\n", l.Name, taken.Load(), l.Commands, l.receiver.counts().Arrived)
		return true
	})
}

// watchHeap measures the live heap of the process each time Temporal has taken another quarter of the commands. The
// returned function ends it and waits until it has ended.
func (got *report) watchHeap(ctx context.Context, taken *atomic.Int64, commands int) func() {
	quarter := 0
	return repeat(ctx, 20*time.Millisecond, func() bool {
		for ; quarter <= 4 && taken.Load() >= int64(commands*quarter/4); quarter++ {
			got.HeapMiB = append(got.HeapMiB, heap())
		}
		return quarter <= 4
	})
}

// repeat calls do regularly as long as it returns true. The returned function ends that and waits until it has ended.
func repeat(ctx context.Context, every time.Duration, do func() bool) func() {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if !do() {
					return
				}
			}
		}
	}()
	return func() {
		stop()
		<-done
	}
}

func heap() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc) / (1 << 20)
}
