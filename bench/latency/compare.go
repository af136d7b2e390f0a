package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"segue/bench"
	"segue/contract"
	"segue/worker/local"
)

const bareQueue = "bare"

// comparison is a Segue, a worker with the baseline beside Segue's, and a receiver for both.
type comparison struct {
	segue    *local.Segue
	temporal client.Client
	receiver *receiver
	bare     sdkworker.Worker
}

func open(ctx context.Context) (*comparison, error) {
	c := &comparison{}
	var err error
	if c.receiver, err = openReceiver(); err != nil {
		return nil, err
	}
	c.segue, err = bench.Start(ctx, fmt.Sprintf(`
calls:
  - name: probe
    method: POST
    url: %s
    json: {id: "${interaction.id}", digits: "${event.digits}"}
triggers:
  - {when: inbound.dtmf, call: probe}
guard: {allow: ["127.0.0.0/8"]}
`, c.receiver.url))
	if err != nil {
		return nil, err
	}
	c.temporal = c.segue.Client.Temporal
	c.bare = sdkworker.New(c.temporal, bareQueue, sdkworker.Options{})
	c.bare.RegisterWorkflow(Bare)
	c.bare.RegisterActivity(bench.Post)
	return c, c.bare.Start()
}

func (c *comparison) close() {
	c.bare.Stop()
	if err := errors.Join(c.segue.Stop(), c.receiver.server.Close()); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
	}
}

// measure alternates between the two, command by command, so that a drift of the machine's speed affects both alike.
func (c *comparison) measure(ctx context.Context, delay time.Duration, samples int, kind string) (result, error) {
	c.receiver.delay.Store(int64(delay))
	id := fmt.Sprintf("bench-%d", delay.Milliseconds())
	workflowID := contract.InteractionWorkflowID("bench", id)
	start := json.RawMessage(fmt.Sprintf(`{"id":%q,"contact_center":"bench","channel":"inbound"}`, id))
	options := client.StartWorkflowOptions{ID: workflowID, TaskQueue: c.segue.Client.TaskQueue}
	if _, err := c.temporal.ExecuteWorkflow(ctx, options, contract.WorkflowInteraction, start); err != nil {
		return result{}, err
	}
	bareOptions := client.StartWorkflowOptions{ID: "bare-" + id, TaskQueue: bareQueue}
	if _, err := c.temporal.ExecuteWorkflow(ctx, bareOptions, Bare, kind); err != nil {
		return result{}, err
	}
	var segue, bare []time.Duration
	const warmup = 10
	for i := range samples + warmup {
		took, err := c.once(ctx, workflowID, "dtmf", json.RawMessage(fmt.Sprintf(`{"digits":"%d"}`, i)))
		if err != nil {
			return result{}, fmt.Errorf("segue: %w", err)
		}
		baseline, err := c.once(ctx, bareOptions.ID, "post", c.receiver.url)
		if err != nil {
			return result{}, fmt.Errorf("bare: %w", err)
		}
		if i >= warmup {
			segue, bare = append(segue, took), append(bare, baseline)
		}
	}
	return resultOf(delay, samples, kind, segue, bare), nil
}

func resultOf(delay time.Duration, samples int, kind string, segue, bare []time.Duration) result {
	quantile := func(durations []time.Duration, q float64) float64 {
		return bench.Milliseconds(bench.Quantile(durations, q))
	}
	return result{
		ReceiverMS: bench.Milliseconds(delay), Samples: samples, Bare: kind,
		SegueP50: quantile(segue, 0.5), SegueP95: quantile(segue, 0.95),
		BareP50: quantile(bare, 0.5), BareP95: quantile(bare, 0.95),
		Ratio: quantile(segue, 0.5) / quantile(bare, 0.5),
	}
}

// once sends one command and waits for its POST, its result, and until the server is idle again. It returns the time
// from the command to the arrival of the POST.
func (c *comparison) once(ctx context.Context, workflowID, update string, payload any) (time.Duration, error) {
	begin := time.Now()
	handle, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflowID, UpdateName: update, Args: []any{payload}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return 0, err
	}
	if err := handle.Get(ctx, nil); err != nil {
		return 0, err
	}
	select {
	case arrived := <-c.receiver.arrivals:
		return arrived.Sub(begin), c.awaitIdle(ctx, workflowID)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-time.After(30 * time.Second):
		return 0, errors.New("the POST did not arrive within 30 s")
	}
}

// awaitIdle waits until the workflow has no activity and no task in progress.
func (c *comparison) awaitIdle(ctx context.Context, workflowID string) error {
	for {
		description, err := c.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
		if err != nil {
			return err
		}
		if len(description.GetPendingActivities()) == 0 && description.GetPendingWorkflowTask() == nil {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
}
