package contract

import "time"

// ReceiverReport is what one worker process knows of the receiver of a call. Workers publish it every
// few seconds for whoever shows receivers live.
type ReceiverReport struct {
	// Worker is the identity of the process.
	Worker string        `json:"worker"`
	Call   string        `json:"call"`
	State  ReceiverState `json:"state"`
	// P95 is the 95th percentile of the duration of recent attempts, in milliseconds; 0 if there were
	// none.
	P95 int64     `json:"p95_ms,omitempty"`
	At  time.Time `json:"at"`
}

// ReceiverState is how a receiver is doing, as one worker process sees it.
type ReceiverState string

// The states of receivers.
const (
	ReceiverHealthy     ReceiverState = "healthy"
	ReceiverSlow        ReceiverState = "slow"
	ReceiverFailing     ReceiverState = "failing"
	ReceiverBreakerOpen ReceiverState = "breaker_open"
)
