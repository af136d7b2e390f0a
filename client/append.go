package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
	"segue/interaction/intake"
)

// maxAppend bounds the requests of one append signal, in bytes.
const maxAppend = 256 << 10

// Append hands requests over to the Delivery workflow of their lane, in order and in signals
// of at most 256 KiB, and starts that workflow if none is open. It returns how many of the
// requests Temporal has accepted: all of them, unless err is set. A repeat after an error is
// harmless: an open workflow drops the deliveries that it knows, and Append leaves out those
// that a closed one knew. Append makes one try and returns Temporal's own error.
func (c *Client) Append(ctx context.Context, in contract.HandOver) (appended int, err error) {
	for _, chunk := range chunks(in) {
		if err := c.appendChunk(ctx, chunk); err != nil {
			return appended, fmt.Errorf("appending %d requests to %s: %w", len(chunk.Requests), laneWorkflowID(chunk), err)
		}
		appended += len(chunk.Requests)
	}
	return appended, nil
}

func laneWorkflowID(in contract.HandOver) string {
	return contract.PartWorkflowID(in.Owner, in.Call, in.Part)
}

// appendChunk signals the open workflow of a lane, or starts one. While a workflow is open,
// Temporal deduplicates a repeated signal; after it has closed, its result does.
func (c *Client) appendChunk(ctx context.Context, in contract.HandOver) error {
	laneID := laneWorkflowID(in)
	var closed *serviceerror.NotFound
	err := c.Temporal.SignalWorkflow(ctx, laneID, "", contract.SignalAppend, in)
	if !errors.As(err, &closed) {
		return err
	}
	last, err := c.lastRunOf(ctx, laneID)
	if errors.Is(err, errLaneOpen) { // an earlier attempt has started it meanwhile
		return c.Temporal.SignalWorkflow(ctx, laneID, "", contract.SignalAppend, in)
	}
	if err != nil {
		return err
	}
	in = withoutKnown(in, last.known)
	if in.Part != "" {
		in.Chain = last.continued(in)
	}
	if len(in.Requests) == 0 && (in.Chain == nil || in.Chain.Next == "" && last.isCompleted) {
		return nil
	}
	start := contract.DeliveryStart{Owner: in.Owner, Call: in.Call, Part: in.Part}
	_, err = c.Temporal.SignalWithStartWorkflow(ctx, laneID, contract.SignalAppend, in, c.laneOptions(in), contract.WorkflowDelivery, start)
	return err
}

// errLaneOpen reports that a lane has an open workflow.
var errLaneOpen = errors.New("the lane is open")

// lastRun is the last run of a workflow that is not open.
type lastRun struct {
	exists, isCompleted bool
	known               intake.Seen
}

// lastRunOf returns the last run of a lane's workflow, with the deliveries that it knew when
// it completed. A run that was ended from outside left no result, so nothing is known.
// lastRunOf returns errLaneOpen instead of waiting for the result of an open workflow.
func (c *Client) lastRunOf(ctx context.Context, laneID string) (lastRun, error) {
	var missing *serviceerror.NotFound
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, laneID, "")
	if errors.As(err, &missing) {
		return lastRun{}, nil
	}
	if err != nil {
		return lastRun{}, err
	}
	switch last := described.GetWorkflowExecutionInfo(); last.GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return lastRun{}, errLaneOpen
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		var result contract.DeliveryResult
		err := c.Temporal.GetWorkflow(ctx, laneID, last.GetExecution().GetRunId()).Get(ctx, &result)
		return lastRun{exists: true, isCompleted: true, known: result.Known}, err
	}
	return lastRun{exists: true}, nil
}

// continued returns the place in the chain of a part's next run. A part whose last run
// completed was released, so the next run need not wait. A part whose last run was ended from
// outside waits until what that run held is recovered; so does a part that is only released
// and that Temporal does not know any more.
func (l lastRun) continued(in contract.HandOver) *contract.Chain {
	var chain contract.Chain
	if in.Chain != nil {
		chain = *in.Chain
	}
	switch {
	case l.isCompleted:
		chain.Released = true
	case chain.Recovered == nil && (l.exists || len(in.Requests) == 0):
		chain.Incomplete = true
	}
	if chain == (contract.Chain{}) {
		return nil
	}
	return &chain
}

// withoutKnown leaves out the known deliveries. The failed outcome belongs to the first
// request and is dropped with it.
func withoutKnown(in contract.HandOver, known intake.Seen) contract.HandOver {
	if len(in.Requests) > 0 && known.Has(in.Requests[0].ID) {
		in.Failed = nil
	}
	in.Requests = slices.DeleteFunc(slices.Clone(in.Requests), func(r contract.Request) bool { return known.Has(r.ID) })
	return in
}

func (c *Client) laneOptions(in contract.HandOver) sdkclient.StartWorkflowOptions {
	return sdkclient.StartWorkflowOptions{
		ID:                       laneWorkflowID(in),
		TaskQueue:                c.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            in.Call + " for " + cmp.Or(in.Owner.Interaction, "alerts about "+in.Owner.Receiver),
		TypedSearchAttributes:    laneAttributes(in.Owner, in.Call),
		Priority:                 lanePriority(in),
	}
}

// lanePriority returns the priority of a lane: below its interaction's, so that live traffic
// passes. Alerts keep their priority: operators must be notified of a failing receiver before
// its backlog is retried.
func lanePriority(in contract.HandOver) temporal.Priority {
	if in.Owner.Receiver != "" {
		return in.Priority.ForContactCenter(in.Owner.ContactCenter)
	}
	return in.Priority.Lower().ForContactCenter(in.Owner.ContactCenter)
}

// laneAttributes returns the search attributes of a lane. A lane of alerts belongs to no
// interaction.
func laneAttributes(owner contract.Owner, call string) temporal.SearchAttributes {
	if owner.Receiver != "" {
		return temporal.NewSearchAttributes(contract.AttributeCall.ValueSet(call))
	}
	return temporal.NewSearchAttributes(
		contract.AttributeCall.ValueSet(call),
		contract.AttributeInteraction.ValueSet(owner.Interaction),
		contract.AttributeContactCenter.ValueSet(owner.ContactCenter),
	)
}

// chunks splits an append into signals of a bounded size; a larger request is a chunk of its
// own. The failed outcome belongs to the first request, and the place in the chain to the last
// signal; an append that only changes that place is one signal.
func chunks(in contract.HandOver) []contract.HandOver {
	var list []contract.HandOver
	for len(in.Requests) > 0 || len(list) == 0 && in.Chain != nil {
		n, size := 0, 0
		for n < len(in.Requests) {
			size += in.Requests[n].SizeWithSource()
			if n > 0 && size > maxAppend {
				break
			}
			n++
		}
		chunk := in
		chunk.Requests = in.Requests[:n:n]
		if n < len(in.Requests) {
			chunk.Chain = in.Chain.ButLast()
		}
		list = append(list, chunk)
		in.Requests, in.Failed = in.Requests[n:], nil
	}
	return list
}
