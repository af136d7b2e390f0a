package main_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCommandsAgainstARunningSegue(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	dev := startDev(t, "--config", configFor(t, receiver.URL))
	require.Equal(t, "default", dev.ready.Namespace)
	require.Equal(t, "segue", dev.ready.TaskQueue)
	require.Contains(t, dev.ready.TemporalUI, "http://127.0.0.1:")

	t.Run("setup finds all search attributes", func(t *testing.T) {
		var report struct{ Added, Present []string }
		dev.into(t, &report, "setup")
		require.NotNil(t, report.Added)
		require.Empty(t, report.Added)
		require.Len(t, report.Present, 12)
	})
	t.Run("start", func(t *testing.T) {
		var started map[string]string
		dev.into(t, &started, "start", `{"id":"c1","channel":"inbound","queue":"sales"}`)
		require.Equal(t, "interaction/default/c1", started["workflow_id"])
		require.NotEmpty(t, started["run_id"])
		again := dev.run(t, "start", `{"id":"c1","channel":"inbound"}`)
		require.Equal(t, 4, again.code)
		require.Contains(t, again.errs, "started before")
	})
	t.Run("signal", func(t *testing.T) {
		require.Equal(t, 0, dev.run(t, "signal", "place_in_queue", "c1", `{"queue":"sales"}`).code)
		var answer struct {
			State        string
			Sequence     int
			Capabilities []string
			Duplicate    bool
		}
		dev.into(t, &answer, "signal", "offer", "default/c1", `{"agent":"bea"}`, "--update", "--event-id", "e1")
		require.Equal(t, "offered", answer.State)
		require.Contains(t, answer.Capabilities, "accept")
		illegal := dev.run(t, "signal", "hold", "c1", "--update")
		require.Equal(t, 4, illegal.code)
		require.Contains(t, illegal.errs, "hold is not legal in state offered; legal: ")
		require.Equal(t, 3, dev.run(t, "signal", "hold", "nobody").code)
		require.Equal(t, 3, dev.run(t, "signal", "hold", "nobody", "--update").code)
	})
	t.Run("an array of commands", func(t *testing.T) {
		result := dev.run(t, "signal", "commands", "c1", `[{"command":"accept","agent":"bea"},{"command":"dtmf","digits":"x"}]`, "--update", "--json")
		require.Equal(t, 4, result.code)
		var answers []struct {
			State string
			Error *struct{ Type string }
		}
		require.NoError(t, json.Unmarshal([]byte(result.out), &answers))
		require.Equal(t, "handling", answers[0].State)
		require.Equal(t, "InvalidPayload", answers[1].Error.Type)
		refused := dev.run(t, "signal", "commands", "c1", `[{"command":"hold"},{"command":"dtmf","digits":"x"}]`)
		require.Equal(t, 4, refused.code)
		require.Contains(t, refused.errs, "command 2: dtmf: digits")
		require.Equal(t, 0, dev.run(t, "signal", "commands", "c1", `[{"command":"hold"},{"command":"retrieve","event_id":"r1"}]`).code)
	})
	t.Run("show", func(t *testing.T) {
		require.Equal(t, 0, dev.run(t, "signal", "nonsense", "c1", "--raw").code)
		var shown struct {
			State      struct{ State string }
			Timeline   []struct{ Segment, Leg string }
			Deliveries []struct{ ID, Call, Status, Class string }
			Rejected   []struct{ Command, Reason string }
		}
		dev.into(t, &shown, "show", "c1")
		require.Equal(t, "handling", shown.State.State)
		require.NotEmpty(t, shown.Timeline)
		require.Equal(t, "crm", shown.Deliveries[0].Call)
		require.Equal(t, "draft", shown.Deliveries[1].Call)
		require.Equal(t, "delivered", shown.Deliveries[1].Status)
		require.Equal(t, "dry_run", shown.Deliveries[1].Class)
		require.Equal(t, "nonsense", shown.Rejected[0].Command)

		picture := dev.run(t, "show", "c1")
		require.Equal(t, 0, picture.code)
		for _, part := range []string{"inbound interaction, handling", "agent bea", "h handling", "WEBHOOK-ID", "nonsense"} {
			require.Contains(t, picture.out, part)
		}
		require.Regexp(t, `draft +delivered +dry_run +0 `, picture.out)
		require.Equal(t, 3, dev.run(t, "show", "nobody").code)
	})
	t.Run("list", func(t *testing.T) {
		var listed []struct{ ID, State, Agent string }
		require.Eventually(t, func() bool {
			dev.into(t, &listed, "list", "--state", "handling", "--agent", "bea", "--channel", "inbound", "--contact-center", "default")
			return len(listed) == 1
		}, time.Minute, 200*time.Millisecond)
		require.Equal(t, "c1", listed[0].ID)
		dev.into(t, &listed, "list", "--queue", "nowhere")
		require.NotNil(t, listed)
		require.Empty(t, listed)
		require.Contains(t, dev.run(t, "list").out, "default/c1")
		require.Contains(t, dev.run(t, "list", "--parked").out, "INTERACTION")
	})
	t.Run("late data", func(t *testing.T) { lateData(t, dev) })
	t.Run("feed", func(t *testing.T) { feedTwice(t, dev) })
	t.Run("export and replay", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "c1.json")
		var exported struct{ Events int }
		dev.into(t, &exported, "export", "c1", "--out", file)
		require.Positive(t, exported.Events)
		require.Equal(t, 0, segue(t, "replay", file).code, segue(t, "replay", file).out)
		var replayed struct {
			Replayed int
			Failed   []any
		}
		dev.into(t, &replayed, "replay", "--query", `WorkflowType="Interaction"`)
		require.Equal(t, 4, replayed.Replayed)
		require.Empty(t, replayed.Failed)
		for missing, args := range map[string][]string{
			"interaction default/nobody not found":                            {"nobody"},
			"lane workflow delivery/default/c1/nothing not found":             {"c1", "--call", "nothing"},
			"run 00000000-0000-4000-8000-000000000000 of interaction/default": {"c1", "--run", "00000000-0000-4000-8000-000000000000"},
		} {
			result := dev.run(t, append([]string{"export", "--out", file}, args...)...)
			require.Equal(t, 3, result.code, result.errs)
			require.Contains(t, result.errs, missing)
		}
		require.Equal(t, 2, dev.run(t, "export", "c1", "--run", "first", "--out", file).code)
	})
	t.Run("a setting also comes from the environment", func(t *testing.T) {
		command := exec.CommandContext(t.Context(), binary, "list", "--address", dev.ready.TemporalAddress)
		command.Env = append(os.Environ(), "SEGUE_TEMPORAL_NAMESPACE=elsewhere")
		output, err := command.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(output), "elsewhere")
		require.Contains(t, string(output), "segue setup")
	})
	require.Equal(t, 0, dev.interrupt(t), "Ctrl-C is no error")
	require.Equal(t, 5, dev.run(t, "list").code, "the server has ended too")
}

// lateData completes an interaction with a disposition: late data is accepted, and a start that reopens the interaction
// does not wait until the period for late data ends.
func lateData(t *testing.T, dev *devProcess) {
	require.Equal(t, 0, dev.run(t, "start", `{"id":"l1","channel":"inbound"}`).code)
	for _, command := range [][2]string{
		{"accept", `{"agent":{"id":1369310}}`}, {"complete", `{"disposition":{"code":"SOLD"}}`},
		{"update_user_data", `{"user_data":{"recording_url":"https://rec.example.com/1.wav"}}`}, {"survey", `{"answers":{"csat":5}}`},
	} {
		result := dev.run(t, "signal", command[0], "l1", command[1], "--update")
		require.Equal(t, 0, result.code, result.errs)
	}
	shown := dev.run(t, "show", "l1")
	require.Contains(t, shown.out, "completed (handled)")
	require.Regexp(t, `late data +accepted until \d{4}-`, shown.out)
	require.Eventually(t, func() bool {
		return strings.Contains(dev.run(t, "list", "--agent", "1369310", "--state", "completed").out, "default/l1")
	}, time.Minute, 200*time.Millisecond)

	require.Equal(t, 4, dev.run(t, "start", `{"id":"l1","channel":"inbound"}`).code)
	reopened := dev.run(t, "start", `{"id":"l1","channel":"inbound"}`, "--reopen")
	require.Equal(t, 0, reopened.code, reopened.errs)
	require.Contains(t, dev.run(t, "show", "l1").out, "inbound interaction, started")
	require.Equal(t, 4, dev.run(t, "start", `{"id":"l1","channel":"inbound"}`, "--reopen").code, "it is open")

	require.Equal(t, 0, dev.run(t, "signal", "abandon", "l1", "--update").code)
	require.Regexp(t, `ended by +abandon`, dev.run(t, "show", "l1").out)
	late := dev.run(t, "signal", "survey", "l1", `{"answers":{"csat":5}}`, "--update")
	require.Equal(t, 4, late.code)
	require.Regexp(t, `ended as abandoned at 20\S+, by abandon`, late.errs)
	misspelled := dev.run(t, "signal", "accept", "l1", `{"agnet":"ada"}`, "--update")
	require.Contains(t, misspelled.errs, "accept: agnet: there is no such field; did you mean agent?")
}

// feedTwice feeds a file twice: no line is applied twice.
func feedTwice(t *testing.T, dev *devProcess) {
	file := fileOf(t, "feed.ndjson", `{"interaction":"f1","command":"start","channel":"chat"}
{"interaction":"f1","command":"place_in_queue","queue":"sales","event_id":"f1-1"}
{"interaction":"f1","command":"offer","event_id":"f1-2"}
oops
{"interaction":"f1","command":"place_in_queue","queue":"sales","event_id":"f1-1"}
{"interaction":"f1","command":"abandon"}
`)
	type result struct {
		Lines, Interactions, Accepted, Duplicates int
		Rejected                                  []struct {
			Line   int
			Reason string
		}
	}
	for _, want := range []result{{Accepted: 3, Duplicates: 1}, {Accepted: 0, Duplicates: 4}} {
		fed := dev.run(t, "feed", file, "--json")
		require.Equal(t, 4, fed.code, "two lines are rejected")
		var got result
		require.NoError(t, json.Unmarshal([]byte(fed.out), &got))
		require.Equal(t, 6, got.Lines)
		require.Equal(t, 1, got.Interactions)
		require.Equal(t, want.Accepted, got.Accepted)
		require.Equal(t, want.Duplicates, got.Duplicates)
		require.Len(t, got.Rejected, 2)
		require.Equal(t, 3, got.Rejected[0].Line)
		require.Contains(t, got.Rejected[0].Reason, "agent: is missing")
		require.Equal(t, 4, got.Rejected[1].Line)
	}
	require.Contains(t, dev.run(t, "feed", file).out, "line 4: the line is not a JSON object")
}

// A query without a worker fails with "no worker", not with "not found".
func TestWithoutAWorkerShowFailsWithNoWorker(t *testing.T) {
	t.Parallel()
	dev := startDev(t, "--no-worker")
	require.Equal(t, 0, dev.run(t, "start", `{"id":"c1","channel":"chat"}`).code)
	shown := dev.run(t, "show", "c1")
	require.Equal(t, 5, shown.code, shown.errs)
	require.Contains(t, shown.errs, "no worker answered on task queue segue")
	require.Equal(t, 0, dev.interrupt(t))
}

func TestAVersionedWorkerGetsWorkOnceItsVersionIsCurrent(t *testing.T) {
	t.Parallel()
	dev := startDev(t, "--config", fileOf(t, "segue.yaml", "temporal: {build_id: 1.4.0, deployment: berlin}"))
	require.Equal(t, "berlin:1.4.0", dev.ready.Version)
	require.Equal(t, 3, dev.run(t, "deploy").code, "the deployment segue has no versions")
	require.Eventually(t, func() bool { return dev.run(t, "deploy", "1.4.0", "--deployment", "berlin").code == 0 }, time.Minute, 100*time.Millisecond)
	require.Equal(t, 0, dev.run(t, "start", `{"id":"c1","channel":"inbound"}`).code)
	require.Equal(t, 0, dev.run(t, "signal", "abandon", "c1", "--update").code)
	words := dev.run(t, "deploy", "--deployment", "berlin")
	require.Equal(t, 0, words.code)
	require.Contains(t, words.out, "Deployment berlin: the current version is 1.4.0")
	require.Equal(t, 0, dev.interrupt(t))
}

func TestTheServerEndsWhenDevIsKilled(t *testing.T) {
	t.Parallel()
	dev := startDev(t)
	require.NoError(t, dev.command.Process.Kill())
	_ = dev.command.Wait() // killed
	require.Eventually(t, func() bool { return dev.run(t, "list").code == 5 }, time.Minute, 100*time.Millisecond)
}
