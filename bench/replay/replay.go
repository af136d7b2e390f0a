package main

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/pprof"
	"time"

	historypb "go.temporal.io/api/history/v1"
	sdklog "go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"segue/bench"
	"segue/workflows"
)

// batch is how many copies of a history are replayed before it is the other's turn. The copies are made beforehand, because a
// replay changes the history.
const batch = 50

var quiet = sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))

// newReplayer returns a replayer with the workflows of all histories and the plugin of Segue's workers if it is Segue's.
func newReplayer(isSegue bool) (sdkworker.WorkflowReplayer, error) {
	options := sdkworker.WorkflowReplayerOptions{DisableDeadlockDetection: true}
	if isSegue {
		plugin, err := workflows.NewPlugin()
		if err != nil {
			return nil, err
		}
		options.Plugins = []sdkworker.Plugin{plugin}
	}
	replayer, err := sdkworker.NewWorkflowReplayerWithOptions(options)
	if err != nil {
		return nil, err
	}
	replayer.RegisterWorkflow(bench.Floor)
	workflows.Register(replayer)
	return replayer, nil
}

// turns is the replays of one history.
type turns struct {
	recorded
	replayer          sdkworker.WorkflowReplayer
	replays           int
	took              time.Duration
	allocs, allocated uint64
}

// replayInTurns replays histories alternately, so that a drift of the machine's speed affects all alike, and returns their
// rows.
func replayInTurns(ctx context.Context, histories []recorded, each time.Duration) ([]row, error) {
	all := make([]*turns, len(histories))
	for i, h := range histories {
		replayer, err := newReplayer(h.name == "segue")
		if err != nil {
			return nil, err
		}
		all[i] = &turns{recorded: h, replayer: replayer}
		if err := all[i].replay(1); err != nil { // caches of encoding/json, pools
			return nil, err
		}
		*all[i] = turns{recorded: h, replayer: replayer}
	}
	for shortest := time.Duration(0); shortest < each; {
		shortest = each
		for _, t := range all {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			var err error
			pprof.Do(ctx, pprof.Labels("replay", t.name), func(context.Context) { err = t.replay(max(1, batch*len(bench.Commands)/t.commands)) })
			if err != nil {
				return nil, err
			}
			shortest = min(shortest, t.took)
		}
	}
	rows := make([]row, len(all))
	for i, t := range all {
		rows[i] = t.row()
	}
	return rows, nil
}

// replay replays the history so many times.
func (t *turns) replay(times int) error {
	copies := make([]*historypb.History, times)
	for i := range copies {
		copies[i] = proto.CloneOf(t.history)
	}
	options := sdkworker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: t.id}}
	runtime.GC() // so that nobody pays for the garbage of the other
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	for _, history := range copies {
		if err := t.replayer.ReplayWorkflowHistoryWithOptions(quiet, history, options); err != nil {
			return err
		}
	}
	t.took += time.Since(begin)
	runtime.ReadMemStats(&after)
	t.replays += times
	t.allocs += after.Mallocs - before.Mallocs
	t.allocated += after.TotalAlloc - before.TotalAlloc
	return nil
}

func (t *turns) row() row {
	events, n := len(t.history.GetEvents()), float64(t.replays)
	perSecond := n / t.took.Seconds()
	return row{
		Name: t.name, Commands: t.commands, Events: events, Bytes: proto.Size(t.history),
		Histories: perSecond, EventRate: perSecond * float64(events), Allocs: float64(t.allocs) / n, Allocated: float64(t.allocated) / n,
	}
}
