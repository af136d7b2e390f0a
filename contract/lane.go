package contract

import "segue/interaction/intake"

// DeliveryStart is the input of a Delivery workflow.
type DeliveryStart struct {
	Owner Owner  `json:"owner"`
	Call  string `json:"call"`
	// Part names a part of the lane; empty is the lane itself.
	Part string `json:"part,omitempty"`
}

// DeliveryResult is the result of a Delivery workflow. A hand-over that is repeated after the
// workflow has completed must not send again what it knew.
type DeliveryResult struct {
	// Known are the ids of the last 4,096 deliveries that the workflow was given.
	Known intake.Seen `json:"known"`
}
