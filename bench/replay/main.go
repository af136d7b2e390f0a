// Command replay measures what a worker pays to have an interaction's workflow again that it no longer has in its cache: the
// replay of its history. The baseline is the floor of `go run ./cost`, a bare workflow that sends a POST for each update in
// a local activity.
//
// Both run the same commands by update on one embedded Temporal, until their workflows have closed. Then their histories are
// replayed in turns, each by one replayer. Segue's has the plugin of its workers. The goal compares histories, because a
// worker replays whole histories, and both of them are the same work: six commands and six POSTs. Segue's has more events
// and more bytes; a comparison by events would reward that. A second pair of histories has more commands. It shows the
// replay of the commands without the start, and has no goal.
//
//	go run -C bench ./replay
//	go run -C bench ./replay --long 500 --for 10s --json
//	go run -C bench ./replay --profile cpu.out; go tool pprof -tagfocus replay=segue cpu.out
//
// The columns: histories and events replayed in a second of one thread, allocations and bytes allocated for a history.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"time"

	"segue/bench"
)

// ratioLimit is the goal: replay speed, by histories of the six commands, against the floor.
const ratioLimit = 0.8

// row is what was measured of one history.
type row struct {
	Name      string  `json:"name"`
	Commands  int     `json:"commands"`
	Events    int     `json:"events"`
	Bytes     int     `json:"bytes"`
	Histories float64 `json:"histories_per_s"`
	EventRate float64 `json:"events_per_s"`
	Allocs    float64 `json:"allocs_each"`
	Allocated float64 `json:"allocated_bytes_each"`
}

// result is all rows: the floor and Segue with the six commands, then both with more.
type result struct {
	Rows []row `json:"rows"`
	// Ratio is Segue's histories/s divided by the floor's, with the six commands; LongRatio with more.
	Ratio     float64 `json:"ratio"`
	LongRatio float64 `json:"long_ratio"`
	Limit     float64 `json:"limit"`
	Pass      bool    `json:"pass"`
}

func main() {
	long := flag.Int("long", 200, "how many commands the second pair of histories has")
	each := flag.Duration("for", 4*time.Second, "how long each history is replayed")
	profile := flag.String("profile", "", "write a CPU profile of the replays to this file")
	asJSON := flag.Bool("json", false, "print one JSON object")
	flag.Parse()
	if *long <= len(bench.Commands) || *each <= 0 || flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "replay: --long is more than %d, --for is more than 0, and there are no arguments\n", len(bench.Commands))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	got, err := measure(ctx, *long, *each, *profile)
	if err == nil && *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(got)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
	if !*asJSON {
		got.print()
	}
}

// measure records the histories and replays them.
func measure(ctx context.Context, long int, each time.Duration, profile string) (got result, err error) {
	histories, err := record(ctx, long)
	if err != nil {
		return got, err
	}
	if profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return got, err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return got, err
		}
		defer pprof.StopCPUProfile()
	}
	for _, pair := range histories {
		rows, err := replayInTurns(ctx, pair, each)
		if err != nil {
			return got, err
		}
		got.Rows = append(got.Rows, rows...)
	}
	ratio := func(pair int) float64 { return got.Rows[2*pair+1].Histories / got.Rows[2*pair].Histories }
	got.Ratio, got.LongRatio, got.Limit = ratio(0), ratio(1), ratioLimit
	got.Pass = got.Ratio >= got.Limit
	return got, nil
}

func (r *result) print() {
	fmt.Printf("%-8s %8s %7s %8s %12s %10s %8s %10s\n", "", "commands", "events", "bytes", "histories/s", "events/s", "allocs", "allocated")
	for _, w := range r.Rows {
		fmt.Printf("%-8s %8d %7d %8d %12.0f %10.0f %8.0f %10.0f\n", w.Name, w.Commands, w.Events, w.Bytes, w.Histories, w.EventRate, w.Allocs, w.Allocated)
	}
	verdict := "pass"
	if !r.Pass {
		verdict = "MISS"
	}
	fmt.Printf("\nreplay speed against the floor, by histories of the same %d commands: %.2f, at least %.1f: %s\n", len(bench.Commands), r.Ratio, r.Limit, verdict)
	fmt.Printf("with %d commands: %.2f\n", r.Rows[len(r.Rows)-1].Commands, r.LongRatio)
}
