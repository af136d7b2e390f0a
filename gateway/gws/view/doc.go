// Package view is how an agent sees an interaction in GWS terms: its medium, the name of its state,
// the agent's capabilities, the resource, and what of it a change changed. Everything in it is pure.
//
// One table, Operations, has the operations of an agent and the commands that they stand for. The
// capabilities come from the same table, so that an operation that is offered is one that is accepted.
//
// The package must never know HTTP, CometD, or where a state came from.
package view
