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

// Chain says how a workflow of a lane joins the chain that the lane and its parts are. A
// field that is empty changes nothing.
type Chain struct {
	// Next names the part that follows.
	Next string `json:"next,omitempty"`
	// Released lets a part send: everything before it has been sent, or lets others pass.
	Released bool `json:"released,omitempty"`
	// Incomplete makes a part wait: its last run was ended from outside, and what that run
	// held has not been recovered.
	Incomplete bool `json:"incomplete,omitempty"`
	// Recovered is set where the requests are what a run held that was ended from outside.
	Recovered *RecoveredChain `json:"recovered,omitempty"`
}

// RecoveredChain is what a run that was ended from outside knew of its place in the chain.
type RecoveredChain struct {
	// Last is the delivery that was appended last.
	Last string `json:"last,omitempty"`
	// Tail is the last part of the chain, known to the lane alone.
	Tail *Tail `json:"tail,omitempty"`
}

// Tail is the last part of a lane's chain: the one that is appended to.
type Tail struct {
	Name string `json:"name"`
	// Last is the delivery that it was given last.
	Last string `json:"last,omitempty"`
	// Size is how much it was given in all, in bytes.
	Size int `json:"size,omitempty"`
}

// ButLast returns the chain for all signals of a hand-over but the last one: the part must
// not go on before it has everything.
func (c *Chain) ButLast() *Chain {
	if c == nil || c.Recovered == nil {
		return nil
	}
	return &Chain{Incomplete: true, Recovered: c.Recovered}
}
