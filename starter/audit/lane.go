package audit

import (
	"context"
	"errors"
	"fmt"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/workflow"

	"segue/client"
	"segue/contract"
	"segue/replay"
	"segue/workflows"
)

// examineLane returns what an ended run of a lane, or of a part of it, left undone: the
// deliveries that it held and that no later run was given, and the parts that wait for it. It
// returns nil if there are none.
func (a *Auditor) examineLane(
	ctx context.Context, r run, finding Finding, left workflows.UnfinishedLane, started *historypb.WorkflowExecutionStartedEventAttributes,
) (*repair, error) {
	requests, holdsUp := left.Undelivered(), left.HoldsUp()
	if len(requests) == 0 && !holdsUp {
		return nil, nil
	}
	later, err := a.laterRuns(ctx, r)
	if err != nil {
		return nil, err
	}
	inOtherChain := false
	for _, other := range later {
		lane, ok, err := a.recallLane(ctx, other.execution())
		if err != nil {
			return nil, err
		}
		if !ok {
			continue // its start was refused
		}
		requests = unknownTo(lane, requests)
		holdsUp = holdsUp && !lane.Continues(left)
		inOtherChain = inOtherChain || left.Start.Part == "" && lane.Next() != "" && lane.Next() != left.Next()
	}
	if holdsUp {
		if finding.Waiting, err = a.waitingBehind(ctx, left); err != nil {
			return nil, err
		}
		// Without a waiting part, only the lane can wait: for the report of its last part.
		holdsUp = len(finding.Waiting) > 0 || left.Start.Part != "" && left.Next() == ""
	}
	if len(requests) == 0 && !holdsUp {
		return nil, nil
	}
	in := left.HandOver(requests)
	if left.Start.Part == "" && !inOtherChain {
		if inOtherChain, err = a.hasFinished(ctx, left); err != nil {
			return nil, err
		}
	}
	if left.Start.Part == "" && inOtherChain {
		in.Chain.Next, in.Chain.Recovered.Tail = "", nil // its parts go on, or are done, without it
	}
	finding.Interaction, finding.Call, finding.Deliveries = in.Owner.Interaction, in.Call, deliveriesOf(requests)
	return &repair{finding: finding, fire: func(ctx context.Context) error {
		c := &client.Client{Temporal: a.Temporal, TaskQueue: a.taskQueueFor(started)}
		_, err := c.Append(ctx, in)
		if err == nil && inOtherChain && holdsUp { // nothing else releases its parts
			_, err = c.Append(ctx, contract.HandOver{
				Owner: in.Owner, Call: in.Call, Part: left.Next(), Priority: in.Priority, Chain: &contract.Chain{Released: true},
			})
		}
		return err
	}}, nil
}

// hasFinished reports whether the last part of an ended lane has nothing left to report to it.
func (a *Auditor) hasFinished(ctx context.Context, left workflows.UnfinishedLane) (bool, error) {
	if left.Tail() == "" {
		return true, nil
	}
	tail, ok, err := a.recallLane(ctx, partOf(left, left.Tail()))
	return !ok || !tail.HoldsUp(), err
}

func partOf(lane workflows.UnfinishedLane, name string) workflow.Execution {
	return workflow.Execution{ID: contract.PartWorkflowID(lane.Start.Owner, lane.Start.Call, name)}
}

// waitingBehind lists the parts that wait behind an ended run, and how many deliveries each
// has to make. It lists none if the next part was released.
func (a *Auditor) waitingBehind(ctx context.Context, left workflows.UnfinishedLane) ([]Waiting, error) {
	var waiting []Waiting
	for name := left.Next(); name != ""; {
		execution := partOf(left, name)
		part, ok, err := a.recallLane(ctx, execution)
		if err != nil {
			return nil, err
		}
		if !ok || part.IsReleased() {
			break
		}
		waiting = append(waiting, Waiting{WorkflowID: execution.ID, Deliveries: len(part.Undelivered())})
		name = part.Next()
	}
	return waiting, nil
}

// recallLane returns a run of a lane as its history leaves it, and false if Temporal does not
// know the run, or its start was refused. An empty run id is the latest run.
func (a *Auditor) recallLane(ctx context.Context, execution workflow.Execution) (lane workflows.UnfinishedLane, ok bool, err error) {
	history, err := replay.Fetch(ctx, a.Temporal, execution)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return lane, false, nil
	}
	if err != nil {
		return lane, false, err
	}
	recalled, err := replay.Recall(history, a.Log)
	if err != nil {
		return lane, false, fmt.Errorf("run %s of %s does not replay with this version: %w", execution.RunID, execution.ID, err)
	}
	lane, ok = recalled.Lane()
	return lane, ok, nil
}

// unknownTo returns the requests that were never appended to a lane.
func unknownTo(lane workflows.UnfinishedLane, requests []contract.Request) []contract.Request {
	var unknown []contract.Request
	for _, request := range requests {
		if !lane.Knows(request.ID) {
			unknown = append(unknown, request)
		}
	}
	return unknown
}
