package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/bench"
	"segue/client"
	"segue/contract"
)

// streams is one measurement of live notifications.
type streams struct {
	name      string
	transport string
	clients   int
	// sharing is how many clients listen to the same agent: each command reaches so many. With 0 it reaches all.
	sharing int
	// perSecond is how many interactions are played in a second, for so long.
	perSecond int
	lasts     time.Duration
}

// silent are the commands of which SSE has events, but that change nothing for an agent of GWS.
var silent = []string{"dtmf"}

// streamRow is the result of one measurement of live notifications.
type streamRow struct {
	Name      string  `json:"name"`
	Transport string  `json:"transport"`
	Clients   int     `json:"clients"`
	Commands  int     `json:"commands"`
	PerSecond float64 `json:"commands_per_s"`
	// Notifications are changes of which a client was notified, once each; Messages have more than one of a change.
	Notifications int `json:"notifications"`
	Messages      int `json:"messages"`
	Reconnects    int `json:"reconnects"`
	// From sending a command to its first message.
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	Most float64 `json:"max_ms"`
	// From the answer of a command to its first message.
	AnsweredP50 float64 `json:"answered_p50_ms"`
	AnsweredP99 float64 `json:"answered_p99_ms"`
	// EmptyMB is the resident memory of the gateway without clients. The others are what a client adds, open and after the
	// load: resident, and, after a garbage collection, heap and stacks.
	EmptyMB  float64 `json:"gateway_empty_mb"`
	OpenKB   float64 `json:"kb_each_open"`
	LoadedKB float64 `json:"kb_each_loaded"`
	HeapKB   float64 `json:"heap_kb_each_loaded"`
	StacksKB float64 `json:"stacks_kb_each_loaded"`
	// The CPU is for 1,000 notifications, in seconds.
	GatewayCPU float64 `json:"gateway_cpu_s"`
	LoadCPU    float64 `json:"clients_cpu_s"`
}

// run measures live notifications on the part's gateway, which had no clients before.
func (s streams) run(ctx context.Context, p *part) (row streamRow, err error) {
	empty, err := memoryOf(p.gateway, "")
	if err != nil {
		return row, err
	}
	child, err := bench.StartChild(listenersArgument, listening{
		URL: p.serves.URL, Transport: s.transport, Clients: s.clients, Sharing: s.sharing,
	}, os.Stderr)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, child.Stop()) }()
	opened, err := memoryOf(p.gateway, p.profileOf("gateway"))
	if err != nil {
		return row, err
	}
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
	used, listened = bench.CPUOf(p.gateway.PID())-used, bench.CPUOf(child.PID())-listened
	if err := s.judge(got); err != nil {
		return row, err
	}
	loaded, err := memoryOf(p.gateway, "")
	if err != nil {
		return row, err
	}
	row = streamRow{
		Name: s.name, Transport: s.transport, Clients: s.clients, Notifications: got.Notifications, Messages: got.Messages,
		Reconnects: got.Reconnects, P50: got.P50, P99: got.P99, Most: got.Most, AnsweredP50: got.AnsweredP50, AnsweredP99: got.AnsweredP99,
		EmptyMB: float64(empty.Resident) / 1e6,
	}
	for _, revisions := range asked.At {
		row.Commands += len(revisions)
	}
	thousand := func(used time.Duration) float64 { return used.Seconds() * 1000 / float64(got.Notifications) }
	row.PerSecond, row.GatewayCPU, row.LoadCPU = float64(row.Commands)/took.Seconds(), thousand(used), thousand(listened)
	row.OpenKB, _, _ = opened.each(empty, s.clients)
	row.LoadedKB, row.HeapKB, row.StacksKB = loaded.each(empty, s.clients)
	return row, p.receiver.Settle(ctx)
}

// judge reports an error if the clients did not get what they must, or got what they must not.
func (s streams) judge(got heard) error {
	switch {
	case got.Missing != 0:
		return fmt.Errorf("void: %d notifications did not arrive (negative: came to others as well)", got.Missing)
	case got.Unknown != 0 && s.transport != bySSE: // SSE has the changes by timers and of the start as well
		return fmt.Errorf("void: %d notifications are of changes that do not concern their client", got.Unknown)
	}
	return nil
}

// play plays interactions at a steady rate, and returns when their commands were answered. The first command, which has no
// agent yet, does not count for clients with an agent of their own.
func (s streams) play(ctx context.Context, p *part) (answers, error) {
	asked := answers{At: map[string]map[int64]moments{}, Agent: map[string]int{}, Clients: s.sharing, Copies: 1}
	agents := s.clients
	if s.sharing == 0 {
		asked.Clients = s.clients
	} else {
		agents /= s.sharing
	}
	if s.transport != bySSE {
		asked.Copies = len(topics)
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	pace := time.NewTicker(time.Second / time.Duration(s.perSecond))
	defer pace.Stop()
	for i := range int(s.lasts.Seconds() * float64(s.perSecond)) {
		group.Go(func() error {
			id := fmt.Sprintf("%s-%s-%d", s.name, s.transport, i)
			revisions, err := s.interact(ctx, p, id, agentOf(i%agents))
			mu.Lock()
			defer mu.Unlock()
			asked.At[id], asked.Agent[id] = revisions, i%agents
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

func (s streams) interact(ctx context.Context, p *part, id, agent string) (map[int64]moments, error) {
	target := p.client(noticing)
	if _, err := target.Open(ctx, nameOf(id), client.Opening{Start: startOf(id), ID: rand.Text()}); err != nil {
		return nil, err
	}
	revisions := map[int64]moments{}
	for n, command := range bench.Commands {
		p.receiver.Expect(id, command.Name)
		payload := bytes.ReplaceAll(command.Payload(bench.EventID(id, n)), []byte(`"ada"`), []byte(`"`+agent+`"`))
		var answer contract.Answer
		at := moments{Sent: time.Now().UnixNano()}
		message := client.Message{Name: command.Name, ID: rand.Text(), Payload: payload}
		if _, err := target.SendUpdate(ctx, nameOf(id), message, &answer); err != nil {
			return nil, fmt.Errorf("%s of %s: %w", command.Name, id, err)
		}
		at.Answered = time.Now().UnixNano()
		if s.notifies(n) {
			revisions[answer.Revision] = at
		}
	}
	return revisions, nil
}

// notifies reports whether clients are notified of the n-th command.
func (s streams) notifies(n int) bool {
	if s.transport != bySSE && slices.Contains(silent, bench.Commands[n].Name) {
		return false
	}
	return n > 0 || s.sharing == 0 // the first command has no agent yet
}
