package replay_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"segue/e2e/changed"
	"segue/replay"
)

// scenarios are the paths that must have a golden history.
var scenarios = []string{
	"handled", "abandoned", "missed", "transferred", "engaged", "not_engaged", "retried_delivery", "parked",
	"rejected_input", "continue_as_new", "burst", "canceled", "lane_retried", "lane_parked", "timed_out", "orphan",
	"receiver_parked", "receiver_recovered", "lane_alert", "disorder", "paused", "refused_update", "commands", "commands_signal", "replied", "draft",
	"lane_redelivered", "lane_discarded", "lane_continue_as_new", "lane_parts", "lane_part_1", "lane_part_2", "upgraded_mail", "upgraded_call",
}

// quiet keeps the replayer's log of an expected failure out of the test's output.
var quiet = sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))

func load(t *testing.T, file string) *historypb.History {
	t.Helper()
	history, err := replay.File(file)
	require.NoError(t, err)
	return history
}

// TestGoldenHistoriesReplay replays every recorded history: the current code does what running
// interactions have done.
func TestGoldenHistoriesReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.json.gz")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	recorded := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json.gz")
		recorded[strings.SplitN(name, ".", 2)[0]] = true
		t.Run(filepath.Base(filepath.Dir(file))+"/"+name, func(t *testing.T) {
			require.NoError(t, replay.History(load(t, file), quiet))
		})
	}
	for _, scenario := range scenarios {
		require.True(t, recorded[scenario], "no golden history of %s", scenario)
	}
}

// changeable are histories that a change before every Dispatch breaks.
var changeable = []string{"handled", "retried_delivery", "parked", "burst"}

// TestABrokenWorkflowFailsReplay replays the same histories against a workflow
// that sets a timer before every Dispatch: if this passes, the test above proves nothing.
func TestABrokenWorkflowFailsReplay(t *testing.T) {
	for _, name := range changeable {
		err := replay.ChangedHistory(load(t, "testdata/v0/"+name+".json.gz"), quiet, func(o *worker.WorkflowReplayerOptions) {
			o.Interceptors = []interceptor.WorkerInterceptor{changed.Interceptor(changed.Unguarded)}
		})
		require.ErrorContains(t, err, "TMPRL1100", name)
	}
}

// TestAGuardedChangeReplays makes the same change behind a version: histories that were
// recorded before it replay without the change.
func TestAGuardedChangeReplays(t *testing.T) {
	for _, name := range changeable {
		err := replay.ChangedHistory(load(t, "testdata/v0/"+name+".json.gz"), quiet, func(o *worker.WorkflowReplayerOptions) {
			o.Interceptors = []interceptor.WorkerInterceptor{changed.Interceptor(changed.Guarded)}
		})
		require.NoError(t, err, name)
	}
}

// TestAWorkerWithoutThePluginFailsReplay replays a burst without the plugin that keeps the
// order of signals.
func TestAWorkerWithoutThePluginFailsReplay(t *testing.T) {
	err := replay.ChangedHistory(load(t, "testdata/v0/burst.json.gz"), quiet, func(o *worker.WorkflowReplayerOptions) { o.Plugins = nil })
	require.Error(t, err)
}

func TestTheErrorNamesAFileThatIsNotAHistory(t *testing.T) {
	_, err := replay.File("replay_test.go")
	require.ErrorContains(t, err, "replay_test.go is not a history")
	_, err = replay.File("testdata/nowhere.json")
	require.ErrorContains(t, err, "nowhere.json")
}
