package e2e_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

// versions runs workers of several versions on one task queue.
type versions struct {
	*env
	crm  *receiver
	yaml string
}

func newVersions(t *testing.T) *versions {
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	return &versions{env: e, crm: crm, yaml: probeConfig(crm.URL, "interaction_starts", "interaction_ends")}
}

func (v *versions) run(binary, build string) *exec.Cmd {
	v.t.Helper()
	return v.startBuild(binary, v.yaml, "SEGUE_TEMPORAL_BUILD_ID="+build, "SEGUE_TEMPORAL_DEPLOYMENT="+v.name)
}

func (v *versions) begin(id, channel string) (runID string) {
	v.t.Helper()
	before := len(v.crm.seen())
	runID = v.start(id, channel).GetRunID()
	v.eventually(time.Minute, id+" begins", func() bool { return len(v.crm.seen()) > before })
	return runID
}

// deploy runs `segue deploy` once.
func (v *versions) deploy(args ...string) (d deployment, code int) {
	v.t.Helper()
	out, code := v.try(append([]string{"deploy", "--deployment", v.name, "--json"}, args...)...)
	if out != "" {
		require.NoError(v.t, json.Unmarshal([]byte(out), &d))
	}
	return d, code
}

// stuckIDs returns the ids of the stuck workflows.
func stuckIDs(d deployment) []string {
	var ids []string
	for _, s := range d.Stuck {
		ids = append(ids, s.WorkflowID)
	}
	slices.Sort(ids)
	return ids
}

// TestABadVersionIsRolledBack deploys a version whose workflows are changed without a guard, and makes the good
// version current again. Mails that started on the bad version move to the good one, which cannot replay them: they
// are listed as stuck. Calls stay on the bad version: none is moved to where it would be stuck.
func TestABadVersionIsRolledBack(t *testing.T) {
	t.Parallel()
	v := newVersions(t)
	v.run(workBin, "1.0")
	v.deploys("1.0", "--wait")
	good := v.begin("good", "inbound")

	bad := v.run(unguardedBin, "2.0")
	v.deploys("2.0", "--wait")
	for _, id := range []string{"mail-1", "mail-2"} {
		v.begin(id, "email")
	}
	v.begin("call", "inbound")
	v.eventually(time.Minute, "visibility lists all of them", func() bool {
		for _, version := range v.deploys().Versions {
			if version.BuildID == "2.0" {
				return version.Pinned == 1 && version.AutoUpgrade >= 2 && version.Workers == 1
			}
		}
		return false
	})

	back, code := v.deploy("1.0")
	require.Equal(t, 6, code)
	require.Equal(t, "1.0", back.Current)
	stranded := []string{v.workflowID("mail-1"), v.workflowID("mail-2")}
	require.Equal(t, stranded, stuckIDs(back))
	require.Contains(t, strings.Join(back.Stuck[0].Problems, " "), "TMPRL1100")
	var audited deployment
	config := []string{"audit", "--contact-center", v.name, "--json"}
	t.Run("an audit names what is stranded", func(t *testing.T) {
		out, code := v.tryWith([]string{"SEGUE_TEMPORAL_DEPLOYMENT=" + v.name}, config...)
		require.Equal(t, 6, code)
		require.NoError(t, json.Unmarshal([]byte(out), &audited))
		require.Equal(t, stranded, stuckIDs(audited))
	})

	for _, args := range [][]string{{"--dry-run"}, nil} {
		moved, code := v.deploy(append([]string{"1.0", "--move", "2.0"}, args...)...)
		require.Equal(t, 1, code, args)
		require.Zero(t, moved.Moved)
		require.Len(t, moved.Failed, 1)
		require.Contains(t, moved.Failed[0].History, v.workflowID("call"))
		require.Contains(t, moved.Failed[0].Error, "TMPRL1100")
		_, pinned := moved.version("2.0")
		require.Equal(t, 1, pinned, "it stays")
	}
	// This binary replays a good call; the workers of the bad version do not.
	moved, code := v.deploy("2.0", "--move", "1.0")
	require.Equal(t, 1, code)
	require.Zero(t, moved.Moved)
	require.Contains(t, moved.Failed[0].Error, "the workers of 2.0 cannot replay it")
	require.Equal(t, "1.0", moved.Current)
	require.Equal(t, "1.0", v.goesOn(v.crm, "good", good, "place_in_queue", `{"queue":"sales"}`), "it continues where it was")
	require.Empty(t, failedTasks(v.history("good", good)))

	v.signal("call", "complete", `{}`)
	require.NoError(t, v.client.GetWorkflow(t.Context(), v.workflowID("call"), "").Get(t.Context(), nil))
	require.NoError(t, bad.Process.Signal(syscall.SIGTERM))
	require.NoError(t, bad.Wait())
	for _, id := range []string{"mail-1", "mail-2", "good"} {
		require.NoError(t, v.client.TerminateWorkflow(t.Context(), v.workflowID(id), "", "end of the test"))
	}
}

// TestAMoveIsUndone moves calls to another version and back, before and after they have continued there. A call that
// started on the other version stays.
func TestAMoveIsUndone(t *testing.T) {
	t.Parallel()
	v := newVersions(t)
	v.run(workBin, "1.0")
	v.deploys("1.0", "--wait")
	idle, busy := v.begin("idle", "inbound"), v.begin("busy", "inbound")
	v.run(guardedBin, "2.0")
	v.deploys("2.0", "--wait")
	own := v.begin("own", "inbound")
	v.eventually(time.Minute, "visibility lists all of them", func() bool {
		d := v.deploys()
		_, old := d.version("1.0")
		_, current := d.version("2.0")
		return old == 2 && current == 1
	})
	require.Equal(t, 2, v.deploys("2.0", "--move", "1.0").Moved)
	require.Equal(t, "2.0", v.goesOn(v.crm, "busy", busy, "place_in_queue", `{"queue":"sales"}`))
	v.eventually(time.Minute, "the move is listed", func() bool { _, now := v.deploys().version("2.0"); return now == 3 })

	dry := v.deploys("2.0", "--move", "1.0", "--undo", "--dry-run")
	require.Equal(t, 2, dry.Moved)
	undone := v.deploys("2.0", "--move", "1.0", "--undo")
	require.Equal(t, 2, undone.Moved)
	require.Equal(t, "2.0", undone.Current)
	for id, runID := range map[string]string{"idle": idle, "busy": busy} {
		require.Equal(t, "1.0", v.goesOn(v.crm, id, runID, "attach_user_data", `{"user_data":{"tier":"gold"}}`), id)
		require.Empty(t, failedTasks(v.history(id, runID)))
	}
	require.Equal(t, "2.0", v.goesOn(v.crm, "own", own, "place_in_queue", `{"queue":"sales"}`))
	for _, id := range []string{"idle", "busy", "own"} {
		v.signal(id, "complete", `{}`)
		require.NoError(t, v.client.GetWorkflow(t.Context(), v.workflowID(id), "").Get(t.Context(), nil))
	}
}

// TestAVersionNeedsWorkers rejects versions that no worker runs as, and waits for them with --wait.
func TestAVersionNeedsWorkers(t *testing.T) {
	t.Parallel()
	v := newVersions(t)
	loose := v.startBuild(workBin, v.yaml)
	v.begin("early", "inbound")
	stop := func(worker *exec.Cmd) {
		require.NoError(t, worker.Process.Signal(syscall.SIGTERM))
		require.NoError(t, worker.Wait())
	}
	v.run(workBin, "1.0")
	d := v.deploys("1.0", "--wait=30s")
	require.Equal(t, 1, d.Unversioned.Workers)
	v.eventually(time.Minute, "what began without a version is counted", func() bool { return v.deploys().Unversioned.Running >= 1 })

	second := v.run(guardedBin, "2.0")
	v.deploys("2.0", "--ramp", "10", "--wait")
	ended, code := v.deploy("2.0", "--ramp", "0")
	require.Zero(t, code)
	require.Empty(t, ended.Ramping)
	require.Zero(t, ended.Percent)
	status, _ := ended.version("2.0")
	require.NotEqual(t, "ramping", status)
	_, code = v.deploy("2.0", "--ramp", "0")
	require.Zero(t, code, "there is no ramp to end")

	stop(second)
	stop(loose)
	for _, args := range [][]string{{"2.0"}, {"2.0", "--ramp", "10"}, {"2.0", "--move", "1.0"}, {"--unversioned"}} {
		out, code := v.try(append([]string{"deploy", "--deployment", v.name}, args...)...)
		require.Equal(t, 5, code, "%v: %s", args, out)
	}
	_, code = v.deploy("never")
	require.Equal(t, 3, code)
	shown, code := v.deploy()
	require.Zero(t, code)
	require.Equal(t, "1.0", shown.Current, "nothing has changed")
	require.Zero(t, shown.Unversioned.Workers)
	workers := map[string]int{}
	for _, version := range shown.Versions {
		workers[version.BuildID] = version.Workers
	}
	require.Equal(t, map[string]int{"1.0": 1, "2.0": 0}, workers)

	waited := make(chan deployment, 1)
	go func() { waited <- v.deploys("2.0", "--wait") }()
	v.run(guardedBin, "2.0")
	require.Equal(t, "2.0", (<-waited).Current)
	v.begin("late", "inbound")
}

// TestAFeedGoesOnPastAStuckInteraction feeds a day in which one interaction is stuck and one has completed on a
// version that no worker runs any longer. The feed names the first, reads the result of the second, and sends all
// commands of the others.
func TestAFeedGoesOnPastAStuckInteraction(t *testing.T) {
	t.Parallel()
	v := newVersions(t)
	first := v.run(unguardedBin, "1.0")
	v.deploys("1.0", "--wait")
	v.begin("mail", "email")
	v.begin("done", "inbound")
	feed := func(ids ...string) (result struct {
		Accepted, Duplicates, Unknown int
		Unanswered                    []struct{ Interaction, Reason string }
	}, code int) {
		var lines strings.Builder
		for _, id := range ids {
			fmt.Fprintf(&lines, `{"interaction":%q,"contact_center":%q,"command":"start","channel":"inbound"}`+"\n", id, v.name)
			fmt.Fprintf(&lines, `{"interaction":%q,"contact_center":%q,"command":"abandon"}`+"\n", id, v.name)
		}
		out, code := v.tryIn(lines.String(), "feed", "-", "--json", "--parallel", "1")
		require.NoError(t, json.Unmarshal([]byte(out), &result), out)
		return result, code
	}
	fed, code := feed("done")
	require.Zero(t, code)
	require.Equal(t, 1, fed.Accepted)
	require.NoError(t, v.client.GetWorkflow(t.Context(), v.workflowID("done"), "").Get(t.Context(), nil))
	require.NoError(t, first.Process.Signal(syscall.SIGTERM))
	require.NoError(t, first.Wait())
	v.run(workBin, "2.0")
	v.deploys2("2.0", "--wait")

	fed, code = feed("done", "mail", "other-1", "other-2")
	require.Equal(t, 5, code)
	require.Equal(t, 4, fed.Accepted, "the others")
	require.Equal(t, 1, fed.Unknown)
	require.Len(t, fed.Unanswered, 1)
	require.Equal(t, v.name+"/mail", fed.Unanswered[0].Interaction)
	state, err := query[struct{ State string }](v.env, "other-2", contract.QueryState)
	require.NoError(t, err)
	require.Equal(t, "completed", state.State)
	require.NoError(t, v.client.TerminateWorkflow(t.Context(), v.workflowID("mail"), "", "end of the test"))
}

// deploys2 makes a version current that leaves something stuck.
func (v *versions) deploys2(args ...string) {
	v.t.Helper()
	v.eventually(time.Minute, "the version is current", func() bool { _, code := v.deploy(args...); return code == 6 })
}
