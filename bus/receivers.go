package bus

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"

	"segue/contract"
)

// receiversSubject carries what each worker knows of its receivers.
const receiversSubject = "segue.receivers"

// PublishReceivers publishes what this worker knows of its receivers. Reports are not kept: those
// published while the bus is away are lost, and the next ones replace them. It fails with ErrAway if
// the bus is away.
func (c *Conn) PublishReceivers(reports []contract.ReceiverReport) error {
	s, _ := c.session()
	if s == nil {
		return ErrAway
	}
	for _, report := range reports {
		body, err := json.Marshal(report)
		if err != nil {
			return fmt.Errorf("encode the report on %s: %w", report.Call, err)
		}
		if err := s.nats.Publish(receiversSubject, body); err != nil {
			return fmt.Errorf("publish the report on %s: %w", report.Call, err)
		}
	}
	return nil
}

// Receivers gives every report on a receiver to handle, one at a time, until the context ends. It goes
// on after a lost connection.
func (c *Conn) Receivers(ctx context.Context, handle func(contract.ReceiverReport)) error {
	return c.subscribe(ctx, receiversSubject, func(msg *nats.Msg) {
		var report contract.ReceiverReport
		if err := json.Unmarshal(msg.Data, &report); err != nil {
			c.log.Warn("A report on a receiver cannot be decoded", "error", err)
			return
		}
		handle(report)
	})
}
