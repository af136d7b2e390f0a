// Package drive speaks Segue's public contract to Temporal: it starts
// interactions, sends them commands as signals and updates, and asks their
// queries, as any client in any language would.
//
// It must never know how a command is judged: what the workflow says is passed on,
// as an error whose kind a caller can act upon.
package drive
