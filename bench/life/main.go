// Command life sends one interaction more than it should ever get: 2,000 signals in a second, 10,000 in 30 seconds,
// 100,000 commands over its life, and 80 MB for a receiver that is down meanwhile. It checks that every command that
// Temporal took was applied and delivered once and in order, counts the workflow tasks that failed, and measures the
// histories and the memory. It ends with status 1 if a delivery was lost, reordered, or repeated with other bytes.
//
//	go run ./life                       # from the folder bench; some minutes
//	go run ./life --scenario burst --json
//	go run ./life --divide 20           # a twentieth of every count, for a quick look
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// scenario is one kind of overload.
type scenario struct {
	Name string
	// Commands is how many are sent, Within in what time (0: as fast as Temporal takes them).
	Commands int
	Within   time.Duration
	// Batch is how many commands go in one update; 0 sends signals.
	Batch int
	// Fill is how many bytes are added to each request.
	Fill int
	// Down keeps the receiver down until Temporal has taken all commands.
	Down bool
}

var scenarios = []scenario{
	{Name: "burst", Commands: 2000, Within: time.Second},
	{Name: "stream", Commands: 10000, Within: 30 * time.Second},
	{Name: "life", Commands: 100000, Batch: 40},
	{Name: "outage", Commands: 10000, Within: time.Minute, Fill: 8 << 10, Down: true},
}

func main() {
	names := make([]string, 0, len(scenarios))
	for _, s := range scenarios {
		names = append(names, s.Name)
	}
	only := flag.String("scenario", "", "run one of "+strings.Join(names, ", ")+" instead of all")
	divide := flag.Int("divide", 1, "divide every scenario's commands, and its time, by this")
	asJSON := flag.Bool("json", false, "print one JSON array")
	flag.Parse()
	if *only != "" && !slices.Contains(names, *only) || *divide < 1 {
		fmt.Fprintf(os.Stderr, "life: --scenario is one of %s, --divide is 1 or more\n", strings.Join(names, ", "))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var reports []report
	for _, s := range scenarios {
		if *only != "" && s.Name != *only {
			continue
		}
		s.Commands /= *divide
		s.Within /= time.Duration(*divide)
		r, err := runScenario(ctx, s)
		if err != nil {
			fmt.Fprintf(os.Stderr, "life: %s: %v\n", s.Name, err)
			os.Exit(1)
		}
		if !*asJSON {
			fmt.Print(r.text())
		}
		reports = append(reports, r)
	}
	if *asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(reports); err != nil {
			fmt.Fprintln(os.Stderr, "life:", err)
			os.Exit(1)
		}
	}
	for _, r := range reports {
		if !r.sound() {
			os.Exit(1)
		}
	}
}
