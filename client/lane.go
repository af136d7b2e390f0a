package client

import (
	"context"
	"errors"
	"fmt"

	"segue/contract"
)

// Lane identifies the Delivery workflow of one call, either of an interaction or of alerts.
type Lane struct {
	// Name is the interaction; it is empty for a lane of alerts.
	Name
	// Receiver is the receiver that a lane's alerts are about; it is empty otherwise.
	Receiver   string
	Call       string
	WorkflowID string
	// RunID is the run of a lane that has closed; empty is the latest run.
	RunID string
}

// LaneOf returns the lane of an interaction's call, whether its workflow has ever run or not.
func LaneOf(n Name, call string) Lane {
	owner := contract.Owner{ContactCenter: n.ContactCenter, Interaction: n.ID}
	return Lane{Name: n, Call: call, WorkflowID: contract.DeliveryWorkflowID(owner, call)}
}

// LaneDeliveries queries the deliveries of a lane: those that are open, and the last that are
// delivered or discarded. If the lane has never run, it returns ErrNotFound or, for an
// interaction that exists, ErrCompleted.
func (c *Client) LaneDeliveries(ctx context.Context, l Lane) ([]contract.DeliveryRecord, error) {
	return query[[]contract.DeliveryRecord](ctx, c, l.Name, l.WorkflowID, l.RunID, contract.QueryDeliveries)
}

// SignalLane sends an operator's request to a lane; signal is contract.SignalRedeliver or
// contract.SignalDiscard. It returns ErrCompleted if the lane has closed.
func (c *Client) SignalLane(ctx context.Context, l Lane, signal string, request contract.OperatorRequest) error {
	err := c.classify(ctx, l.Name, c.retry(ctx, func() error {
		return markOutage(ctx, c.Temporal.SignalWorkflow(ctx, l.WorkflowID, "", signal, request))
	}))
	if errors.Is(err, ErrNotFound) {
		// Only the interaction is unknown: Temporal has dropped it before its lane.
		err = ErrCompleted
	}
	if err != nil {
		return fmt.Errorf("%s to %s: %w", signal, l.WorkflowID, err)
	}
	return nil
}

// laneRecords queries the lane of a call, if it has ever run, and the part of it that sends
// next; nothing has been tried of the parts behind that one.
func (c *Client) laneRecords(ctx context.Context, n Name, call string) ([]contract.DeliveryRecord, error) {
	lane := LaneOf(n, call)
	records, err := c.LaneDeliveries(ctx, lane)
	var parts []string
	if err == nil && c.isOpen(ctx, lane.WorkflowID) {
		parts, err = query[[]string](ctx, c, n, lane.WorkflowID, "", contract.QueryParts)
	}
	if err == nil && len(parts) > 0 {
		var more []contract.DeliveryRecord
		more, err = c.LaneDeliveries(ctx, Lane{Name: n, Call: call, WorkflowID: parts[0]})
		records = append(records, more...)
	}
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrCompleted) {
		return records, nil
	}
	return records, err
}
