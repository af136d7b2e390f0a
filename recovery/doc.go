// Package recovery reads what a workflow left undone that was ended from outside, by a
// termination or a timeout: it replays the run's history. `segue audit` examines such runs with
// it, and its activity Recover gives the interaction to the run that recovers it.
//
// The package must never know the configuration, a receiver, or how findings are shown.
package recovery
