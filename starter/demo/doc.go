// Package demo checks `segue demo`: three receivers on this machine that record every request, the configuration whose
// calls go to them, the plan of the day with the deliveries that it must cause, and the verdict that compares both. A
// Player has a program of the user's own play the day.
//
// The plan is computed from the input with the pure state machine alone. The package may import the domain, the
// configuration and the client's file format; it must never know Temporal, and never read the state of Segue's workflows.
package demo
