// Package audit finds what workflows left undone that were ended from outside, by a termination
// or a timeout: only then does an interaction end without its end triggers. It replays
// histories, and has the workflows themselves do what is missing.
//
// The package must never know how its findings are shown, nor how Temporal is reached, and
// sends nothing to a receiver itself.
package audit
