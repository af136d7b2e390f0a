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
			return workflow.ExecuteLocalActivity(ctx, Post, url).Get(ctx, nil)
		}
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
		return workflow.ExecuteActivity(ctx, Post, url).Get(ctx, nil)
	}
	if err := workflow.SetUpdateHandler(ctx, "post", post); err != nil {
		return err
	}
	workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
	return nil
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
