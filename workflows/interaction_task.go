package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"
)

// taskSize bounds what the commands of one workflow task carry, in bytes: the server
// terminates a workflow whose worker answers a task with more than 4 MB.
const taskSize = 1 << 20

// task is what a run has done in the present workflow task.
type task struct {
	// length is the length of the history when the task began, which identifies the task. It
	// is 0 in the SDK's test environment, which has no tasks.
	length int
	sent   bool // Dispatch sent requests
	size   int  // what the commands carry, in bytes
	// admitted is the size of the updates that the task has admitted, in bytes. See the method admit.
	admitted int
}

// hasSent reports whether requests were sent in the task; such a task must not end the run.
func (t *task) hasSent() bool { return t.sent && t.length > 0 }

// isFull reports whether the commands of the task carry as much as they may.
func (t *task) isFull() bool { return t.size > taskSize && t.length > 0 }

// isDone reports whether the next Dispatch must be in the next task. The server fails a task
// during which more than 100 signals arrive, and has it done again: under a stream of signals,
// a task of many Dispatches that send or hand over would never complete.
func (t *task) isDone() bool { return t.isFull() || t.hasSent() }

// task returns what the run has done in the present workflow task.
func (r *run) task() *task {
	if length := workflow.GetInfo(r.ctx).GetCurrentHistoryLength(); length != r.present.length {
		r.present = task{length: length}
	}
	return &r.present
}

// awaitNextTask waits, in the first coroutine, for the next workflow task: the present one has
// sent requests and must not end the run, or its commands carry as much as they may.
func (r *run) awaitNextTask() error {
	if err := r.inbox.await(r.ctx, r.requestNextTask()); err != nil {
		return fmt.Errorf("waiting for the next task: %w", err)
	}
	return nil
}

// requestNextTask asks for the next workflow task, and returns the condition that it has come.
func (r *run) requestNextTask() (hasCome func() bool) {
	ended := r.task().length
	r.inbox.requestNextTask(r.ctx)
	return func() bool { return r.task().length != ended }
}
