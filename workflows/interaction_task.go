package workflows

import (
	"time"

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
}

// hasSent reports whether requests were sent in the task; such a task must not end the run.
func (t *task) hasSent() bool { return t.sent && t.length > 0 }

// task returns what the run has done in the present workflow task.
func (r *run) task() *task {
	if length := workflow.GetInfo(r.ctx).GetCurrentHistoryLength(); length != r.present.length {
		r.present = task{length: length}
	}
	return &r.present
}

// awaitNextTask waits for the next workflow task, which a timer makes, so that a task that sent
// requests completes first.
func (r *run) awaitNextTask() {
	timer := workflow.NewTimerWithOptions(r.ctx, time.Millisecond, workflow.TimerOptions{Summary: "everything is sent: closes after this task"})
	if err := timer.Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Warn("closing without waiting for the next task", "error", err)
	}
	r.task().sent = false
}

// awaitRoom waits for the next workflow task if the commands of the present one carry as much
// as they may.
func (r *run) awaitRoom(ctx workflow.Context) {
	if r.task().size <= taskSize {
		return
	}
	timer := workflow.NewTimerWithOptions(ctx, time.Millisecond, workflow.TimerOptions{Summary: "the task is full: continues in the next one"})
	if err := timer.Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("not waiting for the next task", "error", err)
	}
	r.task().size = 0
}
