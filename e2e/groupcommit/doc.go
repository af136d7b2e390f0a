// Package groupcommit tests how the gateway sends commands, on the embedded Temporal with a worker:
// updates of several commands, starts with first commands, repeats, outages and renewed runs.
package groupcommit
