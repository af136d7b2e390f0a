// Package activities is what the workflows let be done outside of them: Dispatch
// finds and renders the calls of events and chooses each delivery's way, Attempt
// sends, HandOver gives a lane to its Delivery workflow, Render renders anew; and for
// operators Inspect counts what waits, Alert fires the calls that tell of it.
//
// It is thin over config, trigger, request and delivery, and speaks to workflows
// in the types of package contract alone. It must never import workflows, nor
// know an interaction's states: it sees turns, and what the lanes have under way.
package activities
