// Package view is how an agent sees an interaction in GWS terms: its medium, the name of its state,
// the agent's capabilities, the resource, and what of it a change changed. Everything in it is pure.
//
// The package must never know HTTP, CometD, or where a state came from.
package view
