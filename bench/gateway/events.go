package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/bench"
	"segue/client"
	"segue/contract"
)

// streams is one measurement of live events.
type streams struct {
	name    string
	clients int
	// own is whether each client listens to its own agent; each command then reaches one client, and all otherwise.
	own bool
	// perSecond is how many interactions are played in a second, for so long.
	perSecond int
	lasts     time.Duration
}

// streamRow is the result of one measurement of live events.
type streamRow struct {
	Name      string  `json:"name"`
	Clients   int     `json:"clients"`
	Commands  int     `json:"commands"`
	PerSecond float64 `json:"commands_per_s"`
	Events    int     `json:"events"`
	// From the answer of a command to its event.
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	Most float64 `json:"max_ms"`
	// EmptyMB is the resident memory of the gateway without streams. The others are what a client adds, open and after the
	// load.
	EmptyMB  float64 `json:"gateway_empty_mb"`
	OpenKB   float64 `json:"kb_each_open"`
	LoadedKB float64 `json:"kb_each_loaded"`
	// GatewayCPU is for 1,000 commands.
	GatewayCPU float64 `json:"gateway_cpu_ms"`
	LoadCPU    float64 `json:"clients_cpu_ms"`
}

// run measures live events on the part's gateway.
func (s streams) run(ctx context.Context, p *part) (row streamRow, err error) {
	empty := bench.ResidentOf(p.gateway.PID())
	child, err := bench.StartChild(listenersArgument, listening{URL: p.serves.URL, Clients: s.clients, Own: s.own}, os.Stderr)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, child.Stop()) }()
	opened := bench.ResidentOf(p.gateway.PID())
	used, listened, begin := bench.CPUOf(p.gateway.PID()), bench.CPUOf(child.PID()), time.Now()
	asked, err := s.play(ctx, p)
	if err != nil {
		return row, err
	}
	took := time.Since(begin)
	var got heard
	if err := child.Ask(asked, &got); err != nil {
		return row, err
	}
	if got.Missing != 0 {
		return row, fmt.Errorf("void: %d events did not arrive (negative: came to others as well)", got.Missing)
	}
	commands := 0
	for _, revisions := range asked.At {
		commands += len(revisions)
	}
	each := func(bytes int) float64 { return float64(bytes-empty) / 1e3 / float64(s.clients) }
	thousand := func(used time.Duration) float64 { return bench.Milliseconds(used) * 1000 / float64(commands) }
	return streamRow{
		Name: s.name, Clients: s.clients, Commands: commands, PerSecond: float64(commands) / took.Seconds(), Events: got.Events,
		P50: got.P50, P99: got.P99, Most: got.Most, EmptyMB: float64(empty) / 1e6, OpenKB: each(opened),
		LoadedKB: each(bench.ResidentOf(p.gateway.PID())), GatewayCPU: thousand(bench.CPUOf(p.gateway.PID()) - used),
		LoadCPU: thousand(bench.CPUOf(child.PID()) - listened),
	}, p.receiver.Settle(ctx)
}

// play plays interactions at a steady rate, and returns when their commands were answered. The first command, which has no
// agent yet, does not count for clients with an agent of their own.
func (s streams) play(ctx context.Context, p *part) (answers, error) {
	asked := answers{At: map[string]map[int64]int64{}, Clients: 1}
	if !s.own {
		asked.Clients = s.clients
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	pace := time.NewTicker(time.Second / time.Duration(s.perSecond))
	defer pace.Stop()
	for i := range int(s.lasts.Seconds() * float64(s.perSecond)) {
		group.Go(func() error {
			id := fmt.Sprintf("%s-%d", s.name, i)
			revisions, err := s.interact(ctx, p, id, agentOf(i%s.clients))
			mu.Lock()
			defer mu.Unlock()
			asked.At[id] = revisions
			return err
		})
		select {
		case <-pace.C:
		case <-ctx.Done():
			return asked, errors.Join(context.Cause(ctx), group.Wait())
		}
	}
	return asked, group.Wait()
}

func (s streams) interact(ctx context.Context, p *part, id, agent string) (map[int64]int64, error) {
	target := p.client(noticing)
	if _, err := target.Open(ctx, nameOf(id), client.Opening{Start: startOf(id), ID: rand.Text()}); err != nil {
		return nil, err
	}
	revisions := map[int64]int64{}
	for n, command := range bench.Commands {
		p.receiver.Expect(id, command.Name)
		payload := bytes.ReplaceAll(command.Payload(bench.EventID(id, n)), []byte(`"ada"`), []byte(`"`+agent+`"`))
		var answer contract.Answer
		message := client.Message{Name: command.Name, ID: rand.Text(), Payload: payload}
		if _, err := target.SendUpdate(ctx, nameOf(id), message, &answer); err != nil {
			return nil, fmt.Errorf("%s of %s: %w", command.Name, id, err)
		}
		if n > 0 || !s.own {
			revisions[answer.Revision] = time.Now().UnixNano()
		}
	}
	return revisions, nil
}
