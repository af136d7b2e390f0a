package main

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/bench"
)

// The two baselines, by how the handler of the update sends the POST.
const (
	bareLocal    = "a local activity"
	bareActivity = "an activity"
)

// Bare is the least code that does the job: a workflow with an update that sends a POST and returns.
func Bare(ctx workflow.Context, kind string) error {
	post := func(ctx workflow.Context, url string) error {
		if kind == bareLocal {
			ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 10 * time.Second})
			return workflow.ExecuteLocalActivity(ctx, bench.Post, url).Get(ctx, nil)
		}
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
		return workflow.ExecuteActivity(ctx, bench.Post, url).Get(ctx, nil)
	}
	if err := workflow.SetUpdateHandler(ctx, "post", post); err != nil {
		return err
	}
	workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
	return nil
}
