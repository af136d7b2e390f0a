// Command isolation measures what two sick receivers cost the healthy ones: of 50
// receivers one is dead (it resets every connection) and one takes 30 s to answer.
// Rounds with the two and rounds without them alternate on one embedded Temporal
// with one real worker; the latency of a delivery is from its signal to the arrival
// of its request at a real HTTP receiver, at an open-loop rate.
//
// After each round with the two they recover, all that waits for them is
// redelivered, and the round ends when every delivery has arrived: the run fails
// when one is lost, or out of order in its lane.
//
//	go run ./isolation            # from the folder bench: 10,000 deliveries, 5 minutes
//	go run ./isolation --json
//	go run ./isolation --deliveries 500 --pairs 1 --slow 3s    # a look at whether it works
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
	// Deliveries are those of all rounds with the sick receivers together.
	Deliveries int
	// Pairs is how many rounds there are of each kind.
	Pairs int
	// Rate is how many deliveries the signals of a second cause.
	Rate float64
	// Interactions is how many are open in a round.
	Interactions int
	// Slow is how long the slow receiver takes.
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
	flag.IntVar(&p.Deliveries, "deliveries", 10_000, "deliveries of the rounds with the sick receivers; those without them make nearly as many")
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
	w, err := openWard(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if _, err := w.round(ctx, "warmup", false); err != nil {
		return nil, err
	}
	r := &report{Plan: p}
	for i := range 2 * p.Pairs {
		// Without, with, with, without, …: a drift of the machine meets both alike.
		sick := i%4 == 1 || i%4 == 2
		done, err := w.round(ctx, fmt.Sprintf("r%d", i+1), sick)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", i+1, err)
		}
		r.add(done)
		fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", i+1, 2*p.Pairs, done)
	}
	r.sum()
	return r, nil
}

// line writes one line and remembers the first error.
type lines struct {
	out io.Writer
	err error
}

func (l *lines) add(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.out, format+"\n", args...)
	}
}
