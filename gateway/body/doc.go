// Package body reads the bodies of requests: one JSON value, bounded in size and depth, without
// repeated keys, whose members keep their order and their bytes.
//
// The package must never know a face, nor what a body means.
package body
