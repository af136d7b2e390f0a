// Package draw makes a picture of an interaction's timeline for a terminal: a row
// of bars for each leg, one scale for all.
//
// It knows names and instants only. It must never know Temporal, the state
// machine, or whether it writes to a terminal.
package draw
