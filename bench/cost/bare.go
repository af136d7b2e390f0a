package main

import (
	"context"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/bench"
)

// Usual sends a POST for each signal, in an activity.
func Usual(ctx workflow.Context, id, url string) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
	signals := workflow.GetSignalChannel(ctx, "command")
	for range bench.Commands {
		var c bench.BareCommand
		signals.Receive(ctx, &c)
		if err := workflow.ExecuteActivity(ctx, bench.PostActivity, url, c.EventID, bench.BodyOf(id, c)).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// startBareWorker starts a worker of the bare workflows. It has as many pollers as Segue's: with the SDK's default, two,
// interactions wait for their first task, and the comparison is one of settings. The connection is not Segue's, which has a
// plugin.
func startBareWorker(temporal client.Client, queue string) (sdkworker.Worker, error) {
	worker := sdkworker.New(temporal, queue, sdkworker.Options{
		WorkflowTaskPollerBehavior: sdkworker.NewPollerBehaviorSimpleMaximum(sdkworker.PollerBehaviorSimpleMaximumOptions{
			MaximumNumberOfPollers: 60,
		}),
		ActivityTaskPollerBehavior: sdkworker.NewPollerBehaviorAutoscaling(sdkworker.PollerBehaviorAutoscalingOptions{
			InitialNumberOfPollers: 8, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: 50,
		}),
	})
	worker.RegisterWorkflow(bench.Floor)
	worker.RegisterWorkflow(Usual)
	worker.RegisterActivity(bench.NewPoster())
	return worker, worker.Start()
}

// bareContenders returns the contenders without Segue.
func bareContenders(temporal client.Client, url, queue string) []*contender {
	start := func(name string, run any, more ...any) func(context.Context, string) error {
		return func(ctx context.Context, id string) error {
			options := client.StartWorkflowOptions{ID: name + "/" + id, TaskQueue: queue}
			_, err := temporal.ExecuteWorkflow(ctx, options, run, append([]any{id, url}, more...)...)
			return err
		}
	}
	inputOf := func(id string, n int) bench.BareCommand { return bench.Commands[n].BareInput(bench.EventID(id, n)) }
	return []*contender{
		{
			name: floor, start: start(floor, bench.Floor, len(bench.Commands)),
			workflows: func(id string) []string { return []string{floor + "/" + id} },
			send: func(ctx context.Context, id string, n int) error {
				handle, err := temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
					WorkflowID: floor + "/" + id, UpdateName: bench.FloorUpdate, UpdateID: bench.EventID(id, n),
					Args: []any{inputOf(id, n)}, WaitForStage: client.WorkflowUpdateStageCompleted,
				})
				if err != nil {
					return err
				}
				return handle.Get(ctx, nil)
			},
		},
		{
			name: usual, start: start(usual, Usual),
			workflows: func(id string) []string { return []string{usual + "/" + id} },
			send: func(ctx context.Context, id string, n int) error {
				return temporal.SignalWorkflow(ctx, usual+"/"+id, "", "command", inputOf(id, n))
			},
		},
	}
}
