package client

import (
	"context"
	"encoding/json"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"segue/contract"
)

// DiscardedBy returns who discarded a delivery of a lane: the name that the delivery's
// record has, or else the identity of the client that sent the signal, as the history of
// the lane has it. It is empty where neither says.
func DiscardedBy(history *historypb.History, record contract.DeliveryRecord) string {
	if record.Discarded == nil || record.Discarded.By != "" {
		return nameIn(record.Discarded)
	}
	at, err := time.Parse(time.RFC3339Nano, record.Discarded.At)
	if err != nil {
		return ""
	}
	by := ""
	for _, event := range history.GetEvents() {
		signaled := event.GetWorkflowExecutionSignaledEventAttributes()
		if signaled.GetSignalName() != contract.SignalDiscard || event.GetEventTime().AsTime().After(at) {
			continue
		}
		// One without an input, or with another, means all that are parked.
		var raw json.RawMessage
		var wish contract.OperatorRequest
		if converter.GetDefaultDataConverter().FromPayloads(signaled.GetInput(), &raw) == nil {
			_ = json.Unmarshal(raw, &wish)
		}
		if wish.ID == "" || wish.ID == record.ID {
			by = signaled.GetIdentity()
		}
	}
	return by
}

func nameIn(d *contract.Discarding) string {
	if d == nil {
		return ""
	}
	return d.By
}

// LaneHistory reads the history of a lane, and of the runs that its run continues.
func (c *Client) LaneHistory(ctx context.Context, l Lane) (*historypb.History, error) {
	whole := &historypb.History{}
	for runID := l.RunID; ; {
		history, err := c.History(ctx, l.Name, l.WorkflowID, runID)
		if err != nil {
			return nil, err
		}
		whole.Events = append(history.GetEvents(), whole.Events...)
		if len(history.GetEvents()) == 0 {
			return whole, nil
		}
		runID = history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
		if runID == "" {
			return whole, nil
		}
	}
}
