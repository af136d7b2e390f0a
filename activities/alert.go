package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"

	"segue/contract"
	"segue/interaction"
)

// countWithin bounds the wait for each count: alerts are sent without counts as well.
const countWithin = 5 * time.Second

// Inspect returns the alert rules of the configuration, how many deliveries of a call wait in
// lane workflows, and when this process last saw the call delivered and failed. If the lanes
// cannot be counted, the result has no counts; that is no error.
func (a *Activities) Inspect(ctx context.Context, in contract.InspectInput) (contract.Inspection, error) {
	inspection := contract.Inspection{Rules: a.Config().Alerts}
	inspection.Delivered, inspection.Failed = a.Alerts.Last(in.Call)
	query, err := lanesQuery(a.taskQueue(ctx), in.Call)
	if err == nil {
		inspection.Lanes, err = a.countWorkflows(ctx, query)
	}
	if err == nil {
		inspection.Parked, err = a.countWorkflows(ctx, query+" AND "+contract.AttributeParked.GetName()+" > 0")
	}
	if inspection.Counted = err == nil; !inspection.Counted {
		activity.GetLogger(ctx).Warn("lanes cannot be counted", "call", in.Call, "error", err)
	}
	return inspection, nil
}

// lanesQuery returns a query in Temporal's list language for the interactions' lanes of a
// call. It leaves out lanes of alerts that the call itself sends.
func lanesQuery(taskQueue, call string) (string, error) {
	if strings.ContainsAny(taskQueue+call, `'"\`) {
		return "", fmt.Errorf("call %q on task queue %q: use names without quotes and backslashes", call, taskQueue)
	}
	return fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND TaskQueue = '%s' AND %s = '%s' AND WorkflowId STARTS_WITH '%s'",
		contract.WorkflowDelivery, taskQueue, contract.AttributeCall.GetName(), call, contract.InteractionLanePrefix), nil
}

func (a *Activities) countWorkflows(ctx context.Context, query string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	answer, err := a.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	if err != nil {
		return 0, fmt.Errorf("counting %s: %w", query, err)
	}
	return int(answer.GetCount()), nil
}

// Alert fires the calls of one moment for operators, each through its lane workflow: alerts
// of one receiver stay in order, and every attempt is visible. A repeat after an error is
// harmless: a lane drops the deliveries that it knows.
func (a *Activities) Alert(ctx context.Context, in contract.AlertInput) (contract.AlertResult, error) {
	set := a.Config()
	result := contract.AlertResult{Version: set.Version}
	var failed []error
	for i := range in.Turn.Events {
		event := &in.Turn.Events[i]
		for _, firing := range match(ctx, set, &in.Turn.View, event) {
			request := render(ctx, set, in.Owner, firing.Call, &in.Turn.View, event)
			done := contract.Delivery{ID: request.ID, Call: request.Call, Moment: request.Moment, Sequence: request.Sequence, Status: contract.StatusInLane}
			if call, known := set.Call(firing.Call); firing.DryRun || known && call.Policy.DryRun {
				done.Status = contract.StatusDelivered
			} else if err := a.appendAlert(ctx, in.Owner, request, &in.Turn.View, event); err != nil {
				failed = append(failed, err)
			}
			result.Deliveries = append(result.Deliveries, done)
		}
	}
	return result, errors.Join(failed...)
}

func (a *Activities) appendAlert(ctx context.Context, owner contract.Owner, request contract.Request, view *interaction.View, event *interaction.Event) error {
	request.Source = contract.SourceOf(view, event)
	return a.HandOver(ctx, contract.HandOver{Owner: owner, Call: request.Call, Requests: []contract.Request{request}})
}
