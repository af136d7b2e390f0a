package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/client/lanes"
)

// bulk is a command that sends a signal for many deliveries to their lanes.
type bulk struct {
	signal string
	done   string // the result for a delivery, as a participle
	laneFlags
	retrying, dryRun, yes, rerender bool
	rate                            float64
}

// bulkLimit is the default of --limit: more deliveries than a namespace should ever have parked, and few enough to hold
// in memory.
const bulkLimit = 10_000

func (b *bulk) register(c *cobra.Command) {
	b.laneFlags.register(c, bulkLimit)
	c.Flags().BoolVar(&b.retrying, "retrying", false, "include deliveries that wait for their next attempt")
	c.Flags().BoolVar(&b.dryRun, "dry-run", false, "count the deliveries and change nothing")
}

// runBulk finds the deliveries, prints how many match, and signals their lanes unless --dry-run is set.
func (a *app) runBulk(ctx context.Context, b *bulk, args []string) error {
	filter, err := b.filter(args, time.Now())
	if err != nil {
		return err
	}
	if b.rate < 0 {
		return usage("--rate %v: use more than 0, or leave it out for no limit", b.rate)
	}
	filter.Parked, filter.Retrying = true, b.retrying
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	found, err := a.search(ctx, s, filter, b.limit)
	if err != nil {
		return err
	}
	if len(found.Deliveries) == 0 && !b.retrying && (len(args) > 0 || len(b.ids) > 0) {
		if err := a.hintRetrying(ctx, s, b, filter); err != nil {
			return err
		}
	}
	if len(found.Deliveries) == 0 && len(b.ids) > 0 {
		return fmt.Errorf("parked delivery %s %w: `%s deliveries` lists the undelivered ones", strings.Join(b.ids, ", "), client.ErrNotFound, a.self())
	}
	fmt.Fprintln(a.errs, describeFound(found))
	result := lanes.ResultOf(found)
	result.DryRun = b.dryRun
	if !b.dryRun {
		result, err = a.sendBulk(ctx, s, b, filter, found)
	}
	return a.finishBulk(b, result, err)
}

// hintRetrying prints a hint if the named deliveries are not parked but wait for their next attempt.
func (a *app) hintRetrying(ctx context.Context, s *session, b *bulk, filter lanes.Filter) error {
	filter.Retrying = true
	waiting, err := a.search(ctx, s, filter, b.limit)
	if err == nil && len(waiting.Deliveries) > 0 {
		fmt.Fprintf(a.errs, "None is parked; %d wait for their next attempt: use --retrying to include them.\n", len(waiting.Deliveries))
	}
	return err
}

func (a *app) sendBulk(ctx context.Context, s *session, b *bulk, filter lanes.Filter, found lanes.Found) (lanes.Result, error) {
	bar := newProgress(a.errs, b.signal, len(found.Deliveries))
	defer bar.end()
	return lanes.Send(ctx, s, filter, found, lanes.Operation{Signal: b.signal, Rerender: b.rerender, By: operator(), Rate: b.rate, Done: bar.step})
}

// operator returns the user and host that run the command line.
func operator() string {
	name := "unknown"
	if current, err := user.Current(); err == nil {
		name = current.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// finishBulk prints the result, also of a command that failed half-way, and how to continue.
func (a *app) finishBulk(b *bulk, result lanes.Result, err error) error {
	printed := a.print(result, func(w io.Writer) error { return b.write(w, result) })
	if err != nil || result.More {
		fmt.Fprintln(a.errs, "Not all deliveries are done: run the same command again to continue.")
	}
	if err == nil && printed == nil && result.Failed > 0 {
		return &codedError{exitFailure}
	}
	return errors.Join(err, printed)
}

func (b *bulk) write(w io.Writer, r lanes.Result) error {
	for _, failure := range r.Failures {
		fmt.Fprintf(w, "FAILED %s %s: %s\n", failure.WorkflowID, failure.ID, failure.Reason)
	}
	if r.DryRun {
		_, err := fmt.Fprintf(w, "%d would be %s; nothing was changed\n", r.Matched, b.done)
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d are being %s, %d skipped, %d failed\n", r.Sent, r.Matched, b.done, r.Skipped, r.Failed)
	return err
}

// describeFound counts the deliveries by call.
func describeFound(found lanes.Found) string {
	if len(found.Deliveries) == 0 {
		return "Nothing matches."
	}
	calls, interactions := map[string]int{}, map[string]bool{}
	for _, d := range found.Deliveries {
		calls[d.Call]++
		interactions[d.ContactCenter+"/"+d.Interaction] = true
	}
	var parts []string
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		parts = append(parts, fmt.Sprintf("%s %d", call, calls[call]))
	}
	matching := fmt.Sprint(len(found.Deliveries))
	if found.More {
		matching = "more than " + matching
	}
	return fmt.Sprintf("Matching: %s, in %s (%s).", matching, plural(len(interactions), "interaction"), strings.Join(parts, ", "))
}
