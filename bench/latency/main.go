// Command latency measures the time from a command to the POST that it fires, on an idle embedded Temporal. The
// baseline, in the same run, is the least that a Temporal user could write for it: a workflow with an update whose
// handler sends the POST in a local activity (fast receiver) or an activity (slow receiver).
//
//	go run ./latency            # from the folder bench
//	go run ./latency --samples 500 --json
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

// result is one comparison; durations are milliseconds.
type result struct {
	ReceiverMS float64 `json:"receiver_ms"`
	Samples    int     `json:"samples"`
	SegueP50   float64 `json:"segue_p50_ms"`
	SegueP95   float64 `json:"segue_p95_ms"`
	BareP50    float64 `json:"bare_p50_ms"`
	BareP95    float64 `json:"bare_p95_ms"`
	// Ratio is Segue's p50 divided by the baseline's.
	Ratio float64 `json:"ratio_p50"`
	Bare  string  `json:"bare"`
}

func main() {
	samples := flag.Int("samples", 300, "commands to measure with the fast receiver; a third of that with the slow one")
	asJSON := flag.Bool("json", false, "print one JSON array")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	results, err := measure(ctx, *samples)
	if err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
		os.Exit(1)
	}
	if *asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
			fmt.Fprintln(os.Stderr, "latency:", err)
			os.Exit(1)
		}
		return
	}
	for _, r := range results {
		fmt.Printf("receiver takes %3.0f ms: segue p50 %6.2f ms p95 %6.2f ms | bare update with %-16s p50 %6.2f ms p95 %6.2f ms | ratio of p50 %.2f\n",
			r.ReceiverMS, r.SegueP50, r.SegueP95, r.Bare, r.BareP50, r.BareP95, r.Ratio)
	}
}

func measure(ctx context.Context, samples int) ([]result, error) {
	c, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer c.close()
	fast, err := c.measure(ctx, time.Millisecond, samples, bareLocal)
	if err != nil {
		return nil, err
	}
	slow, err := c.measure(ctx, 150*time.Millisecond, max(samples/3, 10), bareActivity)
	if err != nil {
		return nil, err
	}
	return []result{fast, slow}, nil
}
