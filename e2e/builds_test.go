package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"segue/contract"
	"segue/e2e/changed"
)

// TestMixedBuildsLoseNothing deploys a build whose workflows are changed behind a version, without versioned workers:
// for a while the old and the new build run side by side, under load. A task that the old build cannot process fails,
// and the new build processes it.
func TestMixedBuildsLoseNothing(t *testing.T) {
	t.Parallel()
	e := newLoad(t)
	first, second := e.startWorker(e.config()), e.startWorker(e.config())
	e.during(8, func() {
		time.Sleep(2 * time.Second)
		e.stop(first)
		e.startBuild(guardedBin, e.config())
		time.Sleep(3 * time.Second)
		e.stop(second)
		e.startBuild(guardedBin, e.config())
		time.Sleep(time.Second)
	})
	s := e.requireSound(changed.Interceptor(changed.Guarded))
	require.Zero(t, s.duplicates)
	for cause := range s.failedTasks {
		require.Contains(t, []enumspb.WorkflowTaskFailedCause{
			enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR, enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
		}, cause)
	}
	builds := map[bool]int{}
	for id, runID := range e.runs {
		builds[hasVersion(e.history(id, runID))]++
	}
	require.Positive(t, builds[false], "some began on the old build")
	require.Positive(t, builds[true], "some began on the new one")
}

// TestAVersionedDeployUnderLoad makes a version current whose workflows are changed, while interactions start and
// end: each ends on the version that it started on, and no task fails.
func TestAVersionedDeployUnderLoad(t *testing.T) {
	t.Parallel()
	e := newLoad(t)
	version := func(binary, build string) {
		e.startBuild(binary, e.config(), "SEGUE_TEMPORAL_BUILD_ID="+build, "SEGUE_TEMPORAL_DEPLOYMENT="+e.name)
		e.deploys(build)
	}
	version(workBin, "1.0")
	e.during(8, func() {
		time.Sleep(2 * time.Second)
		version(guardedBin, "2.0")
		time.Sleep(2 * time.Second)
	})
	s := e.requireSound(changed.Interceptor(changed.Guarded))
	require.Zero(t, s.duplicates)
	require.Zero(t, s.failedTasks[enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR])
	ended := map[string]int{}
	for id, runID := range e.runs {
		builds := map[string]bool{}
		for _, event := range e.history(id, runID) {
			if completed := event.GetWorkflowTaskCompletedEventAttributes(); completed != nil {
				builds[completed.GetDeploymentVersion().GetBuildId()] = true
			}
		}
		require.Len(t, builds, 1, id)
		for build := range builds {
			ended[build]++
		}
	}
	require.Positive(t, ended["1.0"])
	require.Positive(t, ended["2.0"])
}

// hasVersion reports whether a history has the marker of a versioned change.
func hasVersion(history []*historypb.HistoryEvent) bool {
	for _, event := range history {
		if event.GetMarkerRecordedEventAttributes().GetMarkerName() == "Version" {
			return true
		}
	}
	return false
}

// TestAnIncompatibleBuildLosesNothing deploys a build whose workflows are changed without a version. A replay would
// have found that. Its tasks fail and change nothing, and the good build, deployed again, continues from there with
// everything that was sent meanwhile.
func TestAnIncompatibleBuildLosesNothing(t *testing.T) {
	t.Parallel()
	const interactions = 8
	e := newLoad(t)
	good := e.startWorker(e.config())
	for i := range interactions {
		id := fmt.Sprintf("b%d", i)
		e.runs[id] = e.start(id, "inbound").GetRunID()
		e.command(id, "place_in_queue", `{"queue":"sales"}`)
		e.command(id, "offer", `{"agent":{"id":"a1"}}`)
	}
	before := 0
	e.eventually(time.Minute, "all are offered, and the receivers are notified", func() bool {
		before = len(e.fast.seen())
		// start: C, B, interaction_starts; agent_selecting; offer: A, offered on A, B, C.
		return before == 8*interactions && len(e.slow.seen()) == interactions
	})
	for id, runID := range e.runs {
		e.eventually(time.Minute, "the replay before a deploy fails, once the task that sent is in the history", func() bool {
			err := replayWith(e.history(id, runID), changed.Interceptor(changed.Unguarded))
			return err != nil && strings.Contains(err.Error(), "TMPRL1100")
		})
	}

	e.stop(good)
	bad := e.startBuild(unguardedBin, e.config())
	for id := range e.runs {
		e.command(id, "accept", `{"agent":{"id":"a1"}}`)
		e.command(id, "complete", `{}`)
	}
	for id, runID := range e.runs {
		e.eventually(time.Minute, "its task fails", func() bool {
			causes := failedTasks(e.history(id, runID))
			return len(causes) > 0 && causes[0] == enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
		})
	}
	require.Len(t, e.fast.seen(), before, "the bad build does nothing")
	var audit struct {
		Stuck []struct{ Problems []string }
	}
	e.eventually(2*time.Minute, "an audit names what is stuck", func() bool {
		out, code := e.try("audit", "--contact-center", e.name, "--json")
		return code == 6 && json.Unmarshal([]byte(out), &audit) == nil && len(audit.Stuck) == interactions
	})
	require.Contains(t, strings.Join(audit.Stuck[0].Problems, " "), "NonDeterministicError")

	e.stop(bad)
	e.startWorker(e.config())
	e.finished()
	s := e.requireSound()
	require.Zero(t, s.duplicates)
	e.eventually(time.Minute, "nothing is missing or stuck, in lists that lag behind, too", func() bool {
		_, code := e.try("audit", "--contact-center", e.name)
		return code == 0
	})
	require.GreaterOrEqual(t, s.failedTasks[enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR], interactions)
}

// command sends a command and records that Temporal has it.
func (e *load) command(id, name, payload string) {
	e.signal(id, name, payload)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.acked[id]++
}

// TestReplayFindsAnIncompatibleBuildBeforeADeploy replays a namespace's running interactions with the command line,
// as before a deploy.
func TestReplayFindsAnIncompatibleBuildBeforeADeploy(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(crm.URL, "interaction_starts"))
	for i := range 5 {
		e.start(fmt.Sprintf("r%d", i), "inbound")
	}
	e.eventually(time.Minute, "all have begun", func() bool { return len(crm.seen()) == 5 })
	query := fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND SegueContactCenter = '%s'", contract.WorkflowInteraction, e.name)
	var replayed struct {
		Replayed int
		Failed   []struct{ History, Error string }
	}
	e.eventually(time.Minute, "all are listed and replay", func() bool {
		out, code := e.try("replay", "--query", query, "--json")
		return json.Unmarshal([]byte(out), &replayed) == nil && code == 0 && replayed.Replayed == 5 && len(replayed.Failed) == 0
	})
}
