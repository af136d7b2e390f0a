// Package draw draws text for a terminal: the timeline of an interaction, with a row of bars for each leg on one scale, and tables.
//
// It knows texts and times only. It must never know Temporal, the state machine, or whether it writes to a terminal.
package draw
