// Command open measures what an open interaction costs a worker: the memory that it holds while its workflow is cached,
// and how fast its history replays if it is not. The baseline, in the same run, is the least that a Temporal user could
// write for the same job: a workflow that sends a POST for each signal in a local activity.
//
//	go run ./open                # from the folder bench
//	go run ./open --interactions 5000 --commands 2000 --json
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

// result is both measurements. A ratio is Segue's figure divided by the baseline's.
type result struct {
	Interactions  int     `json:"interactions"`
	SegueKiB      float64 `json:"segue_kib_each"`
	BareKiB       float64 `json:"bare_kib_each"`
	MemoryRatio   float64 `json:"memory_ratio"`
	Commands      int     `json:"commands"`
	SegueEvents   int     `json:"segue_events"`
	BareEvents    int     `json:"bare_events"`
	SegueReplay   float64 `json:"segue_events_per_s"`
	BareReplay    float64 `json:"bare_events_per_s"`
	SegueCommands float64 `json:"segue_commands_per_s"`
	BareCommands  float64 `json:"bare_commands_per_s"`
	// ReplayRatio compares by commands: the histories differ in events for the same work.
	ReplayRatio float64 `json:"replay_ratio_commands"`
}

func main() {
	interactions := flag.Int("interactions", 2000, "how many are open while the memory is measured")
	commands := flag.Int("commands", 1000, "how many commands the replayed interaction has")
	asJSON := flag.Bool("json", false, "print one JSON object")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	got, err := measure(ctx, *interactions, *commands)
	if err == nil && *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(got)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "open:", err)
		os.Exit(1)
	}
	if *asJSON {
		return
	}
	fmt.Printf("%d open: segue %.1f KiB each, bare %.1f KiB each | ratio %.2f\n",
		got.Interactions, got.SegueKiB, got.BareKiB, got.MemoryRatio)
	fmt.Printf("replay of %d commands: segue %d events, %.0f events/s, %.0f commands/s | bare %d events, %.0f events/s, %.0f commands/s | ratio by commands %.2f\n",
		got.Commands, got.SegueEvents, got.SegueReplay, got.SegueCommands, got.BareEvents, got.BareReplay, got.BareCommands, got.ReplayRatio)
}
