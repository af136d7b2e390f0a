// Package nexttask lets a workflow have its next workflow task at once, without a timer.
//
// A workflow that needs one more task, such as to end its run only after the task that sent
// requests has completed, could start a timer. That costs two events and a write for each
// timer, and servers fire a timer up to a second late. But a worker that completes a task can
// ask for the next one, and gets it with the answer: the SDK does that while a local activity
// takes long. This package sets the same field of the request.
//
// It knows nothing of interactions, and no command depends on it: without it the next task
// comes with the next event.
package nexttask
