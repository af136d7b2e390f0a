package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"segue/bench"
	"segue/contract"
	"segue/replay"
)

const (
	bareQueue = "bare"
	// atOnce is how many interactions are started at the same time.
	atOnce = 32
	// replayFor is how long each kind is replayed, alternating with the other.
	replayFor = 4 * time.Second
)

// comparison is a Segue, a worker with the baseline beside Segue's, and a receiver for both.
type comparison struct {
	temporal  client.Client
	taskQueue string
	url       string
	seen      *atomic.Int64
}

func measure(ctx context.Context, interactions, commands int) (_ result, err error) {
	var seen atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	defer receiver.Close()
	// Every workflow stays cached, because the memory of cached workflows is measured.
	sdkworker.SetStickyWorkflowCacheSize(4 * (interactions + 1))
	segue, err := bench.Start(ctx, fmt.Sprintf(`
calls:
  - {name: probe, method: POST, url: %s, json: {id: "${interaction.id}", digits: "${event.digits}"}}
triggers:
  - {when: inbound.dtmf, call: probe}
timeouts: {default: {lifetime: 24h, queue: 0s, offer: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, receiver.URL))
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, segue.Stop()) }()
	worker := sdkworker.New(segue.Client.Temporal, bareQueue, sdkworker.Options{})
	worker.RegisterWorkflow(Bare)
	worker.RegisterActivity(bench.Post)
	if err := worker.Start(); err != nil {
		return result{}, err
	}
	defer worker.Stop()
	c := &comparison{temporal: segue.Client.Temporal, taskQueue: segue.Client.TaskQueue, url: receiver.URL, seen: &seen}
	got := result{Interactions: interactions, Commands: commands}
	if err := c.memory(ctx, &got); err != nil {
		return got, err
	}
	return got, c.replay(ctx, &got)
}

// memory starts many of each kind and measures by how much the live heap grows.
func (c *comparison) memory(ctx context.Context, got *result) error {
	if _, err := c.openMany(ctx, atOnce, "warm", c.openBoth); err != nil { // connections, pools, caches of the SDK
		return err
	}
	bare, err := c.openMany(ctx, got.Interactions, "bare", c.openBare)
	if err != nil {
		return err
	}
	segue, err := c.openMany(ctx, got.Interactions, "segue", c.openSegue)
	if err != nil {
		return err
	}
	got.BareKiB, got.SegueKiB = bare/float64(got.Interactions)/1024, segue/float64(got.Interactions)/1024
	got.MemoryRatio = got.SegueKiB / got.BareKiB
	return nil
}

// openMany starts n of a kind, each with three commands, and returns by how many bytes the live heap has grown when all
// of their POSTs have arrived.
func (c *comparison) openMany(ctx context.Context, n int, prefix string, open func(ctx context.Context, id string, commands int) error) (float64, error) {
	const commands = 3
	before := heap()
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error { return open(within, prefix+strconv.Itoa(i), commands) })
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	if err := c.awaitQuiet(ctx); err != nil {
		return 0, err
	}
	return heap() - before, nil
}

func (c *comparison) openBoth(ctx context.Context, id string, commands int) error {
	return errors.Join(c.openBare(ctx, id, commands), c.openSegue(ctx, id, commands))
}

func (c *comparison) openBare(ctx context.Context, id string, commands int) error {
	options := client.StartWorkflowOptions{ID: "bare-" + id, TaskQueue: bareQueue}
	if _, err := c.temporal.ExecuteWorkflow(ctx, options, Bare, c.url); err != nil {
		return err
	}
	for i := range commands {
		if err := c.temporal.SignalWorkflow(ctx, options.ID, "", "command", map[string]any{"digits": strconv.Itoa(i)}); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) openSegue(ctx context.Context, id string, commands int) error {
	options := client.StartWorkflowOptions{ID: contract.InteractionWorkflowID("bench", id), TaskQueue: c.taskQueue}
	start := map[string]any{"id": id, "contact_center": "bench", "channel": "inbound"}
	if _, err := c.temporal.ExecuteWorkflow(ctx, options, contract.WorkflowInteraction, start); err != nil {
		return err
	}
	for i := range commands {
		if err := c.temporal.SignalWorkflow(ctx, options.ID, "", "dtmf", map[string]any{"digits": strconv.Itoa(i)}); err != nil {
			return err
		}
	}
	return nil
}

// awaitQuiet waits until no POST has arrived for a second.
func (c *comparison) awaitQuiet(ctx context.Context) error {
	for last := int64(-1); ; {
		now := c.seen.Load()
		if now == last {
			return nil
		}
		last = now
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

func heap() float64 {
	runtime.GC()
	runtime.GC() // also what finalizers have released
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc + stats.StackInuse)
}

// replay sends many commands to one of each kind, and replays the histories alternately, so that a drift of the
// machine's speed affects both alike.
func (c *comparison) replay(ctx context.Context, got *result) error {
	if err := c.openBoth(ctx, "long", got.Commands); err != nil {
		return err
	}
	if err := c.awaitQuiet(ctx); err != nil {
		return err
	}
	segue, err := replay.Fetch(ctx, c.temporal, workflow.Execution{ID: contract.InteractionWorkflowID("bench", "long")})
	if err != nil {
		return err
	}
	bare, err := replay.Fetch(ctx, c.temporal, workflow.Execution{ID: "bare-long"})
	if err != nil {
		return err
	}
	got.SegueEvents, got.BareEvents = len(segue.GetEvents()), len(bare.GetEvents())
	bareReplayer := sdkworker.NewWorkflowReplayer()
	bareReplayer.RegisterWorkflow(Bare)
	kinds := []struct {
		once  func() error
		times int
		took  time.Duration
	}{
		{once: func() error { return replay.History(clone(segue), nil) }},
		{once: func() error {
			return bareReplayer.ReplayWorkflowHistoryWithOptions(nil, clone(bare), sdkworker.ReplayWorkflowHistoryOptions{
				OriginalExecution: workflow.Execution{ID: "bare-long"},
			})
		}},
	}
	for begin := time.Now(); time.Since(begin) < 2*replayFor; {
		for i := range kinds {
			started := time.Now()
			if err := kinds[i].once(); err != nil {
				return err
			}
			kinds[i].took += time.Since(started)
			kinds[i].times++
		}
	}
	perSecond := func(kind, n int) float64 { return float64(n*kinds[kind].times) / kinds[kind].took.Seconds() }
	got.SegueReplay, got.BareReplay = perSecond(0, got.SegueEvents), perSecond(1, got.BareEvents)
	got.SegueCommands, got.BareCommands = perSecond(0, got.Commands), perSecond(1, got.Commands)
	got.ReplayRatio = got.SegueCommands / got.BareCommands
	return nil
}

// clone copies a history, because a replay changes the one that it gets.
func clone(h *historypb.History) *historypb.History { return proto.Clone(h).(*historypb.History) }
