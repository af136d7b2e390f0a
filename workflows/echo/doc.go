// Package echo keeps what a worker sends for a workflow task within what Temporal takes.
//
// The SDK repeats the request of every update in its acceptance or rejection, and ten updates may be
// judged in one task. Temporal terminates a workflow whose worker answers a task with more than 4 MB.
// It needs a repeated request only for an update that it has forgotten since, after a restart of its
// own; without one, it fails the task and the sender of the update sends it again. So the interceptor
// removes the repeated requests from what is too large.
//
// The package must never know what an update means.
package echo
