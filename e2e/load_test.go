package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/replay"
	"segue/workflows"
)

// The calls of a load: one receiver is fast and one is not, so that their requests take different routes; and the
// moments at which each is called.
var loadCalls = map[string][]interaction.Moment{
	"fast": {interaction.MomentInteractionStarts, interaction.MomentSegmentChange, interaction.MomentInteractionEnds},
	"slow": {interaction.MomentInteractionStarts, "inbound.agent_connect", interaction.MomentInteractionEnds},
}

const slowly = 120 * time.Millisecond

// lives are the courses of the interactions of a load.
var lives = [][][2]string{
	{{"place_in_queue", `{"queue":"sales"}`}, {"offer", `{"agent":{"id":"a1"}}`}, {"accept", `{"agent":{"id":"a1"}}`},
		{"attach_user_data", `{"user_data":{"tier":"gold"}}`}, {"complete", `{}`}},
	{{"place_in_queue", `{"queue":"sales"}`}, {"abandon", `{}`}},
	{{"offer", `{"agent":{"id":"a1"}}`}, {"reject", `{"agent":{"id":"a1"}}`}, {"offer", `{"agent":{"id":"a2"}}`}, {"accept", `{"agent":{"id":"a2"}}`},
		{"hold", `{}`}, {"retrieve", `{}`}, {"transfer", `{"to":{"agent":{"id":"a3"}}}`}, {"complete", `{"disposition":{"code":"SOLD"}}`}},
}

// load is a set of interactions that start and end all the time, and a ledger of what Temporal has acknowledged.
type load struct {
	*env
	fast, slow *receiver

	mu    sync.Mutex
	acked map[string]int // commands of each interaction
	runs  map[string]string
}

func newLoad(t *testing.T) *load {
	e := &load{env: newEnv(t), acked: map[string]int{}, runs: map[string]string{}}
	e.fast = newReceiver(t, func(arrival) int { return 200 })
	e.slow = newReceiver(t, func(arrival) int { time.Sleep(slowly); return 200 })
	return e
}

func (e *load) config() string {
	yaml := "calls:\n"
	for name, receiver := range map[string]*receiver{"fast": e.fast, "slow": e.slow} {
		yaml += fmt.Sprintf("  - {name: %s, method: POST, url: %s/x, json: {id: \"${interaction.id}\", sequence: \"${event.sequence}\", when: \"${event.when}\"}}\n",
			name, receiver.URL)
	}
	yaml += "triggers:\n"
	for name, whens := range loadCalls {
		for _, when := range whens {
			yaml += fmt.Sprintf("  - {when: %s, call: %s}\n", when, name)
		}
	}
	return yaml + "timeouts: {default: {late_events: 0s}}\nguard: {allow: [\"127.0.0.0/8\"]}\n"
}

// during keeps a number of interactions running while a function changes the workers; then it waits until all have
// ended.
func (e *load) during(parallel int, happens func()) {
	e.t.Helper()
	ctx, stop := context.WithCancel(e.t.Context())
	var players sync.WaitGroup
	for p := range parallel {
		random := rand.New(rand.NewPCG(uint64(p), 7))
		players.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				e.live(fmt.Sprintf("p%d-%d", p, n), lives[random.IntN(len(lives))], random)
			}
		})
	}
	happens()
	stop()
	players.Wait()
	e.finished()
}

// live plays one interaction with pauses.
func (e *load) live(id string, commands [][2]string, random *rand.Rand) {
	run := e.startImpatient(id)
	for _, c := range commands {
		time.Sleep(time.Duration(20+random.IntN(100)) * time.Millisecond)
		e.signal(id, c[0], c[1])
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.acked[id], e.runs[id] = len(commands), run.GetRunID()
}

// finished waits until every interaction has ended.
func (e *load) finished() {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), 3*time.Minute)
	defer cancel()
	for id := range e.acked {
		require.NoError(e.t, e.client.GetWorkflow(ctx, e.workflowID(id), "").Get(ctx, nil), id)
	}
}

// sound is the result of a load.
type sound struct {
	interactions, deliveries, duplicates int
	failedTasks                          map[enumspb.WorkflowTaskFailedCause]int
}

// requireSound compares the outcome of every interaction with the acknowledged commands: every command was applied,
// once and legally; every delivery arrived, in the order of its lane, and repeats have the same id and bytes; every
// history replays.
func (e *load) requireSound(changes ...interceptor.WorkerInterceptor) sound {
	t := e.t
	t.Helper()
	s := sound{interactions: len(e.acked), failedTasks: map[enumspb.WorkflowTaskFailedCause]int{}}
	require.NotZero(t, s.interactions)
	expected := map[string]map[string][]string{"fast": {}, "slow": {}} // the delivery ids by call and interaction
	for id, runID := range e.runs {
		history := e.history(id, runID)
		want, events, rejected := replayPurely(t, e.name, id, history)
		require.Empty(t, rejected, id)
		require.Equal(t, e.acked[id], signals(history), "%s: what was acknowledged is in the history", id)
		var got contract.State
		require.NoError(t, e.client.GetWorkflow(t.Context(), e.workflowID(id), runID).Get(t.Context(), &got))
		require.Equal(t, want.State, got.State, id)
		require.Equal(t, want.Outcome, got.Outcome, id)
		require.Equal(t, want.Sequence, got.Sequence, id)
		require.Zero(t, got.RejectedCount, id)
		require.Zero(t, got.Undelivered, id)
		owner := contract.Owner{ContactCenter: e.name, Interaction: id, FirstRunID: runID}
		for call, whens := range loadCalls {
			for _, event := range events {
				if slices.Contains(whens, event.Moment) {
					expected[call][id] = append(expected[call][id], contract.DeliveryID(owner, &event, call))
				}
			}
		}
		for _, cause := range failedTasks(history) {
			s.failedTasks[cause]++
		}
		require.NoError(t, replayWith(history, changes...), id)
	}
	for call, receiver := range map[string]*receiver{"fast": e.fast, "slow": e.slow} {
		delivered, duplicates := requireLanes(t, receiver.seen(), expected[call])
		s.deliveries += delivered
		s.duplicates += duplicates
	}
	t.Logf("%d interactions, %d deliveries, %d duplicates, failed tasks: %v", s.interactions, s.deliveries, s.duplicates, s.failedTasks)
	return s
}

func signals(history []*historypb.HistoryEvent) int {
	n := 0
	for _, event := range history {
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
			n++
		}
	}
	return n
}

// requireLanes compares the arrivals at one call's receiver with the deliveries that each interaction should have
// made.
func requireLanes(t *testing.T, arrivals []arrival, expected map[string][]string) (delivered, duplicates int) {
	t.Helper()
	first := map[string][]string{} // of each interaction, the ids in the order of their first arrival
	bodies := map[string]string{}
	for _, a := range arrivals {
		var body struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(a.Body), &body))
		if seen, again := bodies[a.ID]; again {
			require.Equal(t, seen, a.Body, "a repeat has the bytes of the original")
			duplicates++
			continue
		}
		bodies[a.ID] = a.Body
		first[body.ID] = append(first[body.ID], a.ID)
	}
	for id, ids := range expected {
		require.Equal(t, ids, first[id], id)
		delivered += len(ids)
	}
	require.Len(t, bodies, delivered, "nothing else arrived")
	return delivered, duplicates
}

// replayWith replays a history with the current workflows, changed or not.
func replayWith(history []*historypb.HistoryEvent, changes ...interceptor.WorkerInterceptor) error {
	if len(changes) == 0 {
		return replay.History(&historypb.History{Events: history}, quiet)
	}
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return err
	}
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{Plugins: []worker.Plugin{plugin}, Interceptors: changes})
	if err != nil {
		return err
	}
	workflows.Register(replayer)
	started := history[0].GetWorkflowExecutionStartedEventAttributes()
	return replayer.ReplayWorkflowHistoryWithOptions(quiet, &historypb.History{Events: history}, worker.ReplayWorkflowHistoryOptions{
		OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()},
	})
}
