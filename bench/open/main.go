// Command open measures the memory that an open interaction costs a worker while its workflow is cached. The baseline, in
// the same run, is the least that a Temporal user could write for the same job: a workflow that sends a POST for each signal
// in a local activity. Each has had three commands and waits for the next one.
//
//	go run -C bench ./open
//	go run -C bench ./open --interactions 5000 --json
//	go run -C bench ./open --profile heap; go tool pprof -sample_index=inuse_space -base heap.before heap.after
//
// The memory is that of the worker's process: the live heap after a garbage collection, and the stacks of goroutines, of
// which each coroutine of a workflow has one. What it costs to have a workflow again that is no longer cached is measured by
// `go run ./replay`.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
)

// ratioLimit is the goal: memory of an open cached interaction, against the bare workflow.
const ratioLimit = 2.0

// memory is what one open interaction costs, in KiB.
type memory struct {
	Heap   float64 `json:"heap_kib"`
	Stacks float64 `json:"stacks_kib"`
}

func (m memory) sum() float64 { return m.Heap + m.Stacks }

// result is the measurement. The ratio is Segue's memory divided by the baseline's.
type result struct {
	Interactions int     `json:"interactions"`
	Segue        memory  `json:"segue"`
	Bare         memory  `json:"bare"`
	Ratio        float64 `json:"ratio"`
	Limit        float64 `json:"limit"`
	Pass         bool    `json:"pass"`
}

func main() {
	interactions := flag.Int("interactions", 2000, "how many of each kind are open while the memory is measured")
	profile := flag.String("profile", "", "write profiles of the heap before and after Segue's to files with this name and .before or .after")
	asJSON := flag.Bool("json", false, "print one JSON object")
	flag.Parse()
	if *interactions < 1 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "open: --interactions is 1 or more, and there are no arguments")
		os.Exit(2)
	}
	if *profile != "" {
		runtime.MemProfileRate = 4 << 10 // of half a MiB, interactions would be too small a part
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	got, err := measure(ctx, *interactions, *profile)
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
	fmt.Printf("%-6s %10s %10s %10s\n", "", "heap KiB", "stacks KiB", "together")
	fmt.Printf("%-6s %10.1f %10.1f %10.1f\n", "bare", got.Bare.Heap, got.Bare.Stacks, got.Bare.sum())
	fmt.Printf("%-6s %10.1f %10.1f %10.1f\n", "segue", got.Segue.Heap, got.Segue.Stacks, got.Segue.sum())
	verdict := "pass"
	if !got.Pass {
		verdict = "MISS"
	}
	fmt.Printf("\nmemory of an open cached interaction, against the bare workflow: %.2f, at most %.1f: %s\n", got.Ratio, got.Limit, verdict)
}
