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

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"segue/bench/lab"
	"segue/contract"
	"segue/replay"
)

const (
	bareQueue = "bare"
	// atOnce is how many interactions are opened at the same time.
	atOnce = 32
	// replayFor is how long each kind is replayed, in turn with the other.
	replayFor = 4 * time.Second
)

// bench is a lab with a bare worker beside Segue's, and a receiver for both.
type bench struct {
	*lab.Lab
	url  string
	seen *atomic.Int64
}

func measure(ctx context.Context, interactions, commands int) (_ result, err error) {
	var seen atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	defer receiver.Close()
	// Every workflow stays cached: what is measured is what one costs there.
	sdkworker.SetStickyWorkflowCacheSize(4 * (interactions + 1))
	opened, err := lab.Open(ctx, fmt.Sprintf(`
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
	defer func() { err = errors.Join(err, opened.Close()) }()
	worker := sdkworker.New(opened.Client, bareQueue, sdkworker.Options{})
	worker.RegisterWorkflow(Bare)
	worker.RegisterActivity(lab.Post)
	if err := worker.Start(); err != nil {
		return result{}, err
	}
	defer worker.Stop()
	b := &bench{Lab: opened, url: receiver.URL, seen: &seen}
	got := result{Interactions: interactions, Commands: commands}
	if err := b.memory(ctx, &got); err != nil {
		return got, err
	}
	return got, b.replay(ctx, &got)
}

// memory opens many of each kind; what the live heap grows by is theirs.
func (b *bench) memory(ctx context.Context, got *result) error {
	if _, err := b.openMany(ctx, atOnce, "warm", b.openBoth); err != nil { // connections, pools, caches of the SDK
		return err
	}
	bare, err := b.openMany(ctx, got.Interactions, "bare", b.openBare)
	if err != nil {
		return err
	}
	segue, err := b.openMany(ctx, got.Interactions, "segue", b.openSegue)
	if err != nil {
		return err
	}
	got.BareKiB, got.SegueKiB = bare/float64(got.Interactions)/1024, segue/float64(got.Interactions)/1024
	got.MemoryRatio = got.SegueKiB / got.BareKiB
	return nil
}

// openMany opens n of a kind, each with three commands, and returns by how many
// bytes the live heap has grown once all their POSTs have arrived.
func (b *bench) openMany(ctx context.Context, n int, prefix string, open func(ctx context.Context, id string, commands int) error) (float64, error) {
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
	if err := b.settle(ctx); err != nil {
		return 0, err
	}
	return heap() - before, nil
}

func (b *bench) openBoth(ctx context.Context, id string, commands int) error {
	return errors.Join(b.openBare(ctx, id, commands), b.openSegue(ctx, id, commands))
}

func (b *bench) openBare(ctx context.Context, id string, commands int) error {
	options := client.StartWorkflowOptions{ID: "bare-" + id, TaskQueue: bareQueue}
	if _, err := b.Client.ExecuteWorkflow(ctx, options, Bare, b.url); err != nil {
		return err
	}
	for i := range commands {
		if err := b.Client.SignalWorkflow(ctx, options.ID, "", "command", map[string]any{"digits": strconv.Itoa(i)}); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) openSegue(ctx context.Context, id string, commands int) error {
	options := client.StartWorkflowOptions{ID: contract.InteractionWorkflowID("bench", id), TaskQueue: lab.TaskQueue}
	start := map[string]any{"id": id, "contact_center": "bench", "channel": "inbound"}
	if _, err := b.Client.ExecuteWorkflow(ctx, options, contract.WorkflowInteraction, start); err != nil {
		return err
	}
	for i := range commands {
		if err := b.Client.SignalWorkflow(ctx, options.ID, "", "dtmf", map[string]any{"digits": strconv.Itoa(i)}); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until no more POSTs have come for a second.
func (b *bench) settle(ctx context.Context) error {
	for last := int64(-1); ; {
		now := b.seen.Load()
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
	runtime.GC() // what finalizers let go of, too
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc + stats.StackInuse)
}

// replay lets one of each kind work off many commands, and replays the histories
// in turn, so that a drift of the machine's speed meets both alike.
func (b *bench) replay(ctx context.Context, got *result) error {
	if err := b.openBoth(ctx, "long", got.Commands); err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	segue, err := b.history(ctx, contract.InteractionWorkflowID("bench", "long"))
	if err != nil {
		return err
	}
	bare, err := b.history(ctx, "bare-long")
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

// clone gives a replay a history of its own: it uses it up.
func clone(h *historypb.History) *historypb.History { return proto.Clone(h).(*historypb.History) }

func (b *bench) history(ctx context.Context, workflowID string) (*historypb.History, error) {
	history := &historypb.History{}
	pages := b.Client.GetWorkflowHistory(ctx, workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for pages.HasNext() {
		event, err := pages.Next()
		if err != nil {
			return nil, err
		}
		history.Events = append(history.Events, event)
	}
	return history, nil
}
