package index

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/time/rate"

	"segue/client"
	"segue/contract"
)

const (
	sweepEvery = time.Minute
	// sweepAway is how often open interactions are listed while the bus is away.
	sweepAway = 5 * time.Second
	sweepPage = 1000
	// The first listing stays below the 10 pages a second that servers allow by default.
	firstPagesPerSecond = 5
	// sweepGrace is how far visibility may be behind.
	sweepGrace = 10 * time.Second
	// startWait is how long the first listing waits for the stream, which saves most queries.
	startWait     = 30 * time.Second
	startWaitAway = 2 * time.Second
)

// interactionPrefix begins the workflow ids of all interactions.
const interactionPrefix = "interaction/"

const runningInteractions = "WorkflowType = '" + contract.WorkflowInteraction + "' AND ExecutionStatus = 'Running'"

// sweeps lists the open interactions at the start, each minute, and more often while the bus is
// away.
func (x *Index) sweeps(ctx context.Context) error {
	if err := x.awaitStream(ctx); err != nil {
		return err
	}
	pages := rate.NewLimiter(firstPagesPerSecond, 1)
	for {
		began := time.Now()
		err := x.listOpen(ctx, pages, began)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		x.mu.Lock()
		x.swept = err
		x.mu.Unlock()
		if err != nil {
			x.log.Warn("Open interactions cannot be listed", "error", err)
		} else {
			pages.SetLimit(1)
		}
		if err := x.awaitSweep(ctx, began); err != nil {
			return err
		}
	}
}

// awaitStream waits until the index has what the stream had at the start.
func (x *Index) awaitStream(ctx context.Context) error {
	began := time.Now()
	for {
		x.mu.Lock()
		caught, arrived, isAway := x.caught, x.arrived, x.unread != nil
		x.mu.Unlock()
		isAway = isAway || !x.bus.Connected()
		waited := time.Since(began)
		if caught || waited >= startWait || waited >= startWaitAway && isAway {
			return nil
		}
		timer := time.NewTimer(startWaitAway)
		select {
		case <-arrived:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		timer.Stop()
	}
}

// awaitSweep waits until the next listing is due. A failed one is repeated as if the bus were away.
func (x *Index) awaitSweep(ctx context.Context, began time.Time) error {
	tick := time.NewTicker(sweepAway)
	defer tick.Stop()
	for {
		select {
		case <-x.again:
			return nil
		case <-tick.C:
			x.mu.Lock()
			failed := x.swept != nil
			x.mu.Unlock()
			if failed || !x.bus.Connected() || time.Since(began) >= sweepEvery {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// listOpen compares the run ids of all open interactions with the index, and has those queried that
// differ.
func (x *Index) listOpen(ctx context.Context, pages *rate.Limiter, began time.Time) error {
	x.mu.Lock()
	x.sweep++
	x.mu.Unlock()
	request := &workflowservice.ListWorkflowExecutionsRequest{PageSize: sweepPage, Query: runningInteractions}
	for {
		if err := pages.Wait(ctx); err != nil {
			return err
		}
		page, err := x.listPage(ctx, request)
		if err != nil {
			return fmt.Errorf("list open interactions: %w", err)
		}
		for _, execution := range page.GetExecutions() {
			if n, ok := nameOf(execution.GetExecution().GetWorkflowId()); ok {
				x.compare(n, execution.GetExecution().GetRunId())
			}
		}
		request.NextPageToken = page.GetNextPageToken()
		if len(request.NextPageToken) == 0 {
			break
		}
	}
	x.listed(began)
	return nil
}

func (x *Index) listPage(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	return x.client.Temporal.ListWorkflow(ctx, request)
}

// nameOf returns the interaction that a workflow id is of.
func nameOf(workflowID string) (client.Name, bool) {
	rest, ok := strings.CutPrefix(workflowID, interactionPrefix)
	contactCenter, id, found := strings.Cut(rest, "/")
	return client.Name{ContactCenter: contactCenter, ID: id}, ok && found && id != ""
}

// compare has an interaction queried that the index lacks or has under another run.
func (x *Index) compare(n client.Name, run string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.records[n]
	switch {
	case r == nil || r.state.run == "":
		x.heal.request(n, task{must: true, quiet: x.isOlder(n)})
		return
	case run != r.state.run:
		x.heal.request(n, task{must: true})
	case !x.loaded && r.entry != nil:
		// It came from the stream; no replica may have been there when its last notice was lost.
		x.heal.request(n, task{must: true, idle: true})
	}
	r.sweep = x.sweep
}

// isOlder reports whether an interaction without a state was open when this replica began: that no
// notice reports it is no loss.
func (x *Index) isOlder(n client.Name) bool {
	if _, isSilent := x.silent[n]; isSilent {
		x.silent[n] = x.sweep
		return true
	}
	if !x.loaded {
		x.missing[n] = struct{}{}
	}
	_, isMissing := x.missing[n]
	return isMissing
}

// listed has those queried that the index has as open and the listing lacks.
func (x *Index) listed(began time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for n, r := range x.records {
		if r.entry != nil && r.sweep != x.sweep && r.since.Before(began.Add(-sweepGrace)) {
			x.heal.request(n, task{absent: true})
		}
	}
	maps.DeleteFunc(x.silent, func(_ client.Name, sweep uint64) bool { return sweep != x.sweep })
	x.loaded = true
	x.stats.Sweeps++
	x.forgetOld()
	x.checkComplete()
}
