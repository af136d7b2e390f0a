package contract

import "segue/interaction/intake"

// DeliveryStart is the input of a Delivery workflow: the lane that it owns.
type DeliveryStart struct {
	Owner Owner  `json:"owner"`
	Call  string `json:"call"`
	// Part names a part of the lane; empty is the lane itself.
	Part string `json:"part,omitempty"`
}

// DeliveryResult is what a Delivery workflow leaves when it completes: a hand-over that is
// repeated after that must not send again what it knew.
type DeliveryResult struct {
	// Known are the ids of the deliveries that it was given, the last 4,096.
	Known intake.Seen `json:"known"`
}
