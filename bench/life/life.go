package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"segue/bench/lab"
	"segue/dispatch"
	"segue/interaction"
	"segue/starter/drive"
	"segue/workflows"
)

const contactCenter = "bench"

// life is one scenario at work.
type life struct {
	scenario
	lab        *lab.Lab
	receiver   *receiver
	drive      *drive.Client
	workflowID string
}

// live runs one scenario from a new server to the interaction's end.
func live(ctx context.Context, s scenario) (report, error) {
	r := openReceiver()
	defer r.Close()
	opened, err := lab.Open(ctx, fmt.Sprintf(`
calls:
  - name: probe
    method: POST
    url: %s
    json: {number: "${event.p1}", sequence: "${event.sequence}"}
triggers:
  - {when: script_signal, call: probe}
timeouts: {default: {lifetime: 0s, late_events: 0s, queue: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, r.URL))
	if err != nil {
		return report{}, err
	}
	l := &life{scenario: s, lab: opened, receiver: r, workflowID: dispatch.InteractionWorkflowID(contactCenter, s.Name)}
	l.drive = &drive.Client{Temporal: opened.Client, TaskQueue: lab.TaskQueue, Patience: time.Hour} // Overloaded is to be waited out
	got, err := l.measure(ctx)
	return got, errors.Join(err, opened.Close())
}

func (l *life) measure(ctx context.Context) (report, error) {
	got := report{Scenario: l.Name, Commands: l.Commands, Batch: l.Batch}
	start := map[string]any{"channel": "inbound", "contact_center": contactCenter, "id": l.Name}
	options := client.StartWorkflowOptions{ID: l.workflowID, TaskQueue: lab.TaskQueue}
	if _, err := l.lab.Client.ExecuteWorkflow(ctx, options, workflows.TypeInteraction, start); err != nil {
		return got, err
	}
	var taken atomic.Int64
	stopHeap := got.watchHeap(ctx, &taken, l.Commands)
	begin := time.Now()
	if err := l.send(ctx, &taken); err != nil {
		return got, err
	}
	got.TakenIn = time.Since(begin).Seconds()
	if err := l.settle(ctx); err != nil {
		return got, err
	}
	got.DeliveredIn = time.Since(begin).Seconds()
	stopHeap()
	status, err := l.end(ctx)
	if err != nil {
		return got, err
	}
	got.Runs, got.Rejected, got.Duplicates = status.Runs, status.RejectedCount, status.Duplicates
	got.tally = l.receiver.counts()
	return got, l.readHistories(ctx, &got)
}

// end ends the interaction and returns its last state.
func (l *life) end(ctx context.Context) (interaction.Status, error) {
	var status interaction.Status
	if err := l.lab.Client.SignalWorkflow(ctx, l.workflowID, "", "abandon", map[string]any{}); err != nil {
		return status, err
	}
	return status, l.lab.Client.GetWorkflow(ctx, l.workflowID, "").Get(ctx, &status)
}

// readHistories measures every run of the interaction.
func (l *life) readHistories(ctx context.Context, got *report) error {
	listed, err := l.lab.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("WorkflowId = %q", l.workflowID), PageSize: 1000,
	})
	if err != nil {
		return err
	}
	got.FailedTasks = map[string]int{}
	for _, execution := range listed.GetExecutions() {
		runID := execution.GetExecution().GetRunId()
		description, err := l.lab.Client.DescribeWorkflowExecution(ctx, l.workflowID, runID)
		if err != nil {
			return err
		}
		info := description.GetWorkflowExecutionInfo()
		got.Events += int(info.GetHistoryLength())
		got.LongestEvents = max(got.LongestEvents, int(info.GetHistoryLength()))
		got.LongestBytes = max(got.LongestBytes, int(info.GetHistorySizeBytes()))
		if err := l.countFailedTasks(ctx, runID, got); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) countFailedTasks(ctx context.Context, runID string, got *report) error {
	signals := 0
	pages := l.lab.Client.GetWorkflowHistory(ctx, l.workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for pages.HasNext() {
		event, err := pages.Next()
		if err != nil {
			return err
		}
		switch event.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
			got.FailedTasks[event.GetWorkflowTaskFailedEventAttributes().GetCause().String()]++
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			got.FailedTasks["timeout"]++
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
			signals++
		}
	}
	got.MostSignals = max(got.MostSignals, signals)
	return nil
}

// watchHeap notes the live heap of the worker's process each time another quarter
// of the commands was taken. The returned function ends it and waits for that.
func (got *report) watchHeap(ctx context.Context, taken *atomic.Int64, commands int) func() {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for quarter := 0; quarter <= 4; {
			if taken.Load() >= int64(commands*quarter/4) {
				got.HeapMiB = append(got.HeapMiB, heap())
				quarter++
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
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
