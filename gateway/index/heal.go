package index

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"segue/client"
)

const (
	concurrentQueries = 10
	// promptQueries of them are for what a person waits for, however many interactions do not answer.
	promptQueries    = 3
	queriesPerSecond = 50
	// startQueriesPerSecond is for a replica that is not ready yet, and so has no requests to answer.
	startQueriesPerSecond = 200
	// verifiesPerSecond bounds the queries that only make sure.
	verifiesPerSecond = 10
	queryTimeout      = 5 * time.Second

	firstPause   = 200 * time.Millisecond
	longestPause = 20 * time.Second
)

// task is why an interaction is queried.
type task struct {
	// urgent is for what a person waits for; idle is for what only makes sure.
	urgent, idle bool
	// must asks for a query even if the history has asked, the revision whose notice is missing.
	must  bool
	asked cursor
	// quiet keeps the answer to this replica: it is no news that the stream lacks.
	quiet bool
	// absent is set for an interaction that the index has and the list of running ones lacks.
	absent bool
}

// and returns the task that does both.
func (t task) and(o task) task {
	asked := t.asked
	if o.asked.run != asked.run || o.asked.revision > asked.revision {
		asked = o.asked
	}
	if o.asked == (cursor{}) {
		asked = t.asked
	}
	return task{
		urgent: t.urgent || o.urgent, idle: t.idle && o.idle, must: t.must || o.must, asked: asked,
		quiet: t.quiet && o.quiet, absent: t.absent || o.absent,
	}
}

// job is the queries of one interaction until one is answered.
type job struct {
	name     client.Name
	task     task
	queued   bool
	running  bool
	again    *task // came while it was running
	attempts int
	pause    *time.Timer
}

// healing is the interactions that are to be queried. Each is there once.
type healing struct {
	mu     sync.Mutex
	jobs   map[client.Name]*job
	urgent deque[*job]
	normal deque[*job]
	idle   deque[*job]
	// wake, prompt and slow wake a worker, one that does what is urgent alone, and the verifier.
	wake, prompt, slow chan struct{}
	ended              bool
	// answered is when a query was answered last. failures counts those that failed since, and
	// failing is when the first of them did.
	answered time.Time
	failing  time.Time
	failures int
	limit    *rate.Limiter
}

func (h *healing) init() {
	h.jobs = map[client.Name]*job{}
	h.limit = rate.NewLimiter(startQueriesPerSecond, concurrentQueries)
	h.wake, h.prompt, h.slow = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{}, 1)
}

// request has an interaction queried.
func (h *healing) request(n client.Name, t task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	j := h.jobs[n]
	if j == nil {
		j = &job{name: n, task: t}
		h.jobs[n] = j
		h.enqueue(j)
		return
	}
	if j.running {
		if j.again != nil {
			t = j.again.and(t)
		}
		j.again = &t
		return
	}
	raised := t.urgent && !j.task.urgent || j.task.idle && !t.idle
	j.task = j.task.and(t)
	if raised {
		h.enqueue(j)
	}
}

// enqueue puts a job into the queue of its urgency; it may still be in that of a lower one.
func (h *healing) enqueue(j *job) {
	if h.ended {
		return
	}
	if j.pause != nil {
		j.pause.Stop()
		j.pause = nil
	}
	j.queued = true
	switch {
	case j.task.urgent:
		h.urgent.push(j)
		signal(h.prompt)
	case j.task.idle:
		h.idle.push(j)
		signal(h.slow)
		return
	default:
		h.normal.push(j)
	}
	signal(h.wake)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// pop returns the next job of the first queue that has one, or nil.
func (h *healing) pop(wake chan struct{}, queues ...*deque[*job]) *job {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, q := range queues {
		for q.len() > 0 {
			j := q.front()
			q.drop()
			if !j.queued {
				continue // another queue had it
			}
			j.queued, j.running = false, true
			signal(wake) // there may be more
			return j
		}
	}
	return nil
}

func (h *healing) next(ctx context.Context, wake chan struct{}, queues ...*deque[*job]) (*job, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if j := h.pop(wake, queues...); j != nil {
			return j, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// finish ends a job, or has it run again after a pause.
func (h *healing) finish(j *job, again *task, pause time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	j.running = false
	switch {
	case again != nil && j.again != nil:
		j.task, pause = again.and(*j.again), 0
	case again != nil:
		j.task = *again
	case j.again != nil:
		j.task, j.attempts, pause = *j.again, 0, 0
	default:
		delete(h.jobs, j.name)
		return
	}
	j.again = nil
	if pause == 0 || h.ended {
		h.enqueue(j)
		return
	}
	j.pause = time.AfterFunc(pause, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if !j.queued && !j.running && h.jobs[j.name] == j {
			h.enqueue(j)
		}
	})
}

func (h *healing) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for _, j := range h.jobs {
		if j.pause != nil {
			j.pause.Stop()
		}
	}
}

// worker queries one interaction after the other of some queues.
func (x *Index) worker(ctx context.Context, limit *rate.Limiter, wake chan struct{}, queues ...*deque[*job]) error {
	for {
		j, err := x.heal.next(ctx, wake, queues...)
		if err != nil {
			return err
		}
		x.do(ctx, limit, j)
	}
}

// verifier queries those that nothing speaks against, one at a time.
func (x *Index) verifier(ctx context.Context, limit *rate.Limiter) error {
	slowly := rate.NewLimiter(verifiesPerSecond, 1)
	for {
		if err := slowly.Wait(ctx); err != nil {
			return err
		}
		j, err := x.heal.next(ctx, x.heal.slow, &x.heal.idle)
		if err != nil {
			return err
		}
		x.do(ctx, limit, j)
	}
}

func (x *Index) do(ctx context.Context, limit *rate.Limiter, j *job) {
	again, pause := x.repair(ctx, limit, j)
	x.heal.finish(j, again, pause)
}
