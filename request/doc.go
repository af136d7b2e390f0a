// Package request turns a configured call into an HTTP request. Compile checks the call
// once; Render renders it for one event. The body is a tree whose string leaves contain
// ${ expressions } and #data_elements#. The encoder of the place where a value is written
// escapes it, and no text is ever parsed twice.
//
// Rendering is pure and deterministic: the same call, interaction and event give the same
// bytes. The package must never know Temporal, a clock, a socket, a
// secret or the configuration file.
package request
