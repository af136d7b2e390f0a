// Package request turns a configured call into an HTTP request: Compile reads
// the call once, Render fills it in for one event. The body is a tree whose
// string leaves hold ${ expressions } and #data elements#; the encoder of the
// place where a value lands escapes it, and no text is ever parsed twice.
//
// Rendering is pure and deterministic: the same call, interaction and event give
// the same bytes. The package must never know Temporal, a clock, a socket, a
// secret or the configuration file.
package request
