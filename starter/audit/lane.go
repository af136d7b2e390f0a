package audit

import (
	"context"
	"fmt"

	historypb "go.temporal.io/api/history/v1"

	"segue/client"
	"segue/contract"
	"segue/replay"
	"segue/workflows"
)

// examineLane returns what a lane left undelivered and no later run of it was given.
func (a *Auditor) examineLane(
	ctx context.Context, r run, finding Finding, left workflows.UnfinishedLane, started *historypb.WorkflowExecutionStartedEventAttributes,
) (*repair, error) {
	requests := left.Undelivered()
	if len(requests) == 0 {
		return nil, nil
	}
	later, err := a.laterRuns(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, other := range later {
		if requests, err = a.unknownTo(ctx, other, requests); err != nil {
			return nil, err
		}
	}
	if len(requests) == 0 {
		return nil, nil
	}
	owner := left.Start.Owner
	finding.Interaction, finding.Call, finding.Deliveries = owner.Interaction, left.Start.Call, deliveriesOf(requests)
	return &repair{finding: finding, fire: func(ctx context.Context) error {
		c := &client.Client{Temporal: a.Temporal, TaskQueue: a.taskQueueFor(started)}
		_, err := c.Append(ctx, contract.HandOver{Owner: owner, Call: left.Start.Call, Requests: requests})
		return err
	}}, nil
}

// unknownTo returns those of the requests that a run of their lane was never given.
func (a *Auditor) unknownTo(ctx context.Context, r run, requests []contract.Request) ([]contract.Request, error) {
	history, err := replay.Fetch(ctx, a.Temporal, r.execution())
	if err != nil {
		return nil, err
	}
	recalled, err := replay.Recall(history, a.Log)
	if err != nil {
		return nil, fmt.Errorf("a later run of it, %s, does not replay with this version: %w", r.runID, err)
	}
	lane, _ := recalled.Lane()
	var unknown []contract.Request
	for _, request := range requests {
		if !lane.Knows(request.ID) {
			unknown = append(unknown, request)
		}
	}
	return unknown, nil
}
