package e2e_test

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	temporalsdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// TestRestartsLoseNothing restarts two workers alternately under load. A worker that is stopped as an orchestrator
// stops it finishes its deliveries in flight, and nothing is sent twice. A killed worker leaves at most its
// deliveries in flight to be sent again.
func TestRestartsLoseNothing(t *testing.T) {
	t.Parallel()
	const restarts, atOnce = 4, 8
	for name, way := range map[string]struct {
		end func(e *load, w *exec.Cmd)
		// most is how many requests may be sent twice: for each interaction, those that one workflow task sends at most, and
		// those that an activity had in flight.
		most int
	}{
		"rolling": {func(e *load, w *exec.Cmd) { e.stop(w) }, 0},
		"killed":  {func(e *load, w *exec.Cmd) { e.kill(w) }, restarts * atOnce * (8 + 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newLoad(t)
			workers := []*exec.Cmd{e.startWorker(e.config()), e.startWorker(e.config())}
			e.during(atOnce, func() {
				for i := range restarts {
					time.Sleep(time.Second)
					way.end(e, workers[i%2])
					workers[i%2] = e.startWorker(e.config())
				}
				time.Sleep(time.Second)
			})
			require.LessOrEqual(t, e.requireSound().duplicates, way.most)
		})
	}
}

// kill ends a worker whatever it is doing.
func (e *env) kill(w *exec.Cmd) {
	e.t.Helper()
	require.NoError(e.t, w.Process.Kill())
	_ = w.Wait() // "signal: killed"
}

// stop ends a worker gracefully.
func (e *env) stop(w *exec.Cmd) {
	e.t.Helper()
	require.NoError(e.t, w.Process.Signal(syscall.SIGTERM))
	require.NoError(e.t, w.Wait(), "a worker that is stopped exits with status 0")
}

// TestWorkersThatAreDeadForLongerThanEveryTimer lets the timers of interactions expire while no worker runs. When one
// runs again, the interactions end, with their end triggers.
func TestWorkersThatAreDeadForLongerThanEveryTimer(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	yaml := probeConfig(crm.URL, "interaction_starts", "interaction_ends") + "\n"
	const lifetime = 12 * time.Second // time enough for both to begin
	yaml = replaceOnce(t, yaml, "late_events: 0s", "late_events: 0s, lifetime: "+lifetime.String())
	w := e.startWorker(yaml)
	e.start("silent", "inbound")
	e.start("owned", "inbound")
	e.signal("owned", "accept", `{"agent":{"id":"a1"}}`)
	for _, id := range []string{"silent", "owned"} {
		e.eventually(time.Minute, id+" has begun", func() bool {
			delivered, err := query[[]contract.DeliveryRecord](e, id, contract.QueryDeliveries)
			return err == nil && len(delivered) == 1 && delivered[0].Status == contract.StatusDelivered
		})
	}
	e.kill(w)
	require.Len(t, crm.seen(), 2, "none has ended before")
	time.Sleep(lifetime)
	require.Len(t, crm.seen(), 2)
	e.startWorker(yaml)
	for _, id := range []string{"silent", "owned"} {
		var last contract.State
		require.NoError(t, e.client.GetWorkflow(t.Context(), e.workflowID(id), "").Get(t.Context(), &last))
		require.Equal(t, interaction.OutcomeExpired, last.Outcome)
	}
	require.Len(t, crm.seen(), 4, "each end, once")
}

// TestACanceledWorkflowSaysWhy cancels as the Temporal UI and command line do.
func TestACanceledWorkflowSaysWhy(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(replaceOnce(t, probeConfig(crm.URL, "interaction_ends"), `"${event.when}"}`, `"${event.when}", why: "${event.reason}"}`))
	run := e.start("c1", "inbound")
	e.signal("c1", "accept", `{"agent":{"id":"a1"}}`)
	require.NoError(t, e.client.CancelWorkflowWithOptions(t.Context(), client.CancelWorkflowOptions{WorkflowID: e.workflowID("c1"), Reason: "the line burned down"}))
	var last contract.State
	require.NoError(t, run.Get(t.Context(), &last))
	require.Equal(t, interaction.OutcomeCanceled, last.Outcome)
	require.Len(t, crm.seen(), 1)
	require.Contains(t, crm.seen()[0].Body, `"why":"the line burned down"`)
	require.NoError(t, replayWith(e.history("c1", run.GetRunID())))
}

// TestASuspendedWorkerThatContinuesChangesNothing suspends a worker during a delivery for longer than Temporal waits
// for it, and resumes it when another one has taken over: its results come too late, and no state is lost.
func TestASuspendedWorkerThatContinuesChangesNothing(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]struct {
		// known makes the workers know the receiver as a fast one first, so that the request is sent within a workflow
		// task; otherwise an activity sends it.
		known bool
	}{"within a workflow task": {true}, "by an activity": {false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			stopped, release := make(chan struct{}), make(chan struct{})
			var zombie *exec.Cmd
			crm := newReceiver(t, func(a arrival) int {
				if a.bodyID() != "z1" {
					return 200
				}
				select {
				case <-stopped:
				default: // the first time
					if err := zombie.Process.Signal(syscall.SIGSTOP); err != nil {
						t.Error(err)
					}
					close(stopped)
					<-release
				}
				return 200
			})
			yaml := probeConfig(crm.URL, "inbound.dtmf", "interaction_ends")
			zombie = e.startWorker(yaml)
			if way.known {
				for range 3 {
					e.warmUp(crm)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			run := e.startImpatient("z1")
			e.eventually(time.Minute, "it has begun", func() bool {
				_, err := query[contract.State](e, "z1", contract.QueryState)
				return err == nil
			})
			e.signal("z1", "dtmf", `{"digits":"1"}`)
			<-stopped
			e.occupy()
			other := e.startWorker(yaml)
			e.eventually(time.Minute, "the other worker sends it again", func() bool { return len(of("z1", crm)) == 2 })
			close(release)
			require.NoError(t, zombie.Process.Signal(syscall.SIGCONT))
			e.signal("z1", "dtmf", `{"digits":"2"}`)
			e.eventually(time.Minute, "it goes on", func() bool { return len(of("z1", crm)) == 3 })
			e.stop(other)
			e.signal("z1", "abandon", `{}`) // the resumed worker is like any other again
			var last contract.State
			require.NoError(t, run.Get(ctx, &last))
			require.Equal(t, interaction.OutcomeAbandoned, last.Outcome)
			require.Zero(t, last.Undelivered)

			arrived := of("z1", crm)
			require.Len(t, arrived, 4)
			arrived[1].At = arrived[0].At // of course it came later
			require.Equal(t, arrived[0], arrived[1], "the one repeat has the id and the bytes of the original")
			history := e.history("z1", run.GetRunID())
			want, _, rejected := replayPurely(t, e.name, "z1", history)
			require.Empty(t, rejected)
			require.Equal(t, want.Sequence, last.Sequence)
			require.NoError(t, replayWith(history))
			requireInOrderOnce(t, arrived[1:], 3)
			taken := enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED
			if way.known {
				taken = enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT
			}
			require.True(t, slices.ContainsFunc(history, func(event *historypb.HistoryEvent) bool {
				return event.GetEventType() == taken && (way.known || event.GetActivityTaskStartedEventAttributes().GetAttempt() > 1)
			}), "the work was taken from the stopped worker")
		})
	}
}

// startImpatient starts an interaction with a short timeout of its workflow tasks.
func (e *env) startImpatient(id string) client.WorkflowRun {
	e.t.Helper()
	run, err := e.client.ExecuteWorkflow(e.t.Context(),
		client.StartWorkflowOptions{ID: e.workflowID(id), TaskQueue: e.name, WorkflowTaskTimeout: 2 * time.Second},
		contract.WorkflowInteraction, startOf(e.name, id, "inbound"))
	require.NoError(e.t, err)
	return run
}

// occupy gives a suspended worker tasks for all its polls: Temporal does not know that the worker is suspended, and
// would give it one task after the other, each until it times out, before it asks another worker.
func (e *env) occupy() {
	e.t.Helper()
	const polls = 60 // more than a worker has
	w := worker.New(e.client, e.name+"-occupier", worker.Options{})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			TaskQueue: e.name, StartToCloseTimeout: time.Minute, RetryPolicy: &temporalsdk.RetryPolicy{MaximumAttempts: 1},
		})
		for range polls {
			workflow.ExecuteActivity(ctx, "nothing")
		}
		return workflow.Sleep(ctx, time.Minute)
	}, workflow.RegisterOptions{Name: "Occupier"})
	require.NoError(e.t, w.Start())
	defer w.Stop()
	run, err := e.client.ExecuteWorkflow(e.t.Context(), client.StartWorkflowOptions{TaskQueue: e.name + "-occupier"}, "Occupier")
	require.NoError(e.t, err)
	e.t.Cleanup(func() { _ = e.client.TerminateWorkflow(context.Background(), run.GetID(), "", "the test is over") })
	e.eventually(time.Minute, "the activities are given to the worker", func() bool {
		described, err := e.client.DescribeWorkflowExecution(e.t.Context(), run.GetID(), "")
		return err == nil && len(described.GetPendingActivities()) == polls
	})
	for i := range 12 {
		id := fmt.Sprintf("occupier-%d", i)
		e.startImpatient(id)
		e.signal(id, "abandon", `{}`)
	}
}
