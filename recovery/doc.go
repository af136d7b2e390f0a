// Package recovery reads what a workflow left undone that was ended from outside, by a
// termination or a timeout: it replays the run's history. An audit looks at such runs
// with it, and its activity Recover gives an interaction to the run that takes it up.
//
// It must never know the configuration, a receiver, or how findings are shown.
package recovery
