package notices_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc/codes"

	"segue/client"
	"segue/contract"
	"segue/replay"
	"segue/workflows"
)

var quiet = sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))

func isOver(err error) bool { return errors.As(err, new(*serviceerror.NotFound)) }

// isLate reports whether a query was not answered in time, and may be repeated.
func isLate(err error) bool { return serviceerror.ToStatus(err).Code() == codes.DeadlineExceeded }

// states are those that a run has right after each change, by revision, as a replay of its history gives them.
type states struct {
	interceptor.WorkerInterceptorBase
	of    map[int64]*contract.State
	query func(converter.RawValue) (contract.State, error)
}

// replayed returns the states of a run.
func replayed(t *testing.T, history *historypb.History, execution workflow.Execution) map[int64]*contract.State {
	t.Helper()
	s := &states{of: map[int64]*contract.State{}}
	plugin, err := workflows.NewPlugin(workflows.WithNotices(&sink{}))
	require.NoError(t, err)
	replayer, err := sdkworker.NewWorkflowReplayerWithOptions(sdkworker.WorkflowReplayerOptions{
		Plugins: []sdkworker.Plugin{plugin}, Interceptors: []interceptor.WorkerInterceptor{s}, DisableDeadlockDetection: true,
	})
	require.NoError(t, err)
	workflows.Register(replayer)
	require.NoError(t, replayer.ReplayWorkflowHistoryWithOptions(quiet, history, sdkworker.ReplayWorkflowHistoryOptions{OriginalExecution: execution}))
	return s.of
}

func (s *states) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	run := &replayedRun{states: s}
	run.Next = next
	return run
}

type replayedRun struct {
	interceptor.WorkflowInboundInterceptorBase
	states *states
}

func (r *replayedRun) Init(next interceptor.WorkflowOutboundInterceptor) error {
	out := &replayedOut{states: r.states}
	out.Next = next
	return r.Next.Init(out)
}

type replayedOut struct {
	interceptor.WorkflowOutboundInterceptorBase
	states *states
}

func (o *replayedOut) SetQueryHandlerWithOptions(ctx workflow.Context, query string, handler any, options workflow.QueryHandlerOptions) error {
	if query == contract.QueryState {
		o.states.query = handler.(func(converter.RawValue) (contract.State, error))
		o.states.note()
	}
	return o.Next.SetQueryHandlerWithOptions(ctx, query, handler, options)
}

// IsReplaying is what the workflow asks right after each change.
func (o *replayedOut) IsReplaying(ctx workflow.Context) bool {
	o.states.note()
	return o.Next.IsReplaying(ctx)
}

// note keeps the first state of each revision.
func (s *states) note() {
	if s.query == nil {
		return
	}
	state, err := s.query(converter.RawValue{})
	if err == nil && s.of[state.Revision] == nil {
		s.of[state.Revision] = &state
	}
}

// checked is what a check found.
type checked struct{ published, announced int }

// check compares what was published with a replay of the histories: each change has one notice, with the state right
// after it, in order; a missing one was announced. It stops the workers of this process.
func (e *env) check(names ...client.Name) (found checked) {
	e.t.Helper()
	for _, stop := range e.stops {
		stop()
	}
	e.sink.encoding.Wait()
	require.NoError(e.t, e.sink.err)
	of := map[string]map[int64]*contract.Notice{}
	last := map[string]int64{}
	for _, n := range e.sink.notices {
		require.Nil(e.t, of[n.RunID][n.Revision], "revision %d of %s came twice", n.Revision, n.Interaction)
		require.Greater(e.t, n.Revision, last[n.RunID], "%s: a notice came too late", n.Interaction)
		if of[n.RunID] == nil {
			of[n.RunID] = map[int64]*contract.Notice{}
		}
		of[n.RunID][n.Revision], last[n.RunID] = n, n.Revision
	}
	due := map[string]int64{}
	for _, d := range e.sink.dues {
		due[d.RunID] = max(due[d.RunID], d.Revision)
	}
	for _, name := range names {
		for n, execution := range e.runsOf(name) {
			history, err := replay.Fetch(e.t.Context(), e.Temporal, execution)
			require.NoError(e.t, err)
			states := replayed(e.t, history, execution)
			if n > 0 {
				delete(states, slices.Min(slices.Collect(maps.Keys(states)))) // what the run before left
			}
			e.checkRun(states, of[execution.RunID], due[execution.RunID], &found)
			delete(of, execution.RunID)
		}
	}
	require.Empty(e.t, of, "notices of other runs")
	return found
}

func (e *env) checkRun(states map[int64]*contract.State, notices map[int64]*contract.Notice, due int64, found *checked) {
	e.t.Helper()
	require.NotEmpty(e.t, states)
	for revision := range notices {
		require.Contains(e.t, states, revision, "a phantom")
	}
	for revision, state := range states {
		n := notices[revision]
		if n == nil {
			require.LessOrEqual(e.t, revision, due, "a change is neither published nor announced")
			found.announced++
			continue
		}
		found.published++
		require.Equal(e.t, timeless(e.t, state), timeless(e.t, n.State))
		require.Equal(e.t, state.Sequence, n.Sequence)
		if len(n.Events) > 0 {
			require.Equal(e.t, n.Sequence, n.Events[len(n.Events)-1].Sequence)
		}
		require.NotEmpty(e.t, n.FirstRunID)
		require.NotEmpty(e.t, n.Command)
		if before := states[revision-1]; before != nil {
			require.ElementsMatch(e.t, agentsIn(before), n.AgentsBefore)
		}
		var present []string
		for agent := range n.CapabilitiesFor {
			present = append(present, agent)
		}
		require.ElementsMatch(e.t, agentsIn(state), present)
	}
}

func agentsIn(state *contract.State) (agents []string) {
	for _, p := range state.Participants {
		if p.Agent != nil {
			agents = append(agents, p.Agent.ID)
		}
	}
	for _, a := range state.OfferedTo {
		agents = append(agents, a.ID)
	}
	return agents
}

// timeless returns a state as JSON without the times that depend on the durations of timers: the first notices are made
// before these are known.
func timeless(t *testing.T, state *contract.State) string {
	t.Helper()
	copied := *state
	copied.OfferedUntil, copied.EngagedUntil, copied.LateUntil = nil, nil, nil
	text, err := json.Marshal(copied)
	require.NoError(t, err)
	return string(text)
}

// runsOf returns the runs of an interaction, the first one first.
func (e *env) runsOf(n client.Name) []workflow.Execution {
	e.t.Helper()
	described, err := e.Temporal.DescribeWorkflowExecution(e.t.Context(), n.WorkflowID(), "")
	require.NoError(e.t, err)
	var runs []workflow.Execution
	for next := described.GetWorkflowExecutionInfo().GetFirstRunId(); next != ""; {
		execution := workflow.Execution{ID: n.WorkflowID(), RunID: next}
		runs = append(runs, execution)
		history, err := replay.Fetch(e.t.Context(), e.Temporal, execution)
		require.NoError(e.t, err)
		events := history.GetEvents()
		next = events[len(events)-1].GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
	return runs
}
