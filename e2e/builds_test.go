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

// TestMixedBuildsLoseNothing deploys a build whose workflows are changed behind a
// version, without versioned workers: for a while the old and the new one work side
// by side, under load. A task that the older one cannot do fails and is done by the
// newer one.
func TestMixedBuildsLoseNothing(t *testing.T) {
	t.Parallel()
	l := newLoad(t)
	first, second := l.startWorker(l.config()), l.startWorker(l.config())
	l.during(8, func() {
		time.Sleep(2 * time.Second)
		l.stop(first)
		l.startBuild(guardedBin, l.config())
		time.Sleep(3 * time.Second)
		l.stop(second)
		l.startBuild(guardedBin, l.config())
		time.Sleep(time.Second)
	})
	s := l.requireSound(changed.Interceptor(changed.Guarded))
	require.Zero(t, s.duplicates)
	for cause := range s.failedTasks {
		require.Contains(t, []enumspb.WorkflowTaskFailedCause{
			enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR, enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
		}, cause)
	}
	builds := map[bool]int{}
	for id, runID := range l.runs {
		builds[hasVersion(l.history(id, runID))]++
	}
	require.Positive(t, builds[false], "some began on the old build")
	require.Positive(t, builds[true], "some began on the new one")
}

// TestAVersionedDeployUnderLoad makes a version current whose workflows are changed,
// while interactions begin and end: each ends on the version that it began on, and
// no task ever fails.
func TestAVersionedDeployUnderLoad(t *testing.T) {
	t.Parallel()
	l := newLoad(t)
	version := func(binary, build string) {
		l.startBuild(binary, l.config(), "SEGUE_TEMPORAL_BUILD_ID="+build, "SEGUE_TEMPORAL_DEPLOYMENT="+l.name)
		l.deploys(build)
	}
	version(workBin, "1.0")
	l.during(8, func() {
		time.Sleep(2 * time.Second)
		version(guardedBin, "2.0")
		time.Sleep(2 * time.Second)
	})
	s := l.requireSound(changed.Interceptor(changed.Guarded))
	require.Zero(t, s.duplicates)
	require.Zero(t, s.failedTasks[enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR])
	ended := map[string]int{}
	for id, runID := range l.runs {
		builds := map[string]bool{}
		for _, event := range l.history(id, runID) {
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

// hasVersion tells whether a history has the marker of a versioned change.
func hasVersion(history []*historypb.HistoryEvent) bool {
	for _, event := range history {
		if event.GetMarkerRecordedEventAttributes().GetMarkerName() == "Version" {
			return true
		}
	}
	return false
}

// TestAnIncompatibleBuildLosesNothing deploys a build whose workflows are changed
// without a version. Replaying what runs would have told so; deployed all the same,
// its tasks fail and nothing is done, and the good build, put back, goes on where it
// was, with all that was sent meanwhile.
func TestAnIncompatibleBuildLosesNothing(t *testing.T) {
	t.Parallel()
	const interactions = 8
	l := newLoad(t)
	good := l.startWorker(l.config())
	for i := range interactions {
		id := fmt.Sprintf("b%d", i)
		l.runs[id] = l.start(id, "inbound").GetRunID()
		l.command(id, "place_in_queue", `{"queue":"sales"}`)
		l.command(id, "offer", `{"agent":{"id":"a1"}}`)
	}
	before := 0
	l.eventually(30*time.Second, "all are offered, and told of it", func() bool {
		before = len(l.fast.seen())
		// start: C, B, interaction_starts; agent_selecting; offer: A, offered on A, B, C.
		return before == 8*interactions && len(l.slow.seen()) == interactions
	})
	for id, runID := range l.runs {
		l.eventually(20*time.Second, "the replay before a deploy fails, once the task that sent is in the history", func() bool {
			err := replayWith(l.history(id, runID), changed.Interceptor(changed.Unguarded))
			return err != nil && strings.Contains(err.Error(), "TMPRL1100")
		})
	}

	l.stop(good)
	bad := l.startBuild(unguardedBin, l.config())
	for id := range l.runs {
		l.command(id, "accept", `{"agent":{"id":"a1"}}`)
		l.command(id, "complete", `{}`)
	}
	for id, runID := range l.runs {
		l.eventually(30*time.Second, "its task fails", func() bool {
			causes := failedTasks(l.history(id, runID))
			return len(causes) > 0 && causes[0] == enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
		})
	}
	require.Len(t, l.fast.seen(), before, "the bad build does nothing")
	var audit struct {
		Stuck []struct{ Problems []string }
	}
	l.eventually(60*time.Second, "an audit names what is stuck", func() bool {
		out, code := l.try("audit", "--contact-center", l.name, "--json")
		return code == 6 && json.Unmarshal([]byte(out), &audit) == nil && len(audit.Stuck) == interactions
	})
	require.Contains(t, strings.Join(audit.Stuck[0].Problems, " "), "NonDeterministicError")

	l.stop(bad)
	l.startWorker(l.config())
	l.finished()
	s := l.requireSound()
	require.Zero(t, s.duplicates)
	_, code := l.try("audit", "--contact-center", l.name)
	require.Zero(t, code, "nothing is missing or stuck")
	require.GreaterOrEqual(t, s.failedTasks[enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR], interactions)
}

// command sends one, and notes that Temporal has it.
func (l *load) command(id, name, payload string) {
	l.signal(id, name, payload)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[id]++
}

// TestReplayTellsBeforeADeploy replays a namespace's running interactions with the
// command line, as a deploy does.
func TestReplayTellsBeforeADeploy(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	l.startWorker(probeConfig(crm.URL, "interaction_starts"))
	for i := range 5 {
		l.start(fmt.Sprintf("r%d", i), "inbound")
	}
	l.eventually(20*time.Second, "all have begun", func() bool { return len(crm.seen()) == 5 })
	query := fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND SegueContactCenter = '%s'", contract.WorkflowInteraction, l.name)
	var replayed struct {
		Replayed int
		Failed   []struct{ History, Error string }
	}
	l.eventually(20*time.Second, "all are listed and replay", func() bool {
		out, code := l.try("replay", "--query", query, "--json")
		return json.Unmarshal([]byte(out), &replayed) == nil && code == 0 && replayed.Replayed == 5 && len(replayed.Failed) == 0
	})
}
