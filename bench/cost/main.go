// Command cost judges the speed of Segue's core: what one command costs beside what a Temporal user could write by hand.
// Six contenders do the same work, in turns, on one embedded Temporal in one run:
//
//	floor    a bare workflow; each command is an update, whose handler sends the POST in a local activity
//	usual    a bare workflow; each command is a signal, and an activity sends its POST
//	update   Segue; each command is an update
//	signal   Segue; each command is a signal
//	feed     Segue; `segue feed` sends a backlog, in its default mode
//	late     as update, with the default late_events; only with the receiver of 2 ms
//
// With late_events: 0s, which the contenders before the last have, a workflow closes when its interaction has ended. With
// the default it stays open for minutes. So an interaction of late counts as closed when its last POST is answered, and
// its workflow is terminated after the measured time.
//
// The workers of all contenders have as many pollers, and run in a child process. An interaction has six commands, and each
// fires one POST to a receiver in this process, which takes 2 ms and then 150 ms to answer. The run is void, with exit
// status 1, if a receiver gets a POST twice or not at all.
//
//	go run -C bench ./cost
//	go run -C bench ./cost --quick
//	go run -C bench ./cost --rounds 4 --json
//	go run -C bench ./cost --quick --profile cpu; go tool pprof cpu.2ms
//
// A row of the table is one contender under one load:
//
//   - At idle, one interaction runs at a time. A command waits until the POST of the one before is answered and the server
//     has nothing to do.
//   - At 20 and at 60 in flight, as many interactions run at once, and the next one starts when the workflow of the one
//     before has closed. A command waits until Temporal has acknowledged the one before: an update when its handler has
//     returned, a signal when it is stored. With the slow receiver it also waits until the POST of the one before is
//     answered; otherwise the rows would show how long a POST waits for the POST in front of it.
//   - The feed sends its backlog as fast as Temporal takes it, and groups the lines of an interaction that wait together. "In
//     flight" is its parallelism, and it has neither latencies nor an idle row.
//
// The columns:
//
//	inter/s    interactions that closed in a second
//	p50, p95   from sending a command to the arrival of its POST
//	close p50  from sending the last command until the caller learns that the workflow has closed
//	events, bytes   of the histories of an interaction, its lanes included
//	server     CPU of the embedded server, for one interaction; Linux only
//	worker     CPU of the workers' process, for one interaction; Linux only
//	load       CPU of this process, for one interaction: the load generator and the receivers
//
// The ratios below the table do not depend on the machine, the other figures do. Each ratio has its goal beside it. A
// missed goal does not change the exit status.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// load is how many interactions run at once, and for how long.
type load struct {
	inFlight int
	// Rates are measured for the time window after the time warm.
	warm, window time.Duration
}

// plan is what is measured with one receiver.
type plan struct {
	delay time.Duration
	// late adds the contender with the default late_events.
	late bool
	// paced makes a command wait until the POST of the one before is answered.
	paced bool
	// idle is how many interactions of each contender run alone.
	idle  int
	loads []load
}

var full = []plan{
	{2 * time.Millisecond, true, false, 12, []load{{20, 500 * time.Millisecond, 2500 * time.Millisecond}, {60, time.Second, 4 * time.Second}}},
	{150 * time.Millisecond, false, true, 6, []load{{20, 500 * time.Millisecond, 2500 * time.Millisecond}, {60, time.Second, 4 * time.Second}}},
}

var quick = []plan{
	{2 * time.Millisecond, true, false, 3, []load{{20, 300 * time.Millisecond, 1200 * time.Millisecond}, {60, 300 * time.Millisecond, 1700 * time.Millisecond}}},
	{150 * time.Millisecond, false, true, 2, []load{{20, 300 * time.Millisecond, 1200 * time.Millisecond}}},
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == workersArgument {
		if err := runWorkers(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "cost: workers:", err)
			os.Exit(1)
		}
		return
	}
	isQuick := flag.Bool("quick", false, "measure for about a minute: one round, without the slow receiver at 60 in flight")
	rounds := flag.Int("rounds", 2, "how often every load is measured for every contender")
	profile := flag.String("profile", "", "write CPU profiles of the workers to files with this name and the time of the receiver")
	asJSON := flag.Bool("json", false, "print one JSON object")
	flag.Parse()
	if *rounds < 1 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "cost: --rounds is 1 or more, and there are no arguments")
		os.Exit(2)
	}
	plans := full
	if *isQuick {
		plans, *rounds = quick, 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	got, err := measure(ctx, plans, *rounds, *profile)
	if err == nil && *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(got)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
	if !*asJSON {
		fmt.Print(got.text())
	}
}
