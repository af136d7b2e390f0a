package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"segue/client"
	"segue/contract"
)

// senders is how many commands are sent to Temporal at once. Updates are fewer, because the server accepts ten in flight
// for one workflow.
const (
	senders       = 64
	updateSenders = 8
)

// command returns the payload of the n-th command.
func (s scenario) command(n int) map[string]any {
	return map[string]any{"p1": strconv.Itoa(n), "p2": strings.Repeat("x", s.Fill), "event_id": "e" + strconv.Itoa(n)}
}

// send sends the scenario's commands, counts those that Temporal has taken, and returns when it has taken all of them.
func (l *life) send(ctx context.Context, taken *atomic.Int64) error {
	if l.Batch > 0 {
		return l.sendUpdates(ctx, taken)
	}
	pace := rate.NewLimiter(rate.Inf, 1)
	if l.Within > 0 {
		pace = rate.NewLimiter(rate.Limit(float64(l.Commands)/l.Within.Seconds()), senders)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(senders)
	for n := range l.Commands {
		if err := pace.Wait(ctx); err != nil {
			break // the group has the reason
		}
		group.Go(func() error {
			if err := l.temporal.SignalWorkflow(ctx, l.workflowID, "", "script_signal", l.command(n)); err != nil {
				return fmt.Errorf("command %d: %w", n, err)
			}
			taken.Add(1)
			return nil
		})
	}
	return group.Wait()
}

func (l *life) sendUpdates(ctx context.Context, taken *atomic.Int64) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(updateSenders)
	for from := 0; from < l.Commands && ctx.Err() == nil; from += l.Batch {
		batch := make([]any, 0, l.Batch)
		for n := from; n < min(from+l.Batch, l.Commands); n++ {
			one := l.command(n)
			one["command"] = "script_signal"
			batch = append(batch, one)
		}
		group.Go(func() error {
			if err := l.update(ctx, fmt.Sprintf("batch-%d", from), batch); err != nil {
				return fmt.Errorf("commands from %d: %w", from, err)
			}
			taken.Add(int64(len(batch)))
			return nil
		})
	}
	return group.Wait()
}

// update sends one batch as `segue signal` does: it retries if the run closes meanwhile.
func (l *life) update(ctx context.Context, id string, batch []any) error {
	array, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	results, err := l.client.Commands(ctx, client.Name{ContactCenter: contactCenter, ID: l.Name}, id, array)
	if err != nil {
		return err
	}
	return refused(results)
}

// refused returns an error for the first command of a batch that was not applied.
func refused(results []contract.CommandResult) error {
	for _, result := range results {
		if result.Error != nil {
			return fmt.Errorf("refused: %s", result.Error.Message)
		}
	}
	return nil
}

// awaitArrivals waits until every delivery has arrived. It fails if none arrives for a minute.
func (l *life) awaitArrivals(ctx context.Context) error {
	arrived, since := 0, time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		now := l.receiver.counts().Arrived
		if now >= l.Commands {
			return nil
		}
		if now > arrived {
			arrived, since = now, time.Now()
		}
		if time.Since(since) > time.Minute {
			return fmt.Errorf("%d of %d deliveries arrived, and none for a minute", arrived, l.Commands)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
