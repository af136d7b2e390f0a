// Package workflows is the durable part of Segue: the Interaction workflow, which keeps the
// state of an interaction and dispatches what its commands cause; the Delivery workflow,
// which owns a lane whose receiver fails; and the Receiver workflow, which notifies
// operators of failing receivers.
//
// Workflow code is deterministic and thin: the package interaction decides what a command
// means, and activities decide what an event leads to. Workflow code must never know
// configuration, HTTP, a wall clock, randomness, the order of a map, or process-wide state;
// activities return what it needs of these.
package workflows
