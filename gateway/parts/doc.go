// Package parts finds which part an agent has in an interaction, for the views that show interactions to agents.
//
// The package must never know a face: how a part is named and shown is the view's.
package parts
