package notices_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"segue/client"
	"segue/contract"
)

// published requires that everything was published, and nothing but that.
func (e *env) published(names ...client.Name) checked {
	e.t.Helper()
	found := e.check(names...)
	require.Zero(e.t, found.announced)
	require.Positive(e.t, found.published)
	return found
}

// handle leads a call through offer, contact and wrap-up to its end, with refused signals and updates in between.
func (e *env) handle(n client.Name) {
	e.t.Helper()
	e.update(n, "place_in_queue", `{"queue":"sales"}`)
	e.signal(n, "teleport", `{}`)
	e.signal(n, "retrieve", `{}`)
	e.update(n, "offer", `{"agent":{"id":"ada","name":"Ada"}}`)
	for range 3 {
		_, err := e.Update(e.t.Context(), n, "retrieve", "", json.RawMessage(`{}`))
		require.ErrorAs(e.t, err, new(*client.RefusedError))
	}
	e.update(n, "accept", `{"agent":"ada"}`)
	e.signal(n, "attach_user_data", `{"user_data":{"a":{"b":1}}}`)
	e.signal(n, "dtmf", `{"digits":"1"}`)
	e.update(n, "consult", `{"to":{"agent":"bob"}}`)
	e.update(n, "conference", `{"agent":"bob"}`)
	e.signal(n, "update_user_data", `{"user_data":{"a":{"c":2}}}`)
	e.update(n, "disconnect", `{}`)
	e.update(n, "complete", `{"disposition":{"code":"SOLD"}}`)
}

func TestRejections(t *testing.T) {
	e := newEnv(t)
	f, _ := e.startWorker()
	n := e.start("i1")
	e.handle(n)
	e.finish(n)
	e.published(n)
	require.Zero(t, f.failed.Load())
	require.NotEmpty(t, e.sink.notices[len(e.sink.notices)-1].State.EndedBy)
}

// The offer is missed, the queue overflows, the wrap-up and the wait for late data end by their timers.
func TestTimers(t *testing.T) {
	e := newEnv(t)
	e.startWorker()
	missed, worked := e.start("missed"), e.start("worked")
	e.update(missed, "place_in_queue", `{"queue":"sales"}`)
	e.update(missed, "offer", `{"agent":"ada"}`)
	e.update(worked, "offer", `{"agent":"bob"}`)
	e.update(worked, "accept", `{"agent":"bob"}`)
	e.update(worked, "disconnect", `{}`)
	require.NoError(t, e.Temporal.GetWorkflow(t.Context(), worked.WorkflowID(), "").Get(t.Context(), nil))
	require.Eventually(t, func() bool {
		state, err := e.State(t.Context(), missed)
		return err == nil && state.Revision >= 5
	}, patience, pollEvery, "the offer was missed and the queue overflowed")
	e.finish(missed)
	e.published(missed, worked)
}

// The durations of timers are known when the first Dispatch of a run has returned, after its first changes.
func TestTheFirstOfferHasItsEnd(t *testing.T) {
	e := newEnv(t)
	n := e.start("i1")
	e.signal(n, "offer", `{"agent":"ada"}`)
	e.startWorker()
	e.awaitSequence(n, 2)
	e.finish(n)
	e.published(n)
	offer, after := e.sink.notices[1], e.sink.notices[2]
	require.Equal(t, "offer", offer.Command)
	require.NotNil(t, offer.State.OfferedUntil)
	require.Nil(t, after.State.OfferedUntil)
}

// The signals wait until the worker starts, and are applied in one task.
func TestABurstThatWaited(t *testing.T) {
	e := newEnv(t)
	n := e.start("i1")
	e.burst(n, 260)
	e.startWorker()
	e.awaitSequence(n, 261)
	e.finish(n)
	require.GreaterOrEqual(t, e.published(n).published, 261)
}

// The server fails a task during which more than 100 signals arrive.
func TestABurstDuringATask(t *testing.T) {
	e := newEnv(t)
	e.startWorker()
	n := e.start("i1")
	e.slow.Store(int64(100 * time.Millisecond))
	e.burst(n, 260)
	e.slow.Store(0)
	e.awaitSequence(n, 261)
	e.finish(n)
	require.GreaterOrEqual(t, e.published(n).published, 261)
}

func (e *env) burst(n client.Name, signals int) {
	e.t.Helper()
	var senders errgroup.Group
	senders.SetLimit(16)
	for digit := range signals {
		senders.Go(func() error {
			return e.Signal(e.t.Context(), n, "dtmf", fmt.Appendf(nil, `{"event_id":"e%d","digits":"1"}`, digit))
		})
	}
	require.NoError(e.t, senders.Wait())
}

func (e *env) awaitSequence(n client.Name, sequence int64) {
	e.t.Helper()
	require.Eventually(e.t, func() bool {
		state, err := e.State(e.t.Context(), n)
		return err == nil && state.Sequence >= sequence
	}, 2*patience, pollEvery)
}

// Dispatch sends while updates arrive, some of which are refused.
func TestUpdatesDuringLocalActivities(t *testing.T) {
	e := newEnv(t)
	e.startWorker()
	e.slow.Store(int64(60 * time.Millisecond))
	n := e.start("i1")
	var senders errgroup.Group
	for sender := range 6 {
		senders.Go(func() error {
			for k := range 10 {
				if _, err := e.Update(t.Context(), n, "dtmf", "", fmt.Appendf(nil, `{"event_id":"%d-%d","digits":"1"}`, sender, k)); err != nil {
					return err
				}
				var refused *client.RefusedError
				if _, err := e.Update(t.Context(), n, "retrieve", "", json.RawMessage(`{}`)); !errors.As(err, &refused) {
					return fmt.Errorf("retrieve: %w", err)
				}
			}
			return nil
		})
	}
	require.NoError(t, senders.Wait())
	e.finish(n)
	require.Greater(t, e.published(n).published, 60)
}

func TestHeartbeats(t *testing.T) {
	e := newEnv(t)
	f, _ := e.startWorker()
	n := e.startWith("i1", time.Second)
	f.delay.Store(int64(1200 * time.Millisecond))
	for range 3 {
		e.update(n, "dtmf", `{"digits":"1"}`)
	}
	f.delay.Store(0)
	e.finish(n)
	require.Positive(t, f.heartbeats.Load())
	e.published(n)
}

// Temporal takes completions whose answers are lost: their changes are announced after the commit.
func TestLostAnswers(t *testing.T) {
	e := newEnv(t)
	f, _ := e.startWorker()
	n := e.start("i1")
	for _, command := range []string{
		`offer {"agent":"ada"}`, `accept {"agent":"ada"}`, `hold {}`, `retrieve {}`, `dtmf {"digits":"1"}`, `disconnect {}`, `complete {}`,
	} {
		var name string
		_, err := fmt.Sscan(command, &name)
		require.NoError(t, err)
		f.lose.Store(1)
		e.update(n, name, command[len(name)+1:])
		require.Eventually(t, func() bool { return f.lose.Load() < 1 }, patience, pollEvery)
	}
	f.lose.Store(0)
	e.finish(n)
	require.Positive(t, f.refused.Load(), "the SDK sent a completion again, and the server did not know its task any more")
	require.Positive(t, e.check(n).announced)
}

func TestFailedTasks(t *testing.T) {
	e := newEnv(t)
	f, _ := e.startWorker()
	n := e.start("i1")
	for range 4 {
		f.panics.Store(1)
		e.update(n, "dtmf", `{"digits":"1"}`)
	}
	e.finish(n)
	require.Positive(t, f.failed.Load())
	e.published(n)
}

// A worker is stuck in a task until it times out, and another one takes the run over. Then the first one ends its task.
func TestAnotherWorkerTakesOver(t *testing.T) {
	e := newEnv(t)
	first, stop := e.startWorker()
	n := e.startWith("i1", 2*time.Second)
	e.update(n, "dtmf", `{"digits":"1"}`)
	gate := make(chan struct{})
	first.blocked.Store(&gate)
	e.signal(n, "dtmf", `{"digits":"2"}`)
	require.Eventually(t, func() bool { return first.waiting.Load() > 0 }, patience, pollEvery)
	var stopping sync.WaitGroup
	stopping.Go(stop) // it takes no more tasks
	e.startProcess()
	e.signal(n, "attach_user_data", `{"user_data":{"a":1}}`)
	require.Eventually(t, func() bool {
		state, err := e.State(t.Context(), n)
		return err == nil && state.UserData["a"] != nil
	}, patience, pollEvery, "the other worker did the task")
	close(gate)
	stopping.Wait()
	e.update(n, "dtmf", `{"digits":"3"}`)
	e.finish(n)
	require.NoError(t, e.stopProcess())
	require.Positive(t, first.refused.Load())
	e.published(n)
}

// The worker dies after Temporal has taken its task, before it publishes. What it had announced is enough to find the
// change.
func TestAWorkerIsKilledBeforeItPublishes(t *testing.T) {
	e := newEnv(t)
	n := e.start("i1")
	wait := e.startProcess(workerDies + "=1")
	require.Error(t, wait())
	e.sink.mu.Lock()
	dues := append([]contract.Due(nil), e.sink.dues...)
	e.sink.mu.Unlock()
	require.NotEmpty(t, dues)
	e.startWorker()
	e.update(n, "dtmf", `{"digits":"1"}`)
	e.finish(n)
	require.Equal(t, dues[0].Revision, int64(e.check(n).announced))
}

// A worker caches one run, and queries rebuild all of them while tasks are in progress.
func TestQueriesOfEvictedRuns(t *testing.T) {
	e := newEnv(t)
	e.startProcess()
	names := []client.Name{e.start("i1"), e.start("i2"), e.start("i3"), e.start("i4")}
	asking, end := context.WithCancel(t.Context())
	var queries errgroup.Group
	for range 2 {
		for _, n := range names {
			queries.Go(func() error {
				for asking.Err() == nil {
					if _, err := e.State(asking, n); err != nil && asking.Err() == nil && !isLate(err) {
						return err
					}
				}
				return nil
			})
		}
	}
	var work errgroup.Group
	for _, n := range names {
		work.Go(func() error {
			for digit := range 40 {
				var err error
				if digit%3 == 0 {
					_, err = e.Update(t.Context(), n, "dtmf", "", json.RawMessage(`{"digits":"1"}`))
				} else {
					err = e.Signal(t.Context(), n, "attach_user_data", fmt.Appendf(nil, `{"user_data":{"n%d":%d}}`, digit, digit))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, work.Wait())
	end()
	require.NoError(t, queries.Wait())
	e.finish(names...)
	require.NoError(t, e.stopProcess())
	require.Greater(t, e.check(names...).published, 4*40*9/10)
}
