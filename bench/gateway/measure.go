package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/bench"
	"segue/embedded"
	"segue/worker/local"
)

const (
	receiverDelay = 2 * time.Millisecond
	// startsAtOnce is how many interactions are started at once, before the measured time.
	startsAtOnce = 20
)

// measure measures the parts.
func measure(ctx context.Context, p plan) (got report, err error) {
	segue, err := local.Start(ctx, local.Options{Server: embedded.Options{UIPort: embedded.NoUI}})
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, segue.Stop()) }()
	for _, name := range partNames() {
		if p.only != "" && p.only != name {
			continue
		}
		if err := p.measure(ctx, name, segue, &got); err != nil {
			return got, fmt.Errorf("part %s: %w", name, err)
		}
	}
	got.addStreamRatios()
	return got, nil
}

// measure measures one part. Each measurement of live notifications has processes of its own: a gateway does not return at
// once the memory that the clients before used.
func (p plan) measure(ctx context.Context, name string, segue *local.Segue, to *report) error {
	if name != partEvents {
		return p.on(ctx, name, segue, p.profile, func(opened *part) error {
			return (&measurement{part: opened, plan: p, figures: map[place]*figures{}}).run(ctx, to)
		})
	}
	for _, s := range p.streams {
		profile := p.profile
		if profile != "" {
			profile += "." + s.name + "." + s.transport
		}
		err := p.on(ctx, name, segue, profile, func(opened *part) error {
			row, err := s.run(ctx, opened)
			if err == nil {
				(&measurement{part: opened}).progress("%s by %s: p99 %.1f ms", s.name, s.transport, row.P99)
				to.Streams = append(to.Streams, row)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("%s by %s: %w", s.name, s.transport, err)
		}
	}
	return nil
}

// on runs a function with the processes of a part.
func (p plan) on(ctx context.Context, name string, segue *local.Segue, profile string, run func(*part) error) error {
	opened, err := openPart(ctx, name, segue, profile)
	if err == nil {
		err = run(opened)
	}
	return errors.Join(err, opened.close())
}

// measurement measures one part.
type measurement struct {
	*part
	plan
	figures map[place]*figures
}

func (m *measurement) run(ctx context.Context, to *report) error {
	if err := m.compare(ctx); err != nil {
		return err
	}
	m.addTo(to)
	return nil
}

func (m *measurement) compare(ctx context.Context) error {
	m.progress("warming up")
	for _, c := range m.contenders {
		if _, err := m.runLoad(ctx, c, load{20, 60}); err != nil {
			return err
		}
	}
	order := slices.Clone(m.contenders)
	for round := range m.rounds {
		for _, l := range m.loads {
			for _, c := range order {
				f, err := m.runLoad(ctx, c, l)
				if err != nil {
					return err
				}
				m.progress("round %d of %d, %d in flight: %s %.0f commands/s", round+1, m.rounds, l.inFlight, c.name, f.rates[0])
				m.of(c.name, l.inFlight).add(f)
			}
		}
		slices.Reverse(order) // so that a drift of the machine's speed affects both alike
	}
	return nil
}

func (m *measurement) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "gateway: %s: %s\n", m.name, fmt.Sprintf(format, args...))
}

func (m *measurement) of(contender string, inFlight int) *figures {
	at := place{contender, inFlight}
	if m.figures[at] == nil {
		m.figures[at] = &figures{}
	}
	return m.figures[at]
}

// runLoad starts the interactions of a load and sends their commands.
func (m *measurement) runLoad(ctx context.Context, c *contender, l load) (figures, error) {
	ids, err := m.start(ctx, c, l.interactions)
	if err != nil {
		return figures{}, fmt.Errorf("%s: start: %w", c.name, err)
	}
	before := m.cpuNow(c)
	f, err := m.send(ctx, c, l.inFlight, ids)
	if err == nil {
		err = errors.Join(m.receiver.Settle(ctx), m.awaitClose(ctx, ids))
	}
	if err != nil {
		return f, fmt.Errorf("%s with %d in flight: %w", c.name, l.inFlight, err)
	}
	f.cpu = m.cpuNow(c).sub(before)
	return f, nil
}

func (m *measurement) start(ctx context.Context, c *contender, n int) ([]string, error) {
	ids := make([]string, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(startsAtOnce)
	for i := range ids {
		ids[i] = c.newID(m.name)
		group.Go(func() error { return c.open(ctx, ids[i]) })
	}
	return ids, group.Wait()
}

// send sends the commands of interactions, of so many at once. The rate is that of the time in which so many are in flight.
func (m *measurement) send(ctx context.Context, c *contender, inFlight int, ids []string) (figures, error) {
	waiting := make(chan string, len(ids))
	for _, id := range ids {
		waiting <- id
	}
	close(waiting)
	begin := time.Now()
	until := sync.OnceValue(time.Now) // the first one that has nothing more to do
	var mu sync.Mutex
	var all []sent
	group, ctx := errgroup.WithContext(ctx)
	for range inFlight {
		group.Go(func() error {
			var own []sent
			for id := range waiting {
				for n, command := range bench.Commands {
					m.receiver.Expect(id, command.Name)
					one := sent{begin: time.Now()}
					if err := c.send(ctx, id, n); err != nil {
						return fmt.Errorf("%s of %s: %w", command.Name, id, err)
					}
					one.end = time.Now()
					own = append(own, one)
				}
			}
			until()
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return figures{}, err
	}
	return figuresOf(all, begin, until()), nil
}

// awaitClose waits until the workflows of interactions have closed.
func (m *measurement) awaitClose(ctx context.Context, ids []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(startsAtOnce)
	for _, id := range ids {
		group.Go(func() error {
			return m.segue.Client.Temporal.GetWorkflow(ctx, nameOf(id).WorkflowID(), "").Get(ctx, nil)
		})
	}
	return group.Wait()
}

func (m *measurement) cpuNow(c *contender) cpu {
	return cpu{
		gateway: bench.CPUOf(m.gateway.PID()), worker: bench.CPUOf(c.worker.PID()),
		server: bench.CPUOf(m.segue.Server.PID()), load: bench.OwnCPU(),
	}
}
