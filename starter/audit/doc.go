// Package audit finds what workflows left undone that were ended from outside, by a
// termination or a timeout: the one way in which an interaction can end without its
// end triggers. It reads histories, and does what is missing through the workflows
// themselves.
//
// It must never know how its findings are shown, nor how Temporal is reached, and
// sends nothing to a receiver itself.
package audit
