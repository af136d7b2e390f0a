// Package embedded runs the Temporal server that comes with Segue as a child process, for the command `segue dev`, for
// tests and for benchmarks.
//
// The server is a program of its own, in the nested module devserver. This package finds it (SEGUE_DEVSERVER, a cache in
// the user's cache directory, a build in the checkout, in this order), starts it, waits until it answers, and makes sure
// that it never outlives its parent: the child ends when its standard input closes, and this process has the other end.
//
// It may import the standard library and nothing else. It must never know the Temporal server's packages (that is what
// the nested module is for), the Temporal SDK (see package connect) or anything of Segue's domain.
package embedded
