// Package audit finds workflows that were ended from outside, by a termination or a timeout, and
// what they left undone: only such an interaction ends without its end triggers. The package
// replays histories, and starts or signals workflows that do what is missing.
//
// It must never know how its findings are shown, nor how Temporal is reached, and sends nothing
// to a receiver itself.
package audit
