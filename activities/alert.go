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

// countWithin bounds how long is waited for counts: alerts go out without them, too.
const countWithin = 5 * time.Second

// Inspect tells how a call stands: what the configuration says about alerts, what
// waits in lane workflows, and what this process has seen. What cannot be counted
// is not in the result, and no error.
func (a *Activities) Inspect(ctx context.Context, in contract.InspectInput) (contract.Inspection, error) {
	inspection := contract.Inspection{Rules: a.Config().Alerts}
	inspection.Delivered, inspection.Failed = a.Alerts.Last(in.Call)
	query, err := lanesQuery(a.taskQueue(ctx), in.Call)
	if err == nil {
		inspection.Lanes, err = a.count(ctx, query)
	}
	if err == nil {
		inspection.Parked, err = a.count(ctx, query+" AND "+contract.AttributeParked.GetName()+" > 0")
	}
	if inspection.Counted = err == nil; !inspection.Counted {
		activity.GetLogger(ctx).Warn("lanes cannot be counted", "call", in.Call, "error", err)
	}
	return inspection, nil
}

// lanesQuery finds, in Temporal's list language, the lane workflows of interactions
// that hold deliveries of a call; alerts that the call itself carries are none.
func lanesQuery(taskQueue, call string) (string, error) {
	if strings.ContainsAny(taskQueue+call, `'"\`) {
		return "", fmt.Errorf("call %q on task queue %q: quotes and backslashes are no part of a name", call, taskQueue)
	}
	return fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND TaskQueue = '%s' AND %s = '%s' AND WorkflowId STARTS_WITH '%s'",
		contract.WorkflowDelivery, taskQueue, contract.AttributeCall.GetName(), call, contract.InteractionLanePrefix), nil
}

func (a *Activities) count(ctx context.Context, query string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	answer, err := a.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	if err != nil {
		return 0, fmt.Errorf("counting %s: %w", query, err)
	}
	return int(answer.GetCount()), nil
}

// Alert fires the calls of one moment for operators, each by its lane workflow: so
// alerts of one receiver stay in order, and every attempt can be seen. A repeat
// after an error is harmless: a lane drops the deliveries that it knows.
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
