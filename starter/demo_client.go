package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"segue/client"
	"segue/client/feed"
	"segue/starter/demo"
)

// feedByClient has the program of --client play the day.
func (d *demoRun) feedByClient(ctx context.Context, bar *progress) (feed.Result, error) {
	slow := fmt.Errorf("the client %q did not finish within --timeout %s", d.flags.client, d.flags.timeout)
	limited, cancel := context.WithTimeoutCause(ctx, d.flags.timeout, slow)
	defer cancel()
	fed, err := demo.Player{
		Program: d.flags.client, Gateway: d.stack.gateway.url, ContactCenter: d.flags.contactCenter, Stderr: d.errs, Progress: bar.step,
	}.Play(limited, d.day)
	if cause := context.Cause(limited); cause != nil {
		return fed, cause
	}
	if err != nil {
		return fed, err
	}
	fed.Runs, err = d.firstRuns(ctx)
	if err != nil {
		return fed, err
	}
	return fed, d.checkStarted(fed)
}

// firstRuns returns the first runs of the planned interactions that exist.
func (d *demoRun) firstRuns(ctx context.Context) (map[client.Name]string, error) {
	var mu sync.Mutex
	runs := map[client.Name]string{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(d.flags.parallel)
	for _, planned := range d.plan.Interactions {
		group.Go(func() error {
			limited, cancel := limited(ctx)
			defer cancel()
			run, err := d.stack.FirstRun(limited, planned.Name)
			switch {
			case errors.Is(err, client.ErrNotFound):
				return nil
			case err != nil:
				return fmt.Errorf("the run of %s: %w", planned.Name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			runs[planned.Name] = run
			return nil
		})
	}
	return runs, group.Wait()
}

// checkStarted returns an error unless the client has started every interaction of the plan: without its run, nothing that
// an interaction delivers can be expected.
func (d *demoRun) checkStarted(fed feed.Result) error {
	var missing []client.Name
	for _, planned := range d.plan.Interactions {
		if fed.Runs[planned.Name] == "" {
			missing = append(missing, planned.Name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	text := fmt.Sprintf("the client did not start %d of %d interactions; the first is %s", len(missing), len(d.plan.Interactions), missing[0])
	for _, rejected := range fed.Rejected {
		if rejected.Command == feed.CommandStart && rejected.Interaction == missing[0].String() {
			return fmt.Errorf("%s, refused in line %d: %s", text, rejected.Line, rejected.Reason)
		}
	}
	for _, unanswered := range fed.Unanswered {
		if unanswered.Interaction == missing[0].String() {
			return fmt.Errorf("%s, without an answer in line %d: %s", text, unanswered.Lines[0], unanswered.Reason)
		}
	}
	return errors.New(text)
}
