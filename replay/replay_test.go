package replay_test

import (
	"compress/gzip"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/replay"
	"segue/workflows"
)

// scenarios are the paths that must each have a golden history.
var scenarios = []string{
	"handled", "abandoned", "missed", "transferred", "engaged", "not_engaged", "retried_delivery", "parked",
	"rejected_input", "continue_as_new", "burst", "lane_retried", "lane_parked",
}

// quiet keeps the replayer's account of an expected failure out of the test's output.
var quiet = sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))

func load(t *testing.T, file string) *historypb.History {
	t.Helper()
	opened, err := os.Open(file)
	require.NoError(t, err)
	defer opened.Close()
	packed, err := gzip.NewReader(opened)
	require.NoError(t, err)
	history, err := client.HistoryFromJSON(packed, client.HistoryJSONOptions{})
	require.NoError(t, err)
	return history
}

// TestGoldenHistoriesReplay replays every recorded history: what a running
// interaction has done, today's code would do again.
func TestGoldenHistoriesReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.json.gz")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	recorded := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json.gz")
		recorded[strings.SplitN(name, ".", 2)[0]] = true
		t.Run(filepath.Base(filepath.Dir(file))+"/"+name, func(t *testing.T) {
			replayer, err := replay.New()
			require.NoError(t, err)
			require.NoError(t, replayer.ReplayWorkflowHistory(quiet, load(t, file)))
		})
	}
	for _, scenario := range scenarios {
		require.True(t, recorded[scenario], "no golden history of %s", scenario)
	}
}

// TestABrokenWorkflowFailsReplay replays the same histories against a workflow
// that sets a timer before every Dispatch: if this passes, the test above proves nothing.
func TestABrokenWorkflowFailsReplay(t *testing.T) {
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		Interceptors: []interceptor.WorkerInterceptor{&late{}}, Plugins: plugins(t),
	})
	require.NoError(t, err)
	workflows.Register(replayer)
	err = replayer.ReplayWorkflowHistory(quiet, load(t, "testdata/v0/handled.json.gz"))
	require.ErrorContains(t, err, "nondeterministic")
}

// TestAWorkerWithoutThePluginFailsReplay replays a burst without the ordering plugin.
func TestAWorkerWithoutThePluginFailsReplay(t *testing.T) {
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{})
	require.NoError(t, err)
	workflows.Register(replayer)
	require.Error(t, replayer.ReplayWorkflowHistory(quiet, load(t, "testdata/v0/burst.json.gz")))
}

func plugins(t *testing.T) []worker.Plugin {
	t.Helper()
	plugin, err := workflows.NewPlugin()
	require.NoError(t, err)
	return []worker.Plugin{plugin}
}

// late is a deliberate mistake: a timer is set before every local activity.
type late struct {
	interceptor.WorkerInterceptorBase
}

func (*late) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &lateInbound{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type lateInbound struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (i *lateInbound) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&lateOutbound{interceptor.WorkflowOutboundInterceptorBase{Next: outbound}})
}

type lateOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (o *lateOutbound) ExecuteLocalActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	workflow.NewTimer(ctx, time.Second)
	return o.Next.ExecuteLocalActivity(ctx, activityType, args...)
}
