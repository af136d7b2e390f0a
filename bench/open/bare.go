package main

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/bench"
)

// Bare sends a POST for each signal that it receives, until one has the key "end".
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
		if err := workflow.ExecuteLocalActivity(ctx, bench.Post, url).Get(ctx, nil); err != nil {
			return err
		}
		if state["end"] == true {
			return nil
		}
	}
}
