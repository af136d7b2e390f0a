package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/client"

	"segue/contract"
	"segue/interaction"
)

func interactionID(id string) string { return contract.InteractionWorkflowID(contactCenter, id) }

func laneID(id, call string) string {
	return contract.DeliveryWorkflowID(contract.Owner{ContactCenter: contactCenter, Interaction: id}, call)
}

func receiverID(call string) string { return contract.ReceiverWorkflowID(taskQueue, call) }

func alertID(about, call string) string {
	return contract.DeliveryWorkflowID(contract.Owner{Receiver: contract.ReceiverName(taskQueue, about)}, call)
}

// start starts an interaction; more are further fields of its start.
func (r *recorder) start(ctx context.Context, id, channel, more string) error {
	return r.startWith(ctx, id, channel, more)
}

// startWith does the same; input is what the workflow gets besides its start.
func (r *recorder) startWith(ctx context.Context, id, channel, more string, input ...any) error {
	start := json.RawMessage(fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":%q%s}`, id, contactCenter, channel, more))
	options := client.StartWorkflowOptions{ID: interactionID(id), TaskQueue: taskQueue}
	_, err := r.client.ExecuteWorkflow(ctx, options, contract.WorkflowInteraction, append([]any{start}, input...)...)
	return err
}

// signals sends commands as signals; commands are pairs of a name and a payload.
func (r *recorder) signals(ctx context.Context, id string, commands ...string) error {
	for i := 0; i+1 < len(commands); i += 2 {
		if err := r.client.SignalWorkflow(ctx, interactionID(id), "", commands[i], json.RawMessage(commands[i+1])); err != nil {
			return fmt.Errorf("signal %s: %w", commands[i], err)
		}
	}
	return nil
}

// sendUpdate sends a command as an update, and returns when it is accepted.
func (r *recorder) sendUpdate(ctx context.Context, id, name, payload string) (client.WorkflowUpdateHandle, error) {
	handle, err := r.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: interactionID(id), UpdateName: name, Args: []any{json.RawMessage(payload)}, WaitForStage: client.WorkflowUpdateStageAccepted,
	})
	if err != nil {
		return nil, fmt.Errorf("update %s: %w", name, err)
	}
	return handle, nil
}

// updates sends commands as updates, each after the result of the one before.
func (r *recorder) updates(ctx context.Context, id string, commands ...string) error {
	for i := 0; i+1 < len(commands); i += 2 {
		handle, err := r.sendUpdate(ctx, id, commands[i], commands[i+1])
		if err == nil {
			err = handle.Get(ctx, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flood sends a signal again and again until the workflow has continued as new.
func (r *recorder) flood(ctx context.Context, workflowID, name string, payload func() any) error {
	for {
		for range 250 {
			if err := r.client.SignalWorkflow(ctx, workflowID, "", name, payload()); err != nil {
				return fmt.Errorf("flooding %s: %w", workflowID, err)
			}
		}
		description, err := r.client.DescribeWorkflowExecution(ctx, workflowID, "")
		if err != nil {
			return fmt.Errorf("flooding %s: %w", workflowID, err)
		}
		if info := description.GetWorkflowExecutionInfo(); info.GetFirstRunId() != info.GetExecution().GetRunId() {
			return nil
		}
	}
}

// noPayload is the payload of a signal that a workflow does not know.
func noPayload() any { return nil }

// awaitEnd waits until a workflow has completed.
func (r *recorder) awaitEnd(ctx context.Context, workflowID string) error {
	return r.client.GetWorkflow(ctx, workflowID, "").Get(ctx, nil)
}

// awaitState waits until an interaction is in a state.
func (r *recorder) awaitState(ctx context.Context, id string, state interaction.State) error {
	return await(ctx, r, interactionID(id), contract.QueryState, func(status contract.State) bool { return status.State == state })
}

// awaitDeliveries waits until the deliveries of a workflow fulfil a condition.
func (r *recorder) awaitDeliveries(ctx context.Context, workflowID string, reached func([]contract.DeliveryRecord) bool) error {
	return await(ctx, r, workflowID, contract.QueryDeliveries, reached)
}

// awaitAlert waits until an alert of a call has been sent.
func (r *recorder) awaitAlert(ctx context.Context, call string, moment interaction.Moment) error {
	return await(ctx, r, receiverID(call), contract.QueryState, func(status contract.ReceiverStatus) bool {
		return slices.ContainsFunc(status.Alerts, func(a contract.AlertRecord) bool { return a.Moment == string(moment) })
	})
}

// await queries a workflow until its answer fulfils a condition, for a minute at most.
func await[T any](ctx context.Context, r *recorder, workflowID, query string, reached func(T) bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var answer T
		value, err := r.client.QueryWorkflow(ctx, workflowID, "", query)
		if err == nil {
			err = value.Get(&answer)
		}
		if err == nil && reached(answer) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("query %s of %s: the expected answer did not come: %w", query, workflowID, context.Cause(ctx)), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
