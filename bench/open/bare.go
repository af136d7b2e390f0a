package main

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/bench/lab"
)

// Bare receives signals and POSTs for each, until one says that it ends.
func Bare(ctx workflow.Context, url string) error {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 10 * time.Second})
	commands := workflow.GetSignalChannel(ctx, "command")
	state := map[string]any{}
	for {
		var payload map[string]any
		commands.Receive(ctx, &payload)
		for key, value := range payload {
			state[key] = value
		}
		if err := workflow.ExecuteLocalActivity(ctx, lab.Post, url).Get(ctx, nil); err != nil {
			return err
		}
		if state["end"] == true {
			return nil
		}
	}
}
