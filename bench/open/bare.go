package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"
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
		if err := workflow.ExecuteLocalActivity(ctx, Post, url).Get(ctx, nil); err != nil {
			return err
		}
		if state["end"] == true {
			return nil
		}
	}
}

// Post sends one POST to the receiver.
func Post(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"bare":true}`))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("receiver answered %s", response.Status)
	}
	return nil
}
