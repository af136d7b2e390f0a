package dispatch

// DeliveryStart is the input of a Delivery workflow: the lane that it owns.
type DeliveryStart struct {
	Owner Owner  `json:"owner"`
	Call  string `json:"call"`
	// Part names a part of the lane; empty is the lane itself.
	Part string `json:"part,omitempty"`
}

// The names by which a lane is handed over: the workflow that is started, and the
// signal that appends a HandOver to it.
const (
	WorkflowDelivery = "Delivery"
	SignalAppend     = "append"
)
