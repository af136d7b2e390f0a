// Package client talks to Segue's workflows on Temporal. It starts interactions, sends
// commands as signals and updates, queries interactions and lanes, and hands deliveries over
// to lanes.
//
// A Client needs a connection of the Temporal SDK and the task queue of Segue's workers:
//
//	c := &client.Client{Temporal: connection, TaskQueue: "segue"}
//	name := client.Name{ContactCenter: "default", ID: "ixn-1"}
//	runID, err := c.Start(ctx, name, json.RawMessage(
//		`{"id":"ixn-1","contact_center":"default","channel":"inbound"}`), false)
//
// Payloads are the JSON objects of the contract: package interaction defines the start and the
// commands, package contract the answers. Times in payloads are RFC 3339 in UTC.
//
// Methods retry what is transient (see Client.Patience) and return errors that a caller can
// tell apart with errors.Is and errors.As: ErrNotFound, ErrCompleted, ErrNoWorker, ErrStuck,
// ErrUnreachable, *RefusedError, *CompletedError and *ExistsError. Any other error is Temporal's own. A canceled
// context ends a method with the context's error.
//
// The package must never know how a command is judged: it passes a workflow's answer on.
package client
