package main

import (
	"bytes"
	"context"
	"fmt"
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

// play is one playing of the day.
type play struct {
	*app
	stack     *stack
	flags     demoFlags
	receivers *demo.Receivers
	set       *config.Set
	day       []byte

	plan     *demo.Plan
	expected []demo.Expected
}

// runWhileUp runs, and breaks off when something of the stack ends by itself.
func (p *play) runWhileUp(ctx context.Context) (*demoResult, error) {
	playing, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		cancel(p.stack.segue.Wait(playing))
	}()
	result, err := p.run(playing)
	broken := context.Cause(playing)
	cancel(nil)
	<-watched
	if err != nil && broken != nil && ctx.Err() == nil {
		return nil, broken
	}
	return result, err
}

// run feeds the day, waits for what it causes, and compares.
func (p *play) run(ctx context.Context) (*demoResult, error) {
	var err error
	if p.plan, err = demo.PlanOf(p.day, p.flags.contactCenter); err != nil {
		return nil, err
	}
	begin := time.Now()
	fed, err := p.feed(ctx)
	if err != nil {
		return nil, err
	}
	if p.expected, err = p.plan.Expect(p.set, p.receivers, fed.Runs); err != nil {
		return nil, err
	}
	if err := p.awaitDeliveries(ctx); err != nil {
		return nil, err
	}
	elapsed := time.Since(begin)
	ended, err := p.awaitEnds(ctx)
	if err != nil {
		return nil, err
	}
	told := p.timelines(ctx)
	result := p.compare(fed, ended, told)
	result.ElapsedS = elapsed.Seconds()
	result.TemporalUI = p.stack.ui()
	result.drawn = p.richest()
	result.timeline = told[result.drawn.Name].spans
	return result, nil
}

func (p *play) feed(ctx context.Context) (feed.Result, error) {
	bar := newProgress(p.errs, "lines", countLines(p.day))
	defer bar.end()
	return feed.Run(ctx, p.stack.Client, bytes.NewReader(p.day), feed.Options{
		ContactCenter: p.flags.contactCenter, Parallel: p.flags.parallel, Mode: feed.ModeMixed, Progress: bar.step,
	})
}

// lookAgain is how often the ledger and the lists are looked at.
const lookAgain = 100 * time.Millisecond

// awaitDeliveries waits until every expected delivery has got its final answer,
// but not for ever: what is missing then is lost.
func (p *play) awaitDeliveries(ctx context.Context) error {
	bar := newProgress(p.errs, "deliveries", len(p.expected))
	defer bar.end()
	return p.until(ctx, p.flags.timeout, func() (bool, error) {
		settled := p.receivers.Ledger.Settled()
		bar.set(settled)
		return settled >= len(p.expected), nil
	})
}

// until asks again and again; time that runs out is no error.
func (p *play) until(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(lookAgain)
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

// ends is what Temporal tells of the interactions and lanes in the end.
type ends struct {
	outcomes map[string]string // by interaction id; "" while open
	parked   int
}

// calm is how long nothing may arrive before the ledger counts as closed, and
// endLimit how long the ends may take.
const (
	calm     = 500 * time.Millisecond
	endLimit = 20 * time.Second
)

// awaitEnds waits until every interaction has closed, every refused delivery is
// parked, and nothing arrives any more.
func (p *play) awaitEnds(ctx context.Context) (ends, error) {
	refused := 0
	for _, e := range p.expected {
		if e.Status == 400 {
			refused++
		}
	}
	var found ends
	arrivals, since := -1, time.Now()
	err := p.until(ctx, endLimit, func() (bool, error) {
		var err error
		if found, err = p.ends(ctx); err != nil {
			return false, err
		}
		if now := p.receivers.Ledger.Len(); now != arrivals {
			arrivals, since = now, time.Now()
		}
		open := slices.Contains(values(found.outcomes), "")
		return !open && len(found.outcomes) == len(p.plan.Courses) && found.parked == refused && time.Since(since) > calm, nil
	})
	return found, err
}

func (p *play) ends(ctx context.Context) (ends, error) {
	e := ends{outcomes: map[string]string{}}
	here := fmt.Sprintf(" AND SegueContactCenter = '%s'", p.flags.contactCenter)
	interactions, err := p.stack.find(ctx, "WorkflowType = '"+contract.WorkflowInteraction+"'"+here, 1<<20)
	if err != nil {
		return e, err
	}
	for _, entry := range interactions {
		if entry.ClosedAt == nil {
			entry.Outcome = ""
		}
		e.outcomes[entry.ID] = entry.Outcome
	}
	lanes, err := p.stack.find(ctx, "WorkflowType = '"+contract.WorkflowDelivery+"' AND SegueParked > 0"+here, 1<<20)
	for _, entry := range lanes {
		e.parked += int(entry.Parked)
	}
	return e, err
}

func values(m map[string]string) []string {
	var list []string
	for _, value := range m {
		list = append(list, value)
	}
	return list
}

// told is the timeline that Segue tells of an interaction, or why it does not.
type told struct {
	spans []interaction.Span
	err   error
}

// timelines asks every interaction what it went through.
func (p *play) timelines(ctx context.Context) map[client.Name]told {
	var mu sync.Mutex
	answers := map[client.Name]told{}
	bar := newProgress(p.errs, "timelines", len(p.plan.Courses))
	defer bar.end()
	var asking errgroup.Group
	asking.SetLimit(p.flags.parallel)
	for _, course := range p.plan.Courses {
		asking.Go(func() error {
			limited, cancel := limited(ctx)
			defer cancel()
			var answer told
			answer.spans, answer.err = p.stack.Timeline(limited, course.Name)
			mu.Lock()
			defer mu.Unlock()
			answers[course.Name] = answer
			bar.step()
			return nil
		})
	}
	_ = asking.Wait() // each error is in its answer
	return answers
}

// richest is the interaction that went through most kinds of segment.
func (p *play) richest() *demo.Course {
	richest, most := p.plan.Courses[0], 0
	for _, course := range p.plan.Courses {
		segments := map[interaction.Segment]bool{}
		for _, span := range course.Timeline() {
			segments[span.Segment] = true
		}
		if len(segments) > most {
			richest, most = course, len(segments)
		}
	}
	return richest
}
