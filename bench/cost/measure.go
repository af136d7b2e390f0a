package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"segue/bench"
	"segue/embedded"
	"segue/worker/local"
)

// idlePause is how long the server gets at idle to finish what follows the POST.
const idlePause = 20 * time.Millisecond

// measurement measures all contenders with one receiver.
type measurement struct {
	plan
	temporal   client.Client
	server     int // the process id
	workers    *bench.Child
	profile    string // the file for the CPU profile of the workers
	receiver   *bench.Receiver
	contenders []*contender
	figures    map[place]*figures
	// floorClosed is how many interactions of the floor closed in the last run of a load. The backlog of the feed is as
	// long.
	floorClosed map[int]int
}

// measure measures all contenders with all receivers.
func measure(ctx context.Context, plans []plan, rounds int, profile string) (got report, err error) {
	segue, err := local.Start(ctx, local.Options{Server: embedded.Options{UIPort: embedded.NoUI}})
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, segue.Stop()) }()
	temporal, err := client.Dial(client.Options{HostPort: segue.Settings.Address, Namespace: segue.Settings.Namespace, Logger: bench.ErrorsOnly()})
	if err != nil {
		return got, err
	}
	defer temporal.Close()
	for _, p := range plans {
		m := &measurement{
			plan: p, temporal: temporal, server: segue.Server.PID(), receiver: bench.OpenReceiver(p.delay),
			figures: map[place]*figures{}, floorClosed: map[int]int{},
		}
		if profile != "" {
			m.profile = fmt.Sprintf("%s.%s", profile, p.delay)
		}
		if err := m.run(ctx, segue, rounds); err != nil {
			return got, err
		}
		m.addTo(&got)
	}
	got.ServerMB = float64(bench.ResidentOf(segue.Server.PID())) / 1e6
	got.judge()
	return got, nil
}

func (m *measurement) run(ctx context.Context, segue *local.Segue, rounds int) (err error) {
	defer m.receiver.Close()
	queue := fmt.Sprintf("cost-%d", m.delay.Milliseconds())
	m.workers, err = startWorkers(assignment{
		Address: segue.Settings.Address, Namespace: segue.Settings.Namespace, URL: m.receiver.URL, Queue: queue, Late: m.late,
		Profile: m.profile,
	})
	if err != nil {
		return err
	}
	m.contenders = append(bareContenders(m.temporal, m.receiver.URL, bareQueue(queue)),
		segueContenders(segue.Client.Temporal, queue, m.late)...)
	if err := m.rounds(ctx, rounds); err != nil {
		return errors.Join(err, m.workers.Stop())
	}
	return errors.Join(m.workers.Stop(), m.receiver.Settle(ctx))
}

func (m *measurement) rounds(ctx context.Context, rounds int) error {
	// Connections are opened, caches filled, and Segue learns how fast the receiver is.
	m.progress("warming up")
	for _, c := range m.contenders {
		if _, err := m.runLoad(ctx, c, load{inFlight: 20}); err != nil {
			return err
		}
	}
	m.progress("%d interactions of each contender at idle", m.idle)
	for range m.idle {
		for _, c := range m.contenders {
			if c.feed != nil {
				continue
			}
			if err := m.runIdle(ctx, c); err != nil {
				return err
			}
		}
	}
	order := slices.Clone(m.contenders)
	for round := range rounds {
		for _, l := range m.loads {
			for _, c := range order {
				f, err := m.runLoad(ctx, c, l)
				if err != nil {
					return err
				}
				m.progress("round %d of %d, %d in flight: %s %.1f interactions/s", round+1, rounds, l.inFlight, c.name, f.rate())
				m.of(c, l.inFlight).add(f)
			}
		}
		slices.Reverse(order) // so that a drift of the machine's speed affects all alike
	}
	return nil
}

func (m *measurement) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "cost: receiver %d ms: %s\n", m.delay.Milliseconds(), fmt.Sprintf(format, args...))
}

// of returns the figures of a contender under a load.
func (m *measurement) of(c *contender, inFlight int) *figures {
	at := place{m.delay.Milliseconds(), c.name, inFlight}
	if m.figures[at] == nil {
		m.figures[at] = &figures{}
	}
	return m.figures[at]
}

// runIdle runs one interaction.
func (m *measurement) runIdle(ctx context.Context, c *contender) error {
	one, err := m.interact(ctx, c, true)
	if err != nil {
		return fmt.Errorf("%s at idle: %w", c.name, err)
	}
	f, err := m.figuresOf(ctx, c, []course{one})
	m.of(c, 1).add(f)
	return errors.Join(err, m.end(ctx, c, []course{one}))
}

// runLoad runs interactions for the time of the load.
func (m *measurement) runLoad(ctx context.Context, c *contender, l load) (figures, error) {
	used, begin := cpuNow(m.server, m.workers.PID()), time.Now()
	from, until := begin.Add(l.warm), begin.Add(l.warm+l.window)
	var courses []course
	var err error
	if c.feed == nil {
		courses, err = m.runSlots(ctx, c, l.inFlight, until)
	} else {
		courses, err = m.runFeed(ctx, c, l.inFlight)
		from, until = begin, time.Now()
	}
	if err != nil {
		return figures{}, fmt.Errorf("%s with %d in flight: %w", c.name, l.inFlight, err)
	}
	used = cpuNow(m.server, m.workers.PID()).sub(used)
	if c.name == floor {
		m.floorClosed[l.inFlight] = len(courses)
	}
	f, err := m.figuresOf(ctx, c, courses)
	f.cpu = used
	f.measureRate(courses, from, until)
	return f, errors.Join(err, m.end(ctx, c, courses))
}

// runSlots runs interactions, each after the one before in its slot, until a moment.
func (m *measurement) runSlots(ctx context.Context, c *contender, slots int, until time.Time) ([]course, error) {
	var mu sync.Mutex
	var courses []course
	group, ctx := errgroup.WithContext(ctx)
	for range slots {
		group.Go(func() error {
			for isFirst := true; isFirst || time.Now().Before(until); isFirst = false {
				one, err := m.interact(ctx, c, false)
				if err != nil {
					return err
				}
				mu.Lock()
				courses = append(courses, one)
				mu.Unlock()
			}
			return nil
		})
	}
	return courses, group.Wait()
}

// runFeed feeds a backlog and waits until all its workflows have closed.
func (m *measurement) runFeed(ctx context.Context, c *contender, parallel int) ([]course, error) {
	courses := make([]course, max(m.floorClosed[parallel], 2*parallel))
	var ids []string
	for i := range courses {
		one := course{id: c.newID(m.delay.Milliseconds()), begin: time.Now()}
		for _, command := range bench.Commands {
			m.receiver.Expect(one.id, command.Name)
		}
		courses[i], ids = one, append(ids, one.id)
	}
	if err := c.feed(ctx, ids, parallel); err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range courses {
		group.Go(func() error {
			err := m.awaitClose(ctx, c, courses[i].id)
			courses[i].closed = time.Now()
			return err
		})
	}
	return courses, group.Wait()
}

// interact runs one interaction. At idle, every command waits until the server has nothing more to do for the one before.
func (m *measurement) interact(ctx context.Context, c *contender, idle bool) (course, error) {
	one := course{id: c.newID(m.delay.Milliseconds()), begin: time.Now()}
	if err := c.start(ctx, one.id); err != nil {
		return one, err
	}
	for n, command := range bench.Commands {
		if idle || m.paced {
			if err := m.awaitAnswers(ctx, one.posts); err != nil {
				return one, err
			}
		}
		if idle {
			time.Sleep(idlePause)
		}
		one.posts = append(one.posts, m.receiver.Expect(one.id, command.Name))
		if err := c.send(ctx, one.id, n); err != nil {
			return one, fmt.Errorf("%s of %s: %w", command.Name, one.id, err)
		}
	}
	err := m.awaitEnd(ctx, c, one)
	one.closed = time.Now()
	return one, err
}

// awaitEnd waits until an interaction's workflow has closed or, if it stays open, until its POSTs are answered.
func (m *measurement) awaitEnd(ctx context.Context, c *contender, one course) error {
	if c.staysOpen {
		return m.awaitAnswers(ctx, one.posts)
	}
	return m.awaitClose(ctx, c, one.id)
}

func (m *measurement) awaitAnswers(ctx context.Context, posts []*bench.Expected) error {
	for _, p := range posts {
		select {
		case <-p.Answered():
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(bench.SettleLimit):
			return fmt.Errorf("void: a POST did not arrive within %s", bench.SettleLimit)
		}
	}
	return nil
}

func (m *measurement) awaitClose(ctx context.Context, c *contender, id string) error {
	if err := m.temporal.GetWorkflow(ctx, c.workflows(id)[0], "").Get(ctx, nil); err != nil {
		return fmt.Errorf("the workflow of %s: %w", id, err)
	}
	return nil
}

// end ends the workflows of a contender whose workflows stay open. The measured time is over.
func (m *measurement) end(ctx context.Context, c *contender, courses []course) error {
	if !c.staysOpen {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, one := range courses {
		group.Go(func() error { return m.temporal.TerminateWorkflow(ctx, c.workflows(one.id)[0], "", "measured") })
	}
	return group.Wait()
}

// figuresOf waits for the last POSTs of interactions and reads their histories.
func (m *measurement) figuresOf(ctx context.Context, c *contender, courses []course) (figures, error) {
	f := figures{interactions: len(courses)}
	if err := m.receiver.Settle(ctx); err != nil {
		return f, err
	}
	for _, one := range courses {
		for _, p := range one.posts {
			f.latencies = append(f.latencies, m.receiver.Latency(p))
		}
		if len(one.posts) > 0 && !c.staysOpen {
			f.closes = append(f.closes, one.closed.Sub(one.posts[len(one.posts)-1].Sent))
		}
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, one := range courses {
		group.Go(func() error {
			events, bytes, err := m.historyOf(ctx, c.workflows(one.id))
			mu.Lock()
			defer mu.Unlock()
			f.events += events
			f.bytes += bytes
			return err
		})
	}
	return f, group.Wait()
}

// historyOf returns the events and bytes of an interaction's workflows. Only the first one must exist.
func (m *measurement) historyOf(ctx context.Context, workflows []string) (events, bytes int, err error) {
	for i, id := range workflows {
		description, err := m.temporal.DescribeWorkflowExecution(ctx, id, "")
		var missing *serviceerror.NotFound
		if i > 0 && errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return 0, 0, err
		}
		info := description.GetWorkflowExecutionInfo()
		events += int(info.GetHistoryLength())
		bytes += int(info.GetHistorySizeBytes())
	}
	return events, bytes, nil
}
