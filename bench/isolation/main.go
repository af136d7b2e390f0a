// Command isolation measures what two degraded receivers cost the healthy ones: of 50 receivers one is dead (it resets
// every connection) and one takes 30 s to answer. Rounds in which the two are degraded alternate with rounds without
// them, on one embedded Temporal with one worker. The latency of a delivery is the time from its signal to the arrival
// of its request at an HTTP receiver, at an open-loop rate.
//
// At the end of a degraded round the two recover, and all deliveries that wait for them are redelivered. The round ends
// when every delivery has arrived: the run fails if one is lost, or out of order in its lane.
//
//	go run ./isolation            # from the folder bench: 10,000 deliveries, 5 minutes
//	go run ./isolation --json
//	go run ./isolation --deliveries 500 --pairs 1 --slow 3s    # a quick check that it works
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// plan is what a run does.
type plan struct {
	// Deliveries is the number of deliveries in all degraded rounds together.
	Deliveries int
	// Pairs is the number of rounds of each kind.
	Pairs int
	// Rate is the number of deliveries that the signals of one second cause.
	Rate float64
	// Interactions is the number of interactions that are open in a round.
	Interactions int
	// Slow is how long the slow receiver takes to answer.
	Slow time.Duration
}

func (p plan) check() error {
	switch {
	case p.Deliveries < fanOut*p.Pairs || p.Pairs < 1:
		return fmt.Errorf("--deliveries %d and --pairs %d: use at least one pair, and %d deliveries for each", p.Deliveries, p.Pairs, fanOut)
	case p.Rate <= 0 || p.Interactions < 1 || p.Slow <= 0:
		return errors.New("--rate, --interactions and --slow: use more than 0")
	}
	return nil
}

func main() {
	p := plan{}
	flag.IntVar(&p.Deliveries, "deliveries", 10_000, "deliveries in the degraded rounds; the others have nearly as many")
	flag.IntVar(&p.Pairs, "pairs", 5, "rounds of each kind")
	flag.Float64Var(&p.Rate, "rate", 100, "deliveries a second")
	flag.IntVar(&p.Interactions, "interactions", 100, "interactions that are open in a round")
	flag.DurationVar(&p.Slow, "slow", 30*time.Second, "how long the slow receiver takes to answer")
	asJSON := flag.Bool("json", false, "print one JSON object")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, p, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "isolation:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan, asJSON bool) error {
	if err := p.check(); err != nil {
		return err
	}
	r, err := measure(ctx, p)
	if err != nil {
		return err
	}
	if asJSON {
		err = json.NewEncoder(os.Stdout).Encode(r)
	} else {
		err = r.write(os.Stdout)
	}
	return errors.Join(err, r.verdict())
}

func measure(ctx context.Context, p plan) (_ *report, err error) {
	f, err := openFleet(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if _, err := f.round(ctx, "warmup", false); err != nil {
		return nil, err
	}
	r := &report{Plan: p}
	for i := range 2 * p.Pairs {
		// Without, with, with, without, …: a drift of the machine's speed affects both kinds alike.
		degraded := i%4 == 1 || i%4 == 2
		done, err := f.round(ctx, fmt.Sprintf("r%d", i+1), degraded)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", i+1, err)
		}
		r.add(done)
		fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", i+1, 2*p.Pairs, done)
	}
	r.sum()
	return r, nil
}

// lines writes lines and keeps the first error.
type lines struct {
	out io.Writer
	err error
}

func (l *lines) add(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.out, format+"\n", args...)
	}
}
