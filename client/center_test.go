package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
	"segue/interaction"
)

// center is a Temporal in memory whose workers apply the domain's rules at once. Only the
// methods that the examples need are there.
type center struct {
	sdkclient.Client
	interactions map[string]*interaction.Interaction
	rejected     map[string][]contract.Rejected
}

func newCenter() *center {
	return &center{interactions: map[string]*interaction.Interaction{}, rejected: map[string][]contract.Rejected{}}
}

func (c *center) ExecuteWorkflow(_ context.Context, options sdkclient.StartWorkflowOptions, _ any, args ...any) (sdkclient.WorkflowRun, error) {
	if c.interactions[options.ID] != nil {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "", "run-1")
	}
	start, err := interaction.DecodeStart(jsonOf(args[0]))
	if err != nil {
		return nil, err
	}
	c.interactions[options.ID], _, err = interaction.Open(start, time.Now())
	return run{}, err
}

func jsonOf(argument any) json.RawMessage { return argument.(converter.RawValue).Payload().GetData() }

type run struct{ sdkclient.WorkflowRun }

func (run) GetRunID() string { return "run-1" }

// apply applies a command, and returns an application error if it is refused.
func (c *center) apply(workflowID, name string, payload any) (*interaction.Interaction, error) {
	i := c.interactions[workflowID]
	if i == nil {
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	command, err := interaction.Decode(name, jsonOf(payload))
	if err == nil {
		_, err = i.Apply(command, time.Now())
	}
	var illegal *interaction.IllegalError
	switch {
	case errors.As(err, &illegal):
		return nil, temporal.NewApplicationError(err.Error(), contract.ErrorIllegalCommand)
	case err != nil:
		return nil, temporal.NewApplicationError(err.Error(), contract.ErrorInvalidPayload)
	}
	return i, nil
}

func (c *center) UpdateWorkflow(_ context.Context, options sdkclient.UpdateWorkflowOptions) (sdkclient.WorkflowUpdateHandle, error) {
	i, err := c.apply(options.WorkflowID, options.UpdateName, options.Args[0])
	if err != nil {
		return nil, err
	}
	return updateAnswer{value: contract.Answer{State: i.Facts().State, Sequence: i.Sequence(), Capabilities: i.Capabilities()}}, nil
}

func (c *center) SignalWorkflow(_ context.Context, workflowID, _, name string, payload any) error {
	var missing *serviceerror.NotFound
	_, err := c.apply(workflowID, name, payload)
	if errors.As(err, &missing) {
		return err
	}
	if err != nil {
		c.rejected[workflowID] = append(c.rejected[workflowID], contract.Rejected{Command: name, Reason: err.Error()})
	}
	return nil
}

func (c *center) QueryWorkflow(_ context.Context, workflowID, _, query string, _ ...any) (converter.EncodedValue, error) {
	i := c.interactions[workflowID]
	switch {
	case i == nil:
		return nil, serviceerror.NewNotFound("no such workflow")
	case query == contract.QueryRejected:
		return queryAnswer{value: c.rejected[workflowID]}, nil
	}
	return queryAnswer{value: contract.State{Status: i.Status()}}, nil
}

func (c *center) DescribeWorkflowExecution(_ context.Context, workflowID, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return nil, serviceerror.NewNotFound(fmt.Sprintf("workflow %s not found", workflowID))
}

// SignalWithStartWorkflow starts lanes.
func (c *center) SignalWithStartWorkflow(_ context.Context, id, signal string, payload any, _ sdkclient.StartWorkflowOptions, _ any, _ ...any) (sdkclient.WorkflowRun, error) {
	fmt.Printf("%s: %s %d requests\n", id, signal, len(payload.(contract.HandOver).Requests))
	return run{}, nil
}

// updateAnswer and queryAnswer carry a value over JSON, as Temporal does.
type updateAnswer struct {
	sdkclient.WorkflowUpdateHandle
	value any
}

func (a updateAnswer) Get(_ context.Context, into any) error { return overJSON(a.value, into) }

type queryAnswer struct{ value any }

func (a queryAnswer) HasValue() bool     { return true }
func (a queryAnswer) Get(into any) error { return overJSON(a.value, into) }

func overJSON(value, into any) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return json.Unmarshal(encoded, into)
}
