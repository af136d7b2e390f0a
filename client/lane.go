package client

import (
	"context"
	"errors"
	"fmt"

	"segue/contract"
)

// Lane is the Delivery workflow of one interaction and one call.
type Lane struct {
	Name
	// Receiver is the one that a lane of alerts tells of; its Name is empty then.
	Receiver   string
	Call       string
	WorkflowID string
	// RunID is the run of one that has closed; empty is the latest.
	RunID string
}

// LaneOf is the lane of a call, whether its workflow ever ran or not.
func LaneOf(n Name, call string) Lane {
	owner := contract.Owner{ContactCenter: n.ContactCenter, Interaction: n.ID}
	return Lane{Name: n, Call: call, WorkflowID: contract.DeliveryWorkflowID(owner, call)}
}

// LaneDeliveries asks a lane for what it has, and for the last it had.
func (c *Client) LaneDeliveries(ctx context.Context, l Lane) ([]contract.DeliveryRecord, error) {
	return query[[]contract.DeliveryRecord](ctx, c, l.Name, l.WorkflowID, l.RunID, contract.QueryDeliveries)
}

// SignalLane sends an operator's wish, redeliver or discard, to a lane. One that
// has closed meanwhile is ErrCompleted.
func (c *Client) SignalLane(ctx context.Context, l Lane, signal string, wish contract.OperatorRequest) error {
	err := c.classify(ctx, l.Name, c.retry(ctx, func() error {
		return markOutage(ctx, c.Temporal.SignalWorkflow(ctx, l.WorkflowID, "", signal, wish))
	}))
	if errors.Is(err, ErrNotFound) {
		// Only the interaction is unknown: it has left the namespace before its lane.
		err = ErrCompleted
	}
	if err != nil {
		return fmt.Errorf("%s to %s: %w", signal, l.WorkflowID, err)
	}
	return nil
}

// laneRecords asks the lane workflow of a call, if there ever was one, and the part of it
// whose turn it is; of those behind that, nothing has been tried.
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
		return records, nil // as much as there is
	}
	return records, err
}
