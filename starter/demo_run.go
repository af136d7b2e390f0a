package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/client"
	"segue/client/feed"
	"segue/config"
	"segue/contract"
	"segue/interaction"
	"segue/starter/demo"
)

// demoRun plays the day once and judges the result.
type demoRun struct {
	*app
	stack     *stack
	flags     demoFlags
	receivers *demo.Receivers
	set       *config.Set
	day       []byte

	plan     *demo.Plan
	expected []demo.Expected
}

// run plays the day, and stops with an error if Temporal or the worker ends meanwhile.
func (d *demoRun) run(ctx context.Context) (*demoResult, error) {
	playing, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		cancel(d.stack.segue.Wait(playing))
	}()
	result, err := d.play(playing)
	ended := context.Cause(playing)
	cancel(nil)
	<-watched
	if err != nil && ended != nil && ctx.Err() == nil {
		return nil, ended
	}
	return result, err
}

// play feeds the day, waits for the deliveries and the ends of the interactions, and judges them.
func (d *demoRun) play(ctx context.Context) (*demoResult, error) {
	var err error
	if d.plan, err = demo.NewPlan(d.day, d.flags.contactCenter); err != nil {
		return nil, err
	}
	begin := time.Now()
	fed, err := d.feed(ctx)
	if err != nil {
		return nil, err
	}
	if d.expected, err = d.plan.Expect(d.set, d.receivers, fed.Runs); err != nil {
		return nil, err
	}
	if err := d.awaitDeliveries(ctx); err != nil {
		return nil, err
	}
	elapsed := time.Since(begin)
	final, err := d.awaitFinalState(ctx)
	if err != nil {
		return nil, err
	}
	timelines := d.timelines(ctx)
	result := d.judge(fed, final, timelines)
	result.ElapsedS = elapsed.Seconds()
	result.TemporalUI = d.stack.ui()
	result.shown = d.mostVaried()
	result.timeline = timelines[result.shown.Name].spans
	return result, nil
}

func (d *demoRun) feed(ctx context.Context) (feed.Result, error) {
	bar := newProgress(d.errs, "lines", countLines(d.day))
	defer bar.end()
	if d.flags.client != "" {
		return d.feedByClient(ctx, bar)
	}
	return feed.Run(ctx, d.stack.Client, bytes.NewReader(d.day), feed.Options{
		ContactCenter: d.flags.contactCenter, Parallel: d.flags.parallel, Mode: feed.ModeMixed, Progress: bar.step,
	})
}

// pollPause is the pause between two reads of the ledger or the lists.
const pollPause = 100 * time.Millisecond

// awaitDeliveries waits until every expected delivery has its final response, or --timeout has passed. A delivery that
// is still missing then counts as lost.
func (d *demoRun) awaitDeliveries(ctx context.Context) error {
	bar := newProgress(d.errs, "deliveries", len(d.expected))
	defer bar.end()
	return d.poll(ctx, d.flags.timeout, func() (bool, error) {
		settled := d.receivers.Ledger.Settled()
		bar.set(settled)
		return settled >= len(d.expected), nil
	})
}

// poll calls done until it returns true or an error, or until limit has passed, which is not an error.
func (d *demoRun) poll(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(pollPause)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// finalState is the result of the day in Temporal.
type finalState struct {
	outcomes map[string]string // by interaction id; "" while open
	parked   int
}

const (
	// quietPeriod is the time without arrivals after which the ledger is complete.
	quietPeriod = 500 * time.Millisecond
	// finalLimit bounds the wait for the final state.
	finalLimit = 20 * time.Second
)

// awaitFinalState waits until every interaction has closed, every refused delivery is parked, and no request has
// arrived for quietPeriod.
func (d *demoRun) awaitFinalState(ctx context.Context) (finalState, error) {
	refused := 0
	for _, e := range d.expected {
		if e.Status == http.StatusBadRequest {
			refused++
		}
	}
	var final finalState
	arrivals, since := -1, time.Now()
	err := d.poll(ctx, finalLimit, func() (bool, error) {
		var err error
		if final, err = d.readState(ctx); err != nil {
			return false, err
		}
		if now := d.receivers.Ledger.Len(); now != arrivals {
			arrivals, since = now, time.Now()
		}
		open := slices.Contains(slices.Collect(maps.Values(final.outcomes)), "")
		return !open && len(final.outcomes) == len(d.plan.Interactions) && final.parked == refused && time.Since(since) > quietPeriod, nil
	})
	return final, err
}

// readState reads the outcomes of the interactions and counts the parked deliveries.
func (d *demoRun) readState(ctx context.Context) (finalState, error) {
	state := finalState{outcomes: map[string]string{}}
	here := fmt.Sprintf(" AND SegueContactCenter = '%s'", d.flags.contactCenter)
	interactions, err := d.stack.find(ctx, "WorkflowType = '"+contract.WorkflowInteraction+"'"+here, 1<<20)
	if err != nil {
		return state, err
	}
	for _, entry := range interactions {
		if entry.ClosedAt == nil {
			entry.Outcome = ""
		}
		state.outcomes[entry.ID] = entry.Outcome
	}
	lanes, err := d.stack.find(ctx, "WorkflowType = '"+contract.WorkflowDelivery+"' AND SegueParked > 0"+here, 1<<20)
	for _, entry := range lanes {
		state.parked += int(entry.Parked)
	}
	return state, err
}

// timelineAnswer is an interaction's answer to the timeline query, or the error of the query.
type timelineAnswer struct {
	spans []interaction.Span
	err   error
}

// timelines queries the timeline of every interaction.
func (d *demoRun) timelines(ctx context.Context) map[client.Name]timelineAnswer {
	var mu sync.Mutex
	answers := map[client.Name]timelineAnswer{}
	bar := newProgress(d.errs, "timelines", len(d.plan.Interactions))
	defer bar.end()
	var queries errgroup.Group
	queries.SetLimit(d.flags.parallel)
	for _, planned := range d.plan.Interactions {
		queries.Go(func() error {
			limited, cancel := limited(ctx)
			defer cancel()
			var answer timelineAnswer
			answer.spans, answer.err = d.stack.Timeline(limited, planned.Name)
			mu.Lock()
			defer mu.Unlock()
			answers[planned.Name] = answer
			bar.step()
			return nil
		})
	}
	_ = queries.Wait() // each error is in its answer
	return answers
}

// mostVaried returns the interaction that has the most different segments.
func (d *demoRun) mostVaried() *demo.PlannedInteraction {
	varied, most := d.plan.Interactions[0], 0
	for _, planned := range d.plan.Interactions {
		segments := map[interaction.Segment]bool{}
		for _, span := range planned.Timeline() {
			segments[span.Segment] = true
		}
		if len(segments) > most {
			varied, most = planned, len(segments)
		}
	}
	return varied
}
