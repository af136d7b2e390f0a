package main

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/bench/lab"
)

// The two baselines, by how the update's handler reaches the receiver.
const (
	bareLocal    = "a local activity"
	bareActivity = "an activity"
)

// Bare is the least that does the job: an update that POSTs and answers.
func Bare(ctx workflow.Context, way string) error {
	post := func(ctx workflow.Context, url string) error {
		if way == bareLocal {
			ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 10 * time.Second})
			return workflow.ExecuteLocalActivity(ctx, lab.Post, url).Get(ctx, nil)
		}
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
		return workflow.ExecuteActivity(ctx, lab.Post, url).Get(ctx, nil)
	}
	if err := workflow.SetUpdateHandler(ctx, "post", post); err != nil {
		return err
	}
	workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
	return nil
}
