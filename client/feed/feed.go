package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"segue/client"
	"segue/contract"
)

// Target receives the lines; *client.Client implements it.
type Target interface {
	StartWith(ctx context.Context, n client.Name, start, commands json.RawMessage, reopen bool) (runID string, err error)
	Signal(ctx context.Context, n client.Name, command string, payload json.RawMessage) error
	Update(ctx context.Context, n client.Name, command, eventID string, payload json.RawMessage) (contract.Answer, error)
	Commands(ctx context.Context, n client.Name, eventID string, array json.RawMessage) ([]contract.CommandResult, error)
	Received(ctx context.Context, n client.Name) (map[string]bool, error)
	Rejected(ctx context.Context, n client.Name) ([]contract.Rejected, error)
}

// Mode is how commands are sent.
type Mode string

const (
	// ModeSignal sends signals, the default: Temporal acknowledges a signal when it has stored
	// it, and Run asks the interaction afterwards which ones it refused.
	ModeSignal Mode = "signal"
	// ModeUpdate sends updates: the interaction acknowledges an update when it has judged it.
	ModeUpdate Mode = "update"
	// ModeMixed sends the commands of about every fifth interaction as updates.
	ModeMixed Mode = "mixed"
)

// Options configure a Run.
type Options struct {
	// ContactCenter is the contact center of the lines that name none.
	ContactCenter string
	// Parallel is how many messages are in flight at most, each of a different interaction; 0 is
	// DefaultParallel.
	Parallel int
	// Mode is how commands are sent; empty is ModeSignal.
	Mode Mode
	// Progress, if set, is called after each line, from several goroutines.
	Progress func()
	// Prepare, if set, is called with each line before it is sent, and may change its payload. A line
	// for which it returns an error is rejected.
	Prepare func(*Line) error
	// Finished, if set, is called with each line once its outcome is known, from several goroutines, in
	// the order of the lines for each interaction. Then Result counts the lines and lists none, and after
	// an outage of Temporal the rest of the feed is read, and each line is unknown.
	Finished func(Outcome)
}

// DefaultParallel keeps a small server busy without flooding it.
const DefaultParallel = 16

// Run sends a feed and returns the outcomes of its lines. It sends the lines of an interaction
// that wait together as one message, a start and the commands behind it too, and never waits for
// more lines. A refused line and an interaction that does not answer are part of the result, not
// errors. An error means that the feed broke off, such as for an outage of Temporal: the result
// counts the lines until then, and the same feed can be run again.
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
	var shared shared
	queues := newQueues(ctx, options.Parallel)
	for _, q := range queues {
		w := newWorker(target, options, &shared)
		group.Go(func() error {
			err := w.run(ctx, q)
			counting.Lock()
			defer counting.Unlock()
			total.merge(w.result)
			return err
		})
	}
	scanned := make(chan error, 1)
	go func() {
		scanned <- scan(r, options.ContactCenter, func(l Line) error {
			queues.add(l)
			return nil
		}, func(bad BadLine) error {
			counting.Lock()
			defer counting.Unlock()
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			total.Lines++
			if options.Finished != nil {
				options.Finished(Outcome{Line: Line{Number: bad.Number}, Status: Rejected, Err: &BadLineError{Reason: bad.Reason, Err: bad.Err}})
			} else {
				total.Rejected = append(total.Rejected, Rejection{Line: bad.Number, Reason: bad.Reason})
			}
			options.Progress()
			return nil
		}, queues.flush)
	}()
	group.Go(func() error {
		defer queues.close()
		select {
		case err := <-scanned:
			return err
		case <-ctx.Done(): // a reader, such as a pipe, may never return
			return context.Cause(ctx)
		}
	})
	err := group.Wait()
	if err == nil {
		err = shared.outage()
	}
	counting.Lock()
	defer counting.Unlock()
	total.sort()
	if err != nil {
		return total, fmt.Errorf("the feed broke off, run it again to go on: %w", err)
	}
	return total, nil
}

func hashOf(n client.Name) uint32 {
	h := fnv.New32a()
	h.Write([]byte(n.String()))
	return h.Sum32()
}

// modeFor chooses a mode for one interaction. All its commands are sent in the same mode,
// because Temporal keeps no order between signals and updates that are in flight together.
func (o Options) modeFor(n client.Name) Mode {
	switch {
	case o.Mode == ModeUpdate, o.Mode == ModeMixed && hashOf(n)/7%5 == 0:
		return ModeUpdate
	default:
		return ModeSignal
	}
}
