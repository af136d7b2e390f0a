package e2e_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

// try runs the command line, which may fail.
func (l *lab) try(args ...string) (out string, code int) {
	l.t.Helper()
	return l.output(l.commandLine(args...))
}

// tryIn does the same with text as its standard input.
func (l *lab) tryIn(text string, args ...string) (out string, code int) {
	l.t.Helper()
	command := l.commandLine(args...)
	command.Stdin = strings.NewReader(text)
	return l.output(command)
}

// tryWith does the same with variables of its environment.
func (l *lab) tryWith(environment []string, args ...string) (out string, code int) {
	l.t.Helper()
	command := l.commandLine(args...)
	command.Env = append(os.Environ(), environment...)
	return l.output(command)
}

func (l *lab) commandLine(args ...string) *exec.Cmd {
	return exec.CommandContext(l.t.Context(), segueBin, append(args, "--address", temporal.Address, "--task-queue", l.name)...)
}

func (l *lab) output(command *exec.Cmd) (out string, code int) {
	l.t.Helper()
	output, err := command.Output()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		require.NoError(l.t, err)
	}
	if exited != nil && len(exited.Stderr) > 0 {
		l.t.Logf("segue %v: %s", command.Args[1:], exited.Stderr)
	}
	return string(output), command.ProcessState.ExitCode()
}

// deployment is what `segue deploy --json` tells.
type deployment struct {
	Current, Ramping string
	Percent          float64
	Moved            int
	Failed           []struct{ History, Error string }
	Stuck            []struct {
		WorkflowID string `json:"workflow_id"`
		Problems   []string
	}
	Versions []struct {
		BuildID     string `json:"build_id"`
		Status      string
		Workers     int
		Pinned      int
		AutoUpgrade int `json:"auto_upgrade"`
	}
	Unversioned struct{ Workers, Running int }
}

func (d deployment) version(build string) (status string, pinned int) {
	for _, v := range d.Versions {
		if v.BuildID == build {
			return v.Status, v.Pinned
		}
	}
	return "unknown", -1
}

// deploys runs `segue deploy` until it has worked: a version is known a moment after
// its first worker has polled.
func (l *lab) deploys(args ...string) deployment {
	l.t.Helper()
	var d deployment
	l.eventually(60*time.Second, "segue deploy works", func() bool {
		out, code := l.try(append([]string{"deploy", "--deployment", l.name, "--json"}, args...)...)
		return code == 0 && json.Unmarshal([]byte(out), &d) == nil
	})
	return d
}

// buildOf is the build id of the worker that did an interaction's last task.
func (l *lab) buildOf(id, runID string) string {
	build := ""
	for _, event := range l.history(id, runID) {
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			build = event.GetWorkflowTaskCompletedEventAttributes().GetDeploymentVersion().GetBuildId()
		}
	}
	return build
}

// goesOn sends a command and tells which build took it.
func (l *lab) goesOn(crm *receiver, id, runID, command, payload string) string {
	l.t.Helper()
	before := len(l.history(id, runID))
	l.signal(id, command, payload)
	build := ""
	l.eventually(30*time.Second, command+" is taken", func() bool {
		history := l.history(id, runID)
		build = l.buildOf(id, runID)
		return len(history) > before+1 && history[len(history)-1].GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED &&
			history[len(history)-1].GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED &&
			history[len(history)-1].GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
	})
	return build
}

// TestAVersionIsRolledOutAndBack runs two versions of the workers, the second with
// changed workflows. Calls end on the version that they began on, mails go over, and
// back; what is pinned can be moved.
func TestAVersionIsRolledOutAndBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	yaml := probeConfig(crm.URL, "interaction_starts", "interaction_ends")
	version := func(binary, build string) *exec.Cmd {
		return l.startBuild(binary, yaml, "SEGUE_TEMPORAL_BUILD_ID="+build, "SEGUE_TEMPORAL_DEPLOYMENT="+l.name)
	}
	begin := func(id, channel string) string {
		before := len(crm.seen())
		runID := l.start(id, channel).GetRunID()
		l.eventually(30*time.Second, id+" begins", func() bool { return len(crm.seen()) > before })
		return runID
	}
	const queue, hold = `{"queue":"sales"}`, `{"user_data":{"tier":"gold"}}`

	_, code := l.try("deploy", "--deployment", l.name)
	require.Equal(t, 3, code, "there is no version yet")
	version(workBin, "1.0")
	require.Equal(t, "1.0", l.deploys("1.0").Current)
	call, mail := begin("call", "inbound"), begin("mail", "email")
	require.Equal(t, "1.0", l.buildOf("call", call))

	version(guardedBin, "2.0")
	ramped := l.deploys("2.0", "--ramp", "25")
	require.Equal(t, "2.0", ramped.Ramping)
	require.InDelta(t, 25, ramped.Percent, 0.1)
	require.Equal(t, "2.0", l.deploys("2.0").Current)
	require.Equal(t, "1.0", l.goesOn(crm, "call", call, "place_in_queue", queue), "a call stays")
	require.Equal(t, "2.0", l.goesOn(crm, "mail", mail, "place_in_queue", queue), "a mail goes over")
	call2 := begin("call2", "inbound")
	require.Equal(t, "2.0", l.buildOf("call2", call2), "what begins, begins on the current version")
	l.eventually(20*time.Second, "the old version drains", func() bool {
		status, pinned := l.deploys().version("1.0")
		return status == "draining" && pinned == 1
	})

	require.Equal(t, "1.0", l.deploys("1.0").Current, "rolled back")
	require.Equal(t, "1.0", l.goesOn(crm, "mail", mail, "attach_user_data", hold), "a mail comes back")
	require.Equal(t, "2.0", l.goesOn(crm, "call2", call2, "place_in_queue", queue), "what began on the new version ends there")
	require.Equal(t, "1.0", l.goesOn(crm, "call", call, "attach_user_data", hold))

	dry := l.deploys("2.0", "--move", "1.0", "--dry-run")
	require.Equal(t, 1, dry.Moved)
	require.Equal(t, "1.0", dry.Current, "a dry run changes nothing")
	moved := l.deploys("2.0", "--move", "1.0")
	require.Equal(t, 1, moved.Moved)
	require.Equal(t, "1.0", moved.Current, "what is current stays")
	require.Equal(t, "2.0", l.goesOn(crm, "call", call, "update_user_data", hold+""))
	l.eventually(20*time.Second, "nothing is pinned to the old version any more", func() bool {
		_, old := l.deploys().version("1.0")
		_, current := l.deploys().version("2.0")
		return old == 0 && current == 2
	})
	for _, id := range []string{"call", "call2", "mail"} {
		l.signal(id, "complete", `{}`)
		require.NoError(t, l.client.GetWorkflow(t.Context(), l.workflowID(id), "").Get(t.Context(), nil))
	}
	for id, runID := range map[string]string{"call": call, "call2": call2, "mail": mail} {
		require.Empty(t, failedTasks(l.history(id, runID)), "no version was given what it cannot do")
	}
	require.Len(t, crm.seen(), 6)
}
