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

// Chain changes the place of a workflow in the chain of a lane and its parts. An empty field
// changes nothing.
type Chain struct {
	// Next names the part that follows.
	Next string `json:"next,omitempty"`
	// Released allows a part to send: everything before it has been sent, or need not be
	// waited for.
	Released bool `json:"released,omitempty"`
	// Incomplete makes a part wait: its last run was ended from outside, and what that run
	// held has not been recovered.
	Incomplete bool `json:"incomplete,omitempty"`
	// Begins is set with the first deliveries of a part. A part that was released before it got
	// them seemed to have lost its earlier run, and is complete with them.
	Begins bool `json:"begins,omitempty"`
	// Recovered is set if the requests are those that an ended run held.
	Recovered *RecoveredChain `json:"recovered,omitempty"`
}

// RecoveredChain is what a run that was ended from outside knew of its place in the chain.
type RecoveredChain struct {
	// Last is the id of the delivery that was appended last.
	Last string `json:"last,omitempty"`
	// Tail is the last part of the chain, known to the lane alone.
	Tail *Tail `json:"tail,omitempty"`
}

// Tail is the last part of a lane's chain, to which new deliveries are appended.
type Tail struct {
	Name string `json:"name"`
	// Last is the id of the delivery that was appended last.
	Last string `json:"last,omitempty"`
	// Size is the total size of all appended deliveries, in bytes.
	Size int `json:"size,omitempty"`
	// After is the part before the tail while that part does not know the tail yet.
	After string `json:"after,omitempty"`
}

// ButLast returns the chain for all signals of a hand-over except the last: the part must not
// send before it has everything.
func (c *Chain) ButLast() *Chain {
	if c == nil || c.Recovered == nil {
		return nil
	}
	return &Chain{Incomplete: true, Recovered: c.Recovered}
}
