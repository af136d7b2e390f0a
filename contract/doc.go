// Package dispatch is the contract between the workflows and their activities:
// what a workflow asks for and what comes back, as plain data; and what worker
// processes tell workflows of the receivers that they see.
//
// It must never know how a request is sent, rendered or configured, and holds
// no behaviour but the identity of a delivery.
package contract
