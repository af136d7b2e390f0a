package feed

import (
	"context"
	"sync"
)

// queueSize bounds the lines that wait for one worker, in bytes. The deeper the queue, the more lines of one interaction
// wait together.
const queueSize = 1 << 20

// lineSize is roughly what a line takes besides its payload, in bytes.
const lineSize = 200

// queue has the lines that wait for one worker.
type queue struct {
	ctx  context.Context
	read []Line // lines that were read and are not in the queue yet

	mu      sync.Mutex
	changed sync.Cond
	lines   []Line
	bytes   int
	closed  bool
}

// put adds lines; it waits while the queue is full.
func (q *queue) put(lines []Line) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.bytes >= queueSize && q.ctx.Err() == nil {
		q.changed.Wait()
	}
	if q.ctx.Err() != nil {
		return context.Cause(q.ctx)
	}
	for _, line := range lines {
		q.bytes += lineSize + len(line.Payload)
	}
	q.lines = append(q.lines, lines...)
	q.changed.Broadcast()
	return nil
}

// take returns all lines that wait; it waits for the first one. It returns none if there will be no more.
func (q *queue) take() ([]Line, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.lines) == 0 && !q.closed && q.ctx.Err() == nil {
		q.changed.Wait()
	}
	if q.ctx.Err() != nil {
		return nil, context.Cause(q.ctx)
	}
	lines := q.lines
	q.lines, q.bytes = nil, 0
	q.changed.Broadcast()
	return lines, nil
}

func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.changed.Broadcast()
}

// queues are the queues of all workers.
type queues []*queue

// newQueues returns n queues, which end with the context.
func newQueues(ctx context.Context, n int) queues {
	qs := make(queues, n)
	for i := range qs {
		qs[i] = &queue{ctx: ctx}
		qs[i].changed.L = &qs[i].mu
		context.AfterFunc(ctx, qs[i].wake)
	}
	return qs
}

// add notes a line for the queue of its interaction: all lines of one interaction are in the same queue.
func (qs queues) add(l Line) {
	q := qs[hashOf(l.Name)%uint32(len(qs))]
	q.read = append(q.read, l)
}

// flush puts the added lines into their queues. Lines that were read together get there together, so that the worker can
// group them.
func (qs queues) flush() error {
	for _, q := range qs {
		if len(q.read) == 0 {
			continue
		}
		if err := q.put(q.read); err != nil {
			return err
		}
		q.read = nil
	}
	return nil
}

// close says that there are no more lines.
func (qs queues) close() {
	for _, q := range qs {
		q.mu.Lock()
		q.closed = true
		q.changed.Broadcast()
		q.mu.Unlock()
	}
}
