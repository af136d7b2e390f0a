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

// senders is how many commands are on their way to Temporal at once; updates are
// fewer, because the server takes ten.
const (
	senders       = 64
	updateSenders = 8
)

// command is the payload of the n-th command.
func (s scenario) command(n int) map[string]any {
	return map[string]any{"p1": strconv.Itoa(n), "p2": strings.Repeat("x", s.Fill), "event_id": "e" + strconv.Itoa(n)}
}

// send sends the scenario's commands and returns when Temporal has taken them all;
// taken counts along.
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
			break // the group tells why
		}
		group.Go(func() error {
			if err := l.lab.Client.SignalWorkflow(ctx, l.workflowID, "", "script_signal", l.command(n)); err != nil {
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

// update sends one batch as `segue signal` does: again, when a run ended under it.
func (l *life) update(ctx context.Context, id string, batch []any) error {
	array, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	results, err := l.drive.Commands(ctx, client.Name{ContactCenter: contactCenter, ID: l.Name}, id, array)
	if err != nil {
		return err
	}
	return refused(results)
}

// refused is the first command of a batch that was not applied, as an error.
func refused(results []contract.CommandResult) error {
	for _, result := range results {
		if result.Error != nil {
			return fmt.Errorf("refused: %s", result.Error.Message)
		}
	}
	return nil
}

// settle waits until everything taken has arrived, or nothing more arrives.
func (l *life) settle(ctx context.Context) error {
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
