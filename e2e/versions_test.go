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
func (e *env) try(args ...string) (out string, code int) {
	e.t.Helper()
	return e.output(e.commandLine(args...))
}

// tryIn does the same with text as its standard input.
func (e *env) tryIn(text string, args ...string) (out string, code int) {
	e.t.Helper()
	command := e.commandLine(args...)
	command.Stdin = strings.NewReader(text)
	return e.output(command)
}

// tryWith does the same with variables of its environment.
func (e *env) tryWith(environment []string, args ...string) (out string, code int) {
	e.t.Helper()
	command := e.commandLine(args...)
	command.Env = append(os.Environ(), environment...)
	return e.output(command)
}

func (e *env) commandLine(args ...string) *exec.Cmd {
	return exec.CommandContext(e.t.Context(), segueBin, append(args, "--address", temporal.Address, "--task-queue", e.name)...)
}

func (e *env) output(command *exec.Cmd) (out string, code int) {
	e.t.Helper()
	output, err := command.Output()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		require.NoError(e.t, err)
	}
	if exited != nil && len(exited.Stderr) > 0 {
		e.t.Logf("segue %v: %s", command.Args[1:], exited.Stderr)
	}
	return string(output), command.ProcessState.ExitCode()
}

// deployment is the output of `segue deploy --json`.
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

// deploys runs `segue deploy` until it succeeds: a version is known a moment after its first worker has polled.
func (e *env) deploys(args ...string) deployment {
	e.t.Helper()
	var d deployment
	e.eventually(2*time.Minute, "segue deploy works", func() bool {
		out, code := e.try(append([]string{"deploy", "--deployment", e.name, "--json"}, args...)...)
		return code == 0 && json.Unmarshal([]byte(out), &d) == nil
	})
	return d
}

// buildOf returns the build id of the worker that processed the last task of an interaction.
func (e *env) buildOf(id, runID string) string {
	build := ""
	for _, event := range e.history(id, runID) {
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			build = event.GetWorkflowTaskCompletedEventAttributes().GetDeploymentVersion().GetBuildId()
		}
	}
	return build
}

// goesOn sends a command and returns the build that processed it.
func (e *env) goesOn(crm *receiver, id, runID, command, payload string) string {
	e.t.Helper()
	before := len(e.history(id, runID))
	e.signal(id, command, payload)
	build := ""
	e.eventually(time.Minute, command+" is taken", func() bool {
		history := e.history(id, runID)
		build = e.buildOf(id, runID)
		return len(history) > before+1 && history[len(history)-1].GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED &&
			history[len(history)-1].GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED &&
			history[len(history)-1].GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
	})
	return build
}

// TestAVersionIsRolledOutAndBack runs two versions of the workers, the second with changed workflows. Calls end on
// the version that they started on, mails move to the other version and back, and pinned interactions can be moved.
func TestAVersionIsRolledOutAndBack(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	yaml := probeConfig(crm.URL, "interaction_starts", "interaction_ends")
	version := func(binary, build string) *exec.Cmd {
		return e.startBuild(binary, yaml, "SEGUE_TEMPORAL_BUILD_ID="+build, "SEGUE_TEMPORAL_DEPLOYMENT="+e.name)
	}
	begin := func(id, channel string) string {
		before := len(crm.seen())
		runID := e.start(id, channel).GetRunID()
		e.eventually(time.Minute, id+" begins", func() bool { return len(crm.seen()) > before })
		return runID
	}
	const queue, hold = `{"queue":"sales"}`, `{"user_data":{"tier":"gold"}}`

	_, code := e.try("deploy", "--deployment", e.name)
	require.Equal(t, 3, code, "there is no version yet")
	version(workBin, "1.0")
	require.Equal(t, "1.0", e.deploys("1.0").Current)
	call, mail := begin("call", "inbound"), begin("mail", "email")
	require.Equal(t, "1.0", e.buildOf("call", call))

	version(guardedBin, "2.0")
	ramped := e.deploys("2.0", "--ramp", "25")
	require.Equal(t, "2.0", ramped.Ramping)
	require.InDelta(t, 25, ramped.Percent, 0.1)
	require.Equal(t, "2.0", e.deploys("2.0").Current)
	require.Equal(t, "1.0", e.goesOn(crm, "call", call, "place_in_queue", queue), "a call stays")
	require.Equal(t, "2.0", e.goesOn(crm, "mail", mail, "place_in_queue", queue), "a mail goes over")
	call2 := begin("call2", "inbound")
	require.Equal(t, "2.0", e.buildOf("call2", call2), "what begins, begins on the current version")
	e.eventually(time.Minute, "the old version drains", func() bool {
		status, pinned := e.deploys().version("1.0")
		return status == "draining" && pinned == 1
	})

	require.Equal(t, "1.0", e.deploys("1.0").Current, "rolled back")
	require.Equal(t, "1.0", e.goesOn(crm, "mail", mail, "attach_user_data", hold), "a mail comes back")
	require.Equal(t, "2.0", e.goesOn(crm, "call2", call2, "place_in_queue", queue), "what began on the new version ends there")
	require.Equal(t, "1.0", e.goesOn(crm, "call", call, "attach_user_data", hold))

	dry := e.deploys("2.0", "--move", "1.0", "--dry-run")
	require.Equal(t, 1, dry.Moved)
	require.Equal(t, "1.0", dry.Current, "a dry run changes nothing")
	moved := e.deploys("2.0", "--move", "1.0")
	require.Equal(t, 1, moved.Moved)
	require.Equal(t, "1.0", moved.Current, "what is current stays")
	require.Equal(t, "2.0", e.goesOn(crm, "call", call, "update_user_data", hold+""))
	e.eventually(time.Minute, "nothing is pinned to the old version any more", func() bool {
		_, old := e.deploys().version("1.0")
		_, current := e.deploys().version("2.0")
		return old == 0 && current == 2
	})
	for _, id := range []string{"call", "call2", "mail"} {
		e.signal(id, "complete", `{}`)
		require.NoError(t, e.client.GetWorkflow(t.Context(), e.workflowID(id), "").Get(t.Context(), nil))
	}
	for id, runID := range map[string]string{"call": call, "call2": call2, "mail": mail} {
		require.Empty(t, failedTasks(e.history(id, runID)), "no version was given what it cannot do")
	}
	require.Len(t, crm.seen(), 6)
}
