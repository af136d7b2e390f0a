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
	l, err := a.leftoverOf(ctx, r, left)
	if err != nil || len(l.requests) == 0 && !l.holdsUp {
		return nil, err
	}
	owner := left.Start.Owner
	finding.Interaction, finding.Call, finding.Deliveries, finding.Waiting = owner.Interaction, left.Start.Call, deliveriesOf(l.requests), l.waiting
	return &repair{finding: finding, fire: func(ctx context.Context) error {
		c := &client.Client{Temporal: a.Temporal, TaskQueue: a.taskQueueFor(started)}
		for _, in := range l.handOvers(left) {
			if _, err := c.Append(ctx, in); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// leftover is what an ended run of a lane left that no later run has taken over.
type leftover struct {
	requests []contract.Request
	// holdsUp is true if the rest of the chain waits for the run; waiting are the parts that do.
	holdsUp bool
	waiting []Waiting
	// leavesChain is true if the next run of the lane does not get the parts: it has others, or
	// all of them have finished.
	leavesChain bool
}

func (a *Auditor) leftoverOf(ctx context.Context, r run, left workflows.UnfinishedLane) (l leftover, err error) {
	l.requests, l.holdsUp = left.Undelivered(), left.HoldsUp()
	if len(l.requests) == 0 && !l.holdsUp {
		return l, nil
	}
	later, err := a.laterRuns(ctx, r)
	if err != nil {
		return l, err
	}
	isPart := left.Start.Part != ""
	for _, other := range later {
		lane, ok, err := a.recallLane(ctx, other.execution())
		if err != nil {
			return l, err
		}
		if !ok {
			continue // its start was refused
		}
		l.requests = unknownTo(lane, l.requests)
		l.holdsUp = l.holdsUp && !lane.Continues(left)
		l.leavesChain = l.leavesChain || !isPart && lane.Next() != "" && lane.Next() != left.Next()
	}
	if l.holdsUp {
		if l.waiting, err = a.waitingBehind(ctx, left); err != nil {
			return l, err
		}
		// Without a waiting part, only the lane can wait: for the report of its last part.
		l.holdsUp = len(l.waiting) > 0 || isPart && left.Next() == ""
	}
	if !isPart && !l.leavesChain {
		l.leavesChain, err = a.hasFinished(ctx, left)
	}
	return l, err
}

// handOvers returns what recovers the leftover.
func (l leftover) handOvers(left workflows.UnfinishedLane) []contract.HandOver {
	list := left.HandOvers(l.requests)
	if !l.leavesChain {
		return list
	}
	first := &list[0]
	first.Chain.Next, first.Chain.Recovered.Tail = "", nil
	if l.holdsUp { // nothing else releases its parts
		list = append(list, contract.HandOver{
			Owner: first.Owner, Call: first.Call, Part: left.Next(), Priority: first.Priority, Chain: &contract.Chain{Released: true},
		})
	}
	if len(list[0].Requests) == 0 {
		return list[1:]
	}
	return list
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
