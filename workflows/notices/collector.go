package notices

import (
	"container/list"
	"sync"

	"segue/contract"
)

// Sink is where notices go. No method may wait. Notices must not be changed any more, and may
// share data with the workflow that made them: that data never changes.
type Sink interface {
	// Publish publishes a committed change. Its state may be larger than
	// contract.NoticeStateLimit: whoever encodes it leaves such a state out.
	Publish(notice *contract.Notice)
	// Due announces changes up to a revision that are about to be committed.
	Due(due contract.Due)
}

const (
	// maxTasks bounds the tasks that a process remembers. A worker has some hundred in progress;
	// others are what is left of tasks that failed and went to another worker.
	maxTasks = 4096
	// maxChanges bounds the changes of one task that are published. Of a task with more, which
	// began with thousands of signals, the last ones are.
	maxChanges = 1000
)

// Collector collects the changes of the workflow tasks of one worker process, and publishes
// those that Temporal has committed. It is safe for concurrent use.
type Collector struct {
	sink Sink

	mu     sync.Mutex
	runs   map[string]*task // the last task of each run, by run id
	tokens map[string]*task // the tasks that may still be completed
	oldest list.List        // of *task: all of them
}

// New returns a collector that publishes to a sink.
func New(sink Sink) *Collector {
	return &Collector{sink: sink, runs: map[string]*task{}, tokens: map[string]*task{}}
}

// Task identifies a workflow task for workflow code: its run, and its WorkflowTaskStarted event,
// which is the length of the history when the task began.
type Task struct {
	RunID   string
	Started int64
}

// task is a workflow task that this process has received and that has not been committed.
type task struct {
	Task
	token   string
	changes []*contract.Notice
	// isDoubtful: the task before has the same id, and its code may still run here.
	isDoubtful bool
	// isDone: the code has run; the completion was sent, perhaps without an answer.
	isDone bool
	// isSending: the answer to the completion is awaited. The next task may arrive before it.
	isSending bool
	place     *list.Element
}

// Add collects a change that was made in a task. Code of a workflow must not call it in a
// replay, and must not change the notice afterwards but with AmendLast.
func (c *Collector) Add(in Task, change *contract.Notice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.current(in)
	if t == nil {
		return
	}
	if len(t.changes) == 2*maxChanges {
		t.changes = append([]*contract.Notice(nil), t.changes[maxChanges:]...)
	}
	t.changes = append(t.changes, change)
}

// AmendLast changes the last change of a task, unless it has been published.
func (c *Collector) AmendLast(in Task, amend func(last *contract.Notice)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.current(in); t != nil && len(t.changes) > 0 {
		amend(t.changes[len(t.changes)-1])
	}
}

// current returns the task if it is the last one of its run and has not ended; nil otherwise.
func (c *Collector) current(in Task) *task {
	t := c.runs[in.RunID]
	if t == nil || t.Task != in || t.token == "" {
		return nil
	}
	return t
}

// begin notes that a task of a run has begun here, and forgets the one before.
func (c *Collector) begin(in Task, token []byte) {
	if len(token) == 0 {
		return // a poll that found nothing
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	begun := &task{Task: in, token: string(token)}
	if before := c.runs[in.RunID]; before != nil {
		begun.isDoubtful = before.Started == in.Started && !before.isDone
		if !before.isSending {
			c.forget(before)
		}
	}
	for c.oldest.Len() >= maxTasks {
		c.forget(c.oldest.Front().Value.(*task))
	}
	begun.place = c.oldest.PushBack(begun)
	c.runs[in.RunID], c.tokens[begun.token] = begun, begun
}

func (c *Collector) forget(t *task) {
	c.oldest.Remove(t.place)
	delete(c.tokens, t.token)
	if c.runs[t.RunID] == t {
		delete(c.runs, t.RunID)
	}
}

// abandon forgets a task that has ended here and will not be committed. After a doubtful one it
// keeps the doubt: the task before may still run.
func (c *Collector) abandon(token []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tokens[string(token)]
	switch {
	case t == nil:
	case t.isDoubtful && c.runs[t.RunID] == t:
		delete(c.tokens, t.token)
		t.token, t.changes, t.isDone = "", nil, false
	default:
		c.forget(t)
	}
}

// announce announces the changes of a task whose completion is about to be sent.
func (c *Collector) announce(token []byte) {
	if due := c.dueOf(token); due != nil {
		c.sink.Due(*due)
	}
}

// await notes that the completion of a task was sent and got no answer. It may be sent again,
// unless the next task of the run has begun: then Temporal knows this one no more.
func (c *Collector) await(token []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tokens[string(token)]
	if t == nil {
		return
	}
	t.isSending = false
	if c.runs[t.RunID] != t {
		c.forget(t)
	}
}

// dueOf notes that the completion of a task is being sent, and returns the announcement of its
// changes; nil if it has none.
func (c *Collector) dueOf(token []byte) *contract.Due {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tokens[string(token)]
	if t == nil {
		return nil
	}
	t.isDone, t.isSending = true, true
	if len(t.changes) == 0 {
		return nil
	}
	last := t.changes[len(t.changes)-1]
	return &contract.Due{ContactCenter: last.ContactCenter, Interaction: last.Interaction, RunID: last.RunID, Revision: last.Revision}
}

// commit publishes the changes of a task that Temporal has committed.
func (c *Collector) commit(token []byte) {
	for _, change := range c.take(token) {
		c.sink.Publish(change)
	}
}

// take forgets a committed task, and returns those of its changes that are to be published.
func (c *Collector) take(token []byte) []*contract.Notice {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tokens[string(token)]
	if t == nil {
		return nil
	}
	c.forget(t)
	if t.isDoubtful {
		return nil
	}
	return t.changes[max(0, len(t.changes)-maxChanges):]
}
