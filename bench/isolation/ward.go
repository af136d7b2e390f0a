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

	"segue/bench/lab"
	"segue/client"
	"segue/contract"
)

const (
	receivers = 50
	// deadOne and slowOne are the receivers that turn sick.
	deadOne, slowOne = receivers - 2, receivers - 1
	// fanOut is how many calls one event fires: the receivers g, g+10, g+20, …, so that
	// most of a sick one's events concern healthy ones, too.
	fanOut = 5
	groups = receivers / fanOut
	// settleLimit is how long a round waits for what it sent.
	settleLimit = 5 * time.Minute
)

// ward is the lab with all receivers.
type ward struct {
	*lab.Lab
	plan      plan
	drive     *client.Client
	receivers []*receiver
	arrived   chan arrival
}

func callOf(receiver int) string { return fmt.Sprintf("c%02d", receiver) }

func openWard(ctx context.Context, p plan) (*ward, error) {
	w := &ward{plan: p, arrived: make(chan arrival, 4*p.Deliveries)}
	for i := range receivers {
		w.receivers = append(w.receivers, openReceiver(i, p.Slow, w.arrived))
	}
	var err error
	if w.Lab, err = lab.Open(ctx, w.configuration()); err != nil {
		return nil, err
	}
	w.drive = &client.Client{Temporal: w.Client, TaskQueue: lab.TaskQueue}
	return w, nil
}

func (w *ward) close() error {
	err := w.Close()
	for _, r := range w.receivers {
		r.Close()
	}
	return err
}

// configuration has a call for each receiver, with the defaults but for one: who
// takes 30 s to answer is given the time.
func (w *ward) configuration() string {
	var yaml strings.Builder
	yaml.WriteString("calls:\n")
	for i, r := range w.receivers {
		timeout := 10 * time.Second
		if i == slowOne {
			timeout = 2 * w.plan.Slow
		}
		fmt.Fprintf(&yaml, "  - name: %s\n    method: POST\n    url: %s/\n    timeout: %s\n", callOf(i), r.URL, timeout)
		yaml.WriteString("    json: {round: \"${event.p2}\", interaction: \"${interaction.id}\", event: \"${event.p3}\", sequence: \"${event.sequence}\"}\n")
	}
	yaml.WriteString("triggers:\n")
	for i := range w.receivers {
		condition := fmt.Sprintf("event.p1 == 'g%d'", i%groups)
		if i == deadOne || i == slowOne {
			condition += " && event.p4 == 'sick'"
		}
		fmt.Fprintf(&yaml, "  - {when: script_signal, call: %s, if: \"%s\"}\n", callOf(i), condition)
	}
	yaml.WriteString("timeouts: {default: {late_events: 0s}}\nguard: {allow: [\"127.0.0.0/8\"]}\n")
	return yaml.String()
}

// round opens interactions, sends them events at the plan's rate, and lasts until
// every delivery has arrived. In a sick one, the two receivers are sick until all
// events are sent and the healthy ones have theirs.
func (w *ward) round(ctx context.Context, name string, sick bool) (*round, error) {
	done := newRound(name, sick, w.plan)
	if err := w.admit(ctx, done); err != nil {
		return nil, err
	}
	done.begin = time.Now()
	if sick {
		w.receivers[deadOne].turn(dead)
		w.receivers[slowOne].turn(slow)
	}
	if err := w.send(ctx, done); err != nil {
		return nil, err
	}
	if err := w.collect(ctx, done, done.allHealthy); err != nil {
		return nil, fmt.Errorf("of the healthy receivers' deliveries: %w", err)
	}
	if sick {
		done.deadTries, done.slowTries = w.receivers[deadOne].triedAt(), w.receivers[slowOne].triedAt()
		done.sickFor = time.Since(done.begin)
		w.receivers[deadOne].turn(healthy)
		w.receivers[slowOne].turn(healthy)
		if err := w.redeliver(ctx, done); err != nil {
			return nil, err
		}
	}
	return done, w.discharge(ctx, done)
}

// each does something with every interaction of a round, several at once.
func (w *ward) each(ctx context.Context, r *round, do func(context.Context, client.Name) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, name := range r.interactions {
		group.Go(func() error { return do(ctx, name) })
	}
	return group.Wait()
}

// admit starts the interactions and waits until each has answered.
func (w *ward) admit(ctx context.Context, r *round) error {
	return w.each(ctx, r, func(ctx context.Context, n client.Name) error {
		start := fmt.Appendf(nil, `{"id":%q,"contact_center":%q,"channel":"inbound"}`, n.ID, n.ContactCenter)
		if _, err := w.drive.Start(ctx, n, start, false); err != nil {
			return err
		}
		_, err := w.drive.Update(ctx, n, "set_attributes", "", json.RawMessage(`{"comment":"admitted"}`))
		return err
	})
}

// send sends the events, each at its time, however long others take.
func (w *ward) send(ctx context.Context, r *round) error {
	var sending sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for i := range r.events {
		e := &r.events[i]
		e.at = r.begin.Add(time.Duration(float64(i) * fanOut / w.plan.Rate * float64(time.Second)))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Until(e.at)):
		}
		sending.Go(func() {
			err := w.drive.Signal(ctx, e.to, "script_signal", e.payload(r, i))
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
		})
	}
	sending.Wait()
	return failed
}

// collect takes arrivals until a condition holds.
func (w *ward) collect(ctx context.Context, r *round, enough func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for !enough() {
		select {
		case a := <-w.arrived:
			if err := r.take(a); err != nil {
				return err
			}
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d arrived within %s", r.arrivals, r.expected, settleLimit)
		}
	}
	return nil
}

// redeliver does what an operator does once receivers are back, until all that
// waited for them has arrived.
func (w *ward) redeliver(ctx context.Context, r *round) error {
	begin := time.Now()
	for !r.all() {
		n, err := w.hurry(ctx, r)
		if err != nil {
			return err
		}
		r.redelivered += n
		pause := time.After(time.Second)
		err = w.collect(ctx, r, func() bool {
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

// hurry redelivers what waits for a later attempt in the lanes of a round.
func (w *ward) hurry(ctx context.Context, r *round) (n int, err error) {
	for _, lane := range r.openLanes() {
		records, err := w.drive.LaneDeliveries(ctx, lane)
		if errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrCompleted) {
			continue // not handed over, or worked off
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
			err := w.drive.SignalLane(ctx, lane, contract.SignalRedeliver, contract.OperatorRequest{ID: record.ID})
			if err != nil && !errors.Is(err, client.ErrCompleted) {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// discharge ends the interactions and waits until their workflows have closed.
func (w *ward) discharge(ctx context.Context, r *round) error {
	return w.each(ctx, r, func(ctx context.Context, n client.Name) error {
		if err := w.drive.Signal(ctx, n, "complete", json.RawMessage(`{}`)); err != nil {
			return err
		}
		return w.Client.GetWorkflow(ctx, n.WorkflowID(), "").Get(ctx, nil)
	})
}
