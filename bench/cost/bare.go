package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// bareCommand is the input of an update or signal of the bare workflows.
type bareCommand struct {
	EventID string          `json:"event_id"`
	Command string          `json:"command"`
	Payload json.RawMessage `json:"payload"`
}

// body is the body of a POST; every contender sends the same fields.
type body struct {
	Interaction string `json:"interaction"`
	Command     string `json:"command"`
	Channel     string `json:"channel"`
	Agent       string `json:"agent"`
}

// bodyOf returns what the bare workflows send for a command.
func bodyOf(id string, c bareCommand) body { return body{id, c.Command, "inbound", "ada"} }

// Floor sends a POST for each update, in a local activity of the update's handler.
func Floor(ctx workflow.Context, id, url string) error {
	done := 0
	handler := func(ctx workflow.Context, c bareCommand) error {
		ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 10 * time.Second})
		if err := workflow.ExecuteLocalActivity(ctx, (*poster).Post, url, c.EventID, bodyOf(id, c)).Get(ctx, nil); err != nil {
			return err
		}
		done++
		return nil
	}
	if err := workflow.SetUpdateHandler(ctx, "command", handler); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return done == len(commands) && workflow.AllHandlersFinished(ctx) })
}

// Usual sends a POST for each signal, in an activity.
func Usual(ctx workflow.Context, id, url string) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
	signals := workflow.GetSignalChannel(ctx, "command")
	for range commands {
		var c bareCommand
		signals.Receive(ctx, &c)
		if err := workflow.ExecuteActivity(ctx, (*poster).Post, url, c.EventID, bodyOf(id, c)).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// poster has the activity of the bare workflows. Its client keeps enough connections for every load.
type poster struct{ http http.Client }

func newPoster() *poster {
	return &poster{http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}}}
}

// Post sends one POST.
func (p *poster) Post(ctx context.Context, url, webhookID string, b body) error {
	encoded, err := json.Marshal(b)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("webhook-id", webhookID)
	response, err := p.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("receiver answered %s", response.Status)
	}
	return nil
}

// startBare starts a worker of the bare workflows and returns the two contenders. The worker has as many pollers as Segue's:
// with the SDK's default, two, interactions wait for their first task, and the comparison is one of settings. The connection
// is not Segue's, which has a plugin.
func startBare(temporal client.Client, url, queue string) (sdkworker.Worker, []*contender, error) {
	worker := sdkworker.New(temporal, queue, sdkworker.Options{
		WorkflowTaskPollerBehavior: sdkworker.NewPollerBehaviorSimpleMaximum(sdkworker.PollerBehaviorSimpleMaximumOptions{
			MaximumNumberOfPollers: 60,
		}),
		ActivityTaskPollerBehavior: sdkworker.NewPollerBehaviorAutoscaling(sdkworker.PollerBehaviorAutoscalingOptions{
			InitialNumberOfPollers: 8, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: 50,
		}),
	})
	worker.RegisterWorkflow(Floor)
	worker.RegisterWorkflow(Usual)
	worker.RegisterActivity(newPoster())
	start := func(name string, run any) func(context.Context, string) error {
		return func(ctx context.Context, id string) error {
			options := client.StartWorkflowOptions{ID: name + "/" + id, TaskQueue: queue}
			_, err := temporal.ExecuteWorkflow(ctx, options, run, id, url)
			return err
		}
	}
	inputOf := func(id string, n int) bareCommand {
		return bareCommand{EventID: eventID(id, n), Command: commands[n].name, Payload: payloadOf(id, n)}
	}
	contenders := []*contender{
		{
			name: floor, start: start(floor, Floor),
			workflows: func(id string) []string { return []string{floor + "/" + id} },
			send: func(ctx context.Context, id string, n int) error {
				handle, err := temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
					WorkflowID: floor + "/" + id, UpdateName: "command", UpdateID: eventID(id, n),
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
	return worker, contenders, worker.Start()
}
