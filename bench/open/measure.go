package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"

	"segue/bench"
	"segue/contract"
)

const (
	bareQueue = "bare"
	// atOnce is how many interactions are started at the same time.
	atOnce = 32
	// commands is how many commands an interaction has got when its memory is measured.
	commands = 3
)

// comparison is a Segue, a worker with the baseline beside Segue's, and a receiver for both.
type comparison struct {
	temporal  client.Client
	taskQueue string
	url       string
	seen      *atomic.Int64
}

func measure(ctx context.Context, interactions int, profile string) (_ result, err error) {
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
	return c.memory(ctx, interactions, profile)
}

// memory starts many of each kind and measures by how much the live heap and the stacks grow.
func (c *comparison) memory(ctx context.Context, n int, profile string) (got result, err error) {
	if _, err := c.openMany(ctx, atOnce, "warm", c.openBoth); err != nil { // connections, pools, caches of the SDK
		return got, err
	}
	bare, err := c.openMany(ctx, n, "bare", c.openBare)
	if err != nil {
		return got, err
	}
	if err := writeProfile(profile, "before"); err != nil {
		return got, err
	}
	segue, err := c.openMany(ctx, n, "segue", c.openSegue)
	if err != nil {
		return got, err
	}
	if err := writeProfile(profile, "after"); err != nil {
		return got, err
	}
	got = result{Interactions: n, Segue: segue, Bare: bare, Ratio: segue.sum() / bare.sum(), Limit: ratioLimit}
	got.Pass = got.Ratio <= got.Limit
	return got, nil
}

// openMany starts n of a kind, each with three commands, and returns by how much memory has grown for each when all of
// their POSTs have arrived.
func (c *comparison) openMany(ctx context.Context, n int, prefix string, open func(ctx context.Context, id string) error) (memory, error) {
	before := memoryNow()
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error { return open(within, prefix+strconv.Itoa(i)) })
	}
	if err := group.Wait(); err != nil {
		return memory{}, err
	}
	if err := c.awaitQuiet(ctx); err != nil {
		return memory{}, err
	}
	after := memoryNow()
	return memory{Heap: (after.Heap - before.Heap) / float64(n), Stacks: (after.Stacks - before.Stacks) / float64(n)}, nil
}

func (c *comparison) openBoth(ctx context.Context, id string) error {
	return errors.Join(c.openBare(ctx, id), c.openSegue(ctx, id))
}

func (c *comparison) openBare(ctx context.Context, id string) error {
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

func (c *comparison) openSegue(ctx context.Context, id string) error {
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

// memoryNow returns the memory of the process in KiB.
func memoryNow() memory {
	runtime.GC()
	runtime.GC() // also what finalizers have released
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return memory{Heap: float64(stats.HeapAlloc) / 1024, Stacks: float64(stats.StackInuse) / 1024}
}

// writeProfile writes a profile of the live heap to a file whose name begins with prefix; it does nothing without one.
func writeProfile(prefix, when string) error {
	if prefix == "" {
		return nil
	}
	file, err := os.Create(prefix + "." + when)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("heap").WriteTo(file, 0), file.Close())
}
