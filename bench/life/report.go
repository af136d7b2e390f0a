package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// report is the result of one scenario.
type report struct {
	Scenario string `json:"scenario"`
	Commands int    `json:"commands"`
	Batch    int    `json:"batch,omitempty"`
	// TakenIn is when Temporal had taken all commands, DeliveredIn when the last of their POSTs had arrived; seconds from
	// the first command.
	TakenIn     float64 `json:"taken_in_s"`
	DeliveredIn float64 `json:"delivered_in_s"`
	tally
	Rejected   int `json:"rejected"`
	Duplicates int `json:"duplicates"`
	// The histories of the interaction, and of the workflow of its lane.
	Interaction histories `json:"interaction"`
	Lane        histories `json:"lane"`
	// HeapMiB is the live heap of client, worker and receiver at each quarter of the commands.
	HeapMiB []float64 `json:"heap_mib"`
}

// sound reports whether no delivery was lost, reordered, doubled or changed.
func (r report) sound() bool {
	return r.Arrived == r.Commands && r.Rejected == 0 && r.Reordered == 0 && r.Doubled == 0 && r.Lost == 0 && r.Changed == 0
}

func (r report) text() string {
	var b strings.Builder
	verdict := "sound"
	if !r.sound() {
		verdict = "NOT SOUND"
	}
	fmt.Fprintf(&b, "%s: %d commands: %s\n", r.Scenario, r.Commands, verdict)
	fmt.Fprintf(&b, "  taken in %.1f s (%.0f/s), the last delivered after %.1f s (%.0f/s)\n",
		r.TakenIn, float64(r.Commands)/r.TakenIn, r.DeliveredIn, float64(r.Commands)/r.DeliveredIn)
	fmt.Fprintf(&b, "  %d arrived, %d repeats of the same id and bytes, %d changed, %d out of order, %d commands doubled, %d lost, %d rejected, %d recognised as repeats\n",
		r.Arrived, r.Repeated, r.Changed, r.Reordered, r.Doubled, r.Lost, r.Rejected, r.Duplicates)
	r.Interaction.text(&b, "interaction", r.Commands)
	r.Lane.text(&b, "lane", r.Commands)
	fmt.Fprintf(&b, "  heap in MiB by quarter: %.0f\n", r.HeapMiB)
	return b.String()
}

func (h histories) text(b *strings.Builder, of string, commands int) {
	if h.Runs == 0 {
		return
	}
	fmt.Fprintf(b, "  %s: %d runs, %d events (%.2f a command); the longest run: %d events, %.1f MiB, %d signals\n",
		of, h.Runs, h.Events, float64(h.Events)/float64(commands), h.LongestEvents, float64(h.LongestBytes)/(1<<20), h.MostSignals)
	for _, cause := range slices.Sorted(maps.Keys(h.FailedTasks)) {
		fmt.Fprintf(b, "    failed workflow tasks, %s: %d\n", cause, h.FailedTasks[cause])
	}
}
