// Package activities does what workflows cannot do themselves. Dispatch finds and renders the
// calls of events and chooses each delivery's route, Attempt sends requests, HandOver gives a
// lane to its Delivery workflow, Render renders a request again, and CancelReason reads why a
// workflow was canceled. For operators, Inspect counts waiting deliveries and Alert fires the
// calls of an alert.
//
// The package is thin over config, trigger, request, delivery and client, and exchanges only
// the types of package contract with workflows. It must never import workflows, nor know an
// interaction's states: it sees turns, and what the lanes have in flight.
package activities
