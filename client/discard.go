package client

import (
	"context"
	"encoding/json"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"segue/contract"
)

// DiscardedBy returns who discarded a delivery of a lane: the name in the delivery's record,
// or else the identity of the client that sent the signal, from the lane's history. It returns
// "" if neither has it.
func DiscardedBy(history *historypb.History, record contract.DeliveryRecord) string {
	switch {
	case record.Discarded == nil:
		return ""
	case record.Discarded.By != "":
		return record.Discarded.By
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
		// Without a payload, or with one that names no delivery, it discards all parked deliveries.
		var raw json.RawMessage
		var request contract.OperatorRequest
		if converter.GetDefaultDataConverter().FromPayloads(signaled.GetInput(), &raw) == nil {
			_ = json.Unmarshal(raw, &request)
		}
		if request.ID == "" || request.ID == record.ID {
			by = signaled.GetIdentity()
		}
	}
	return by
}

// LaneHistory reads the history of a lane's run, and in front of it those of the runs that it
// continues as new.
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
