// Package workflows is the durable part of Segue: the Interaction workflow, which
// keeps the one true state of an interaction and dispatches what its commands
// cause; the Delivery workflow, which owns a lane whose receiver fails; and the
// Receiver workflow, which tells operators of a receiver in trouble.
//
// Workflow code is deterministic and thin: what a command means is decided in
// interaction/, what an event leads to in the activities. It must never know
// configuration, HTTP, a wall clock, randomness, the order of a map, or any
// process-wide state; what it needs of these comes back from an activity.
package workflows
