package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"

	"segue/contract"
	"segue/replay"
)

// TestKilledWorkersLoseNothing plays the demo's day with two workers, kills one of them again and again, and checks
// the demo's own ledger and every history.
//
// It does not run in parallel with other tests, because the demo has time limits.
func TestKilledWorkersLoseNothing(t *testing.T) {
	kills := reduced(25, 50)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	f := &killer{env: newEnv(t), random: rand.New(rand.NewPCG(seed, 0)), left: kills}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("workers:\n%.20000s", f.log.String())
		}
	})
	for round := 1; f.left > 0; round++ {
		require.LessOrEqual(t, round, 5, "the demo ends before its workers are killed")
		f.play(fmt.Sprintf("%s-%d", f.name, round))
	}
}

var quiet = log.NewStructuredLogger(slog.New(slog.DiscardHandler))

// killer kills workers.
type killer struct {
	*env
	random *rand.Rand
	left   int
}

// verdict is the part of the demo's output that this test checks.
type verdict struct {
	OK           bool
	Interactions int
	Deliveries   struct{ Expected, Delivered, Refused, Retried, Parked, Attempts, Duplicates int }
	Faults       []string
}

// play plays one day in a contact center of its own while workers are killed.
func (f *killer) play(contactCenter string) {
	t := f.t
	t.Helper()
	config := filepath.Join(t.TempDir(), "demo.yaml")
	demo := exec.Command(segueBin, "demo", "--address", temporal.Address, "--task-queue", f.name, "--contact-center", contactCenter,
		"--no-worker", "--http-port", "0", "--config-out", config, "--allow-duplicates", "--exit", "--json")
	var out, errs bytes.Buffer
	demo.Stdout, demo.Stderr = &out, &errs
	require.NoError(t, demo.Start())
	ended := make(chan error, 1)
	go func() { ended <- demo.Wait() }()
	t.Cleanup(func() { _ = demo.Process.Kill() }) // it has ended, unless the test fails
	f.eventually(time.Minute, "the demo writes its configuration", func() bool {
		text, err := os.ReadFile(config)
		return err == nil && strings.Contains(string(text), "guard:") // its last line
	})
	begin, killed := time.Now(), f.left
	err := f.killUntil(ended, config)
	killed -= f.left

	var v verdict
	require.NoError(t, json.Unmarshal(out.Bytes(), &v), "%v: %s", err, errs.String())
	if err != nil {
		f.explain(contactCenter)
	}
	t.Logf("%s: %d kills in %s; %+v", contactCenter, killed, time.Since(begin).Round(time.Millisecond), v.Deliveries)
	require.NoError(t, err, "%s\n%s", strings.Join(v.Faults, "\n"), errs.String())
	require.True(t, v.OK)
	require.Empty(t, v.Faults)
	require.Positive(t, v.Deliveries.Expected)
	require.Equal(t, v.Deliveries.Expected, v.Deliveries.Delivered+v.Deliveries.Refused)
	require.Equal(t, v.Deliveries.Refused, v.Deliveries.Parked)
	f.requireSoundHistories(contactCenter, v.Interactions)
}

// Between two kills the workers have from hardly enough time to start to enough for some hundred tasks; fifty of
// these intervals last about as long as the day.
const (
	soonest = 100 * time.Millisecond
	latest  = 1400 * time.Millisecond
)

// killUntil runs two workers until the demo has ended, and kills one of them at random moments as long as kills are
// left.
func (f *killer) killUntil(ended <-chan error, config string) error {
	workers := []*exec.Cmd{f.work(config), f.work(config)}
	defer func() {
		for _, w := range workers {
			f.end(w)
		}
	}()
	for {
		var next <-chan time.Time
		if f.left > 0 {
			next = time.After(soonest + time.Duration(f.random.Int64N(int64(latest-soonest))))
		}
		select {
		case err := <-ended:
			return err
		case <-next:
			i := f.random.IntN(len(workers))
			f.end(workers[i])
			workers[i] = f.work(config)
			f.left--
		}
	}
}

func (f *killer) work(config string) *exec.Cmd {
	w := exec.Command(workBin, "--config", config, "--address", temporal.Address, "--task-queue", f.name)
	w.Stdout, w.Stderr = f, f
	require.NoError(f.t, w.Start())
	return w
}

// end kills with SIGKILL: the worker finishes nothing.
func (f *killer) end(w *exec.Cmd) {
	require.NoError(f.t, w.Process.Kill())
	_ = w.Wait() // "signal: killed"
}

// requireSoundHistories checks every workflow of a contact center: no task failed except those that the server itself
// rejected, and the history replays.
func (f *killer) requireSoundHistories(contactCenter string, interactions int) {
	t := f.t
	t.Helper()
	counts := map[string]int{}
	for _, execution := range f.list(fmt.Sprintf("SegueContactCenter = %q", contactCenter)) {
		counts[execution.GetType().GetName()]++
		of := workflow.Execution{ID: execution.GetExecution().GetWorkflowId(), RunID: execution.GetExecution().GetRunId()}
		history := f.historyOf(of.ID, of.RunID)
		for _, event := range history {
			switch event.GetEventType() {
			case enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
				counts[event.GetEventType().String()]++
			}
		}
		require.Subset(t, []enumspb.WorkflowTaskFailedCause{
			enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, enumspb.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
		}, failedTasks(history), of.ID)
		require.NoError(t, replay.History(&historypb.History{Events: history}, quiet), of.ID)
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%s: %6d %s", contactCenter, counts[name], name)
	}
	require.Equal(t, interactions, counts[contract.WorkflowInteraction])
	require.Positive(t, counts[contract.WorkflowDelivery])
	require.Positive(t, counts[enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT.String()], "the kills met workers at work")
}

// explain logs why the workflows of a contact center that are still open do not go on: their pending task, and what
// their history and a replay of it say. Of each it saves the history where SEGUE_HISTORIES says.
func (f *killer) explain(contactCenter string) {
	for _, execution := range f.list(fmt.Sprintf("SegueContactCenter = %q and ExecutionStatus = 'Running'", contactCenter)) {
		id, runID := execution.GetExecution().GetWorkflowId(), execution.GetExecution().GetRunId()
		described, err := f.client.DescribeWorkflowExecution(f.t.Context(), id, runID)
		require.NoError(f.t, err)
		history := f.historyOf(id, runID)
		f.t.Logf("%s is open after %d events; pending: %s %v; a replay: %v", id, len(history), described.GetPendingWorkflowTask(),
			described.GetPendingActivities(), replay.History(&historypb.History{Events: history}, quiet))
		for _, event := range history {
			switch event.GetEventType() {
			case enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
				f.t.Log(event)
			}
		}
		if folder := os.Getenv("SEGUE_HISTORIES"); folder != "" {
			text, err := protojson.Marshal(&historypb.History{Events: history})
			require.NoError(f.t, err)
			require.NoError(f.t, os.WriteFile(filepath.Join(folder, strings.ReplaceAll(id, "/", "_")+".json"), text, 0o600))
		}
	}
}

func (e *env) list(query string) []*workflowpb.WorkflowExecutionInfo {
	var all []*workflowpb.WorkflowExecutionInfo
	for request := (&workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: 1000}); ; {
		page, err := e.client.ListWorkflow(e.t.Context(), request)
		require.NoError(e.t, err)
		all = append(all, page.GetExecutions()...)
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return all
		}
	}
}

func (e *env) historyOf(workflowID, runID string) []*historypb.HistoryEvent {
	e.t.Helper()
	var events []*historypb.HistoryEvent
	pages := e.client.GetWorkflowHistory(e.t.Context(), workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for pages.HasNext() {
		event, err := pages.Next()
		require.NoError(e.t, err)
		events = append(events, event)
	}
	return events
}
