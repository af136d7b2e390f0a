package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/bench"
	"segue/client"
	"segue/contract"
	"segue/worker/local"
)

const (
	receivers = 50
	// deadOne and slowOne are the receivers that degrade.
	deadOne, slowOne = receivers - 2, receivers - 1
	// fanOut is how many calls one event fires: to the receivers g, g+10, g+20, …, so that most events for a degraded
	// receiver are for healthy ones, too.
	fanOut = 5
	groups = receivers / fanOut
	// settleLimit is how long a round waits for its deliveries.
	settleLimit = 5 * time.Minute
)

// fleet is a Segue with all receivers.
type fleet struct {
	plan      plan
	segue     *local.Segue
	client    *client.Client
	receivers []*receiver
	arrived   chan arrival
}

func callOf(receiver int) string { return fmt.Sprintf("c%02d", receiver) }

func openFleet(ctx context.Context, p plan) (*fleet, error) {
	f := &fleet{plan: p, arrived: make(chan arrival, 4*p.Deliveries)}
	for i := range receivers {
		f.receivers = append(f.receivers, openReceiver(i, p.Slow, f.arrived))
	}
	var err error
	if f.segue, err = bench.Start(ctx, f.configuration()); err != nil {
		return nil, err
	}
	f.client = f.segue.Client
	return f, nil
}

func (f *fleet) close() error {
	err := f.segue.Stop()
	for _, r := range f.receivers {
		r.Close()
	}
	return err
}

// configuration has a call for each receiver. All have the default timeout except the slow one, which needs longer.
func (f *fleet) configuration() string {
	var yaml strings.Builder
	yaml.WriteString("calls:\n")
	for i, r := range f.receivers {
		timeout := 10 * time.Second
		if i == slowOne {
			timeout = 2 * f.plan.Slow
		}
		fmt.Fprintf(&yaml, "  - name: %s\n    method: POST\n    url: %s/\n    timeout: %s\n", callOf(i), r.URL, timeout)
		yaml.WriteString("    json: {round: \"${event.p2}\", interaction: \"${interaction.id}\", event: \"${event.p3}\", sequence: \"${event.sequence}\"}\n")
	}
	yaml.WriteString("triggers:\n")
	for i := range f.receivers {
		condition := fmt.Sprintf("event.p1 == 'g%d'", i%groups)
		if i == deadOne || i == slowOne {
			condition += " && event.p4 == 'degraded'"
		}
		fmt.Fprintf(&yaml, "  - {when: script_signal, call: %s, if: \"%s\"}\n", callOf(i), condition)
	}
	yaml.WriteString("timeouts: {default: {late_events: 0s}}\nguard: {allow: [\"127.0.0.0/8\"]}\n")
	return yaml.String()
}

// round starts interactions, sends them events at the plan's rate, and returns when every delivery has arrived. In a
// degraded round, the two receivers recover after the healthy ones have received all of their deliveries.
func (f *fleet) round(ctx context.Context, name string, degraded bool) (*round, error) {
	done := newRound(name, degraded, f.plan)
	if err := f.startInteractions(ctx, done); err != nil {
		return nil, err
	}
	done.begin = time.Now()
	if degraded {
		f.receivers[deadOne].setCondition(dead)
		f.receivers[slowOne].setCondition(slow)
	}
	if err := f.send(ctx, done); err != nil {
		return nil, err
	}
	if err := f.collect(ctx, done, done.allHealthy); err != nil {
		return nil, fmt.Errorf("of the healthy receivers' deliveries: %w", err)
	}
	if degraded {
		done.deadAttempts, done.slowAttempts = f.receivers[deadOne].attemptedAt(), f.receivers[slowOne].attemptedAt()
		done.degradedFor = time.Since(done.begin)
		f.receivers[deadOne].setCondition(healthy)
		f.receivers[slowOne].setCondition(healthy)
		if err := f.redeliver(ctx, done); err != nil {
			return nil, err
		}
	}
	return done, f.completeInteractions(ctx, done)
}

// each calls do for every interaction of a round, several at once.
func (f *fleet) each(ctx context.Context, r *round, do func(context.Context, client.Name) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, name := range r.interactions {
		group.Go(func() error { return do(ctx, name) })
	}
	return group.Wait()
}

// startInteractions starts the interactions and waits until each has answered.
func (f *fleet) startInteractions(ctx context.Context, r *round) error {
	return f.each(ctx, r, func(ctx context.Context, n client.Name) error {
		start := fmt.Appendf(nil, `{"id":%q,"contact_center":%q,"channel":"inbound"}`, n.ID, n.ContactCenter)
		if _, err := f.client.Start(ctx, n, start, false); err != nil {
			return err
		}
		_, err := f.client.Update(ctx, n, "set_attributes", "", json.RawMessage(`{"comment":"started"}`))
		return err
	})
}

// send sends the events, each when it is due, however long the others take.
func (f *fleet) send(ctx context.Context, r *round) error {
	var sending sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for i := range r.events {
		e := &r.events[i]
		e.at = r.begin.Add(time.Duration(float64(i) * fanOut / f.plan.Rate * float64(time.Second)))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Until(e.at)):
		}
		sending.Go(func() {
			err := f.client.Signal(ctx, e.to, "script_signal", e.payload(r, i))
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
		})
	}
	sending.Wait()
	return failed
}

// collect notes arrivals until enough returns true.
func (f *fleet) collect(ctx context.Context, r *round, enough func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for !enough() {
		select {
		case a := <-f.arrived:
			if err := r.note(a); err != nil {
				return err
			}
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d arrived within %s", r.arrivals, r.expected, settleLimit)
		}
	}
	return nil
}

// redeliver does what an operator does after receivers have recovered, until all their deliveries have arrived.
func (f *fleet) redeliver(ctx context.Context, r *round) error {
	begin := time.Now()
	for !r.all() {
		n, err := f.redeliverWaiting(ctx, r)
		if err != nil {
			return err
		}
		r.redelivered += n
		pause := time.After(time.Second)
		err = f.collect(ctx, r, func() bool {
			select {
			case <-pause:
				return true
			default:
				return r.all()
			}
		})
		if err == nil && time.Since(begin) > settleLimit {
			err = fmt.Errorf("%d of %d arrived", r.arrivals, r.expected)
		}
		if err != nil {
			return fmt.Errorf("after the receivers' recovery: %w", err)
		}
	}
	r.recovery = time.Since(begin)
	return nil
}

// redeliverWaiting redelivers the deliveries that wait for a later attempt in the lanes of a round.
func (f *fleet) redeliverWaiting(ctx context.Context, r *round) (n int, err error) {
	for _, lane := range r.openLanes() {
		records, err := f.client.LaneDeliveries(ctx, lane)
		if errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrCompleted) {
			continue // not handed over to a lane workflow, or all delivered
		}
		if err != nil {
			return n, err
		}
		for _, record := range records {
			if record.Status == contract.StatusParked {
				return n, fmt.Errorf("%s is parked: %s", record.ID, record.Why)
			}
			if record.Status != contract.StatusWaiting || record.Due == "" {
				continue
			}
			err := f.client.SignalLane(ctx, lane, contract.SignalRedeliver, contract.OperatorRequest{ID: record.ID})
			if err != nil && !errors.Is(err, client.ErrCompleted) {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// completeInteractions completes the interactions and waits until their workflows have closed.
func (f *fleet) completeInteractions(ctx context.Context, r *round) error {
	return f.each(ctx, r, func(ctx context.Context, n client.Name) error {
		if err := f.client.Signal(ctx, n, "complete", json.RawMessage(`{}`)); err != nil {
			return err
		}
		return f.client.Temporal.GetWorkflow(ctx, n.WorkflowID(), "").Get(ctx, nil)
	})
}
