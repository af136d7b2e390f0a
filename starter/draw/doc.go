// Package draw draws the timeline of an interaction as text for a terminal: a row of bars for each leg, on one scale.
//
// It knows names and times only. It must never know Temporal, the state machine, or whether it writes to a terminal.
package draw
