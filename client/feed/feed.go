package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"segue/client"
	"segue/contract"
)

// Target is who takes the lines; client.Client is the real one.
type Target interface {
	Start(ctx context.Context, n client.Name, start json.RawMessage, reopen bool) (runID string, err error)
	Signal(ctx context.Context, n client.Name, command string, payload json.RawMessage) error
	Update(ctx context.Context, n client.Name, command, eventID string, payload json.RawMessage) (contract.Answer, error)
	Received(ctx context.Context, n client.Name) (map[string]bool, error)
	Rejected(ctx context.Context, n client.Name) ([]contract.Rejected, error)
}

// Mode is how commands are sent.
type Mode string

// The ways: a signal is acknowledged when Temporal has it, an update when the
// interaction has judged it. Mixed sends every fifth interaction by updates.
const (
	ModeSignal Mode = "signal"
	ModeUpdate Mode = "update"
	ModeMixed  Mode = "mixed"
)

// Options say how a feed is sent.
type Options struct {
	// ContactCenter is for the lines that name none.
	ContactCenter string
	// Parallel is how many lines may be under way at once, each of another interaction.
	Parallel int
	Mode     Mode
	// Progress is told of each line that is done; it is called from several goroutines.
	Progress func()
}

// DefaultParallel keeps a small server busy and does not flood it.
const DefaultParallel = 16

// queueSize is how many lines wait for one of the workers at most.
const queueSize = 64

// Run sends a feed. An error means that it broke off: the result counts what was
// done until then, and the same feed may be run again.
func Run(ctx context.Context, target Target, r io.Reader, options Options) (Result, error) {
	if options.Parallel < 1 {
		options.Parallel = DefaultParallel
	}
	if options.Progress == nil {
		options.Progress = func() {}
	}
	group, ctx := errgroup.WithContext(ctx)
	total := Result{Rejected: []Rejection{}, Unanswered: []Unanswered{}, Runs: map[client.Name]string{}}
	var counting sync.Mutex
	var answered atomic.Bool
	workers := make([]chan Line, options.Parallel)
	for i := range workers {
		workers[i] = make(chan Line, queueSize)
		w := newWorker(target, options, &answered)
		group.Go(func() error {
			err := w.run(ctx, workers[i])
			counting.Lock()
			defer counting.Unlock()
			total.merge(w.result)
			return err
		})
	}
	group.Go(func() error {
		defer func() {
			for _, lines := range workers {
				close(lines)
			}
		}()
		return Scan(r, options.ContactCenter, func(l Line) error {
			select {
			case workers[shardOf(l.Name, len(workers))] <- l:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}, func(bad BadLine) error {
			counting.Lock()
			defer counting.Unlock()
			total.Lines++
			total.Rejected = append(total.Rejected, Rejection{Line: bad.Number, Reason: bad.Reason})
			options.Progress()
			return nil
		})
	})
	err := group.Wait()
	total.sort()
	if err != nil {
		return total, fmt.Errorf("the feed broke off, run it again to go on: %w", err)
	}
	return total, nil
}

// shardOf gives every line of one interaction to the same worker.
func shardOf(n client.Name, shards int) int { return int(hashOf(n) % uint32(shards)) }

func hashOf(n client.Name) uint32 {
	h := fnv.New32a()
	h.Write([]byte(n.String()))
	return h.Sum32()
}

// modeFor chooses for one interaction: all its commands go the same way, because
// order between signals and updates is only what awaiting each gives.
func (o Options) modeFor(n client.Name) Mode {
	switch {
	case o.Mode == ModeUpdate, o.Mode == ModeMixed && hashOf(n)/7%5 == 0:
		return ModeUpdate
	default:
		return ModeSignal
	}
}
