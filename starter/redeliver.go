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
	"segue/contract"
)

// bulk is a command that passes an operator's wish on to lanes.
type bulk struct {
	signal string
	done   string // what has become of a delivery then, in words
	laneFlags
	retrying, dryRun, yes, rerender bool
	rate                            float64
}

func (a *app) redeliverCommand() *cobra.Command {
	e := &bulk{signal: contract.SignalRedeliver, done: "sent again"}
	c := &cobra.Command{
		Use:   "redeliver [ID]",
		Short: "Send parked deliveries again",
		Long: `Send parked deliveries again, at once and with their schedule begun anew: those of the filters, or of one
interaction. They keep their webhook-id and their bytes, and the limits of their call hold: they arrive no faster than
its rate and its concurrency say, also without --rate, and behind live traffic. It first counts what it would touch; with
--dry-run that is all. With --retrying, those whose next attempt is still to come are tried now, too.

With --rerender they keep their webhook-id and get new bytes, rendered from the same event with the configuration that
the workers have now: for requests that a mended configuration makes right. What it takes to render one anew is kept
unless it, or all that waits in its lane, is too large.

It may be stopped and run again: what is no longer parked is skipped.`,
		Example: `  segue redeliver --call crm --class gone --since 2h --dry-run
  segue redeliver --call crm --rate 50
  segue redeliver --call crm --class render --rerender
  segue redeliver --id msg_Yk2Q0m9c3sXyqTn1UoRzVw7B --json`,
		Args: between(0, 1, "at most one interaction"),
		RunE: func(c *cobra.Command, args []string) error { return a.run(c.Context(), e, args) },
	}
	e.register(c)
	c.Flags().BoolVar(&e.rerender, "rerender", false, "render the requests anew")
	return c
}

func (a *app) discardCommand() *cobra.Command {
	e := &bulk{signal: contract.SignalDiscard, done: "given up"}
	c := &cobra.Command{
		Use:   "discard [ID]",
		Short: "Give up parked deliveries",
		Long: `Give up parked deliveries for good: those of the filters, or of one interaction. What waits behind them in their
lane goes on. It first counts what it would touch; with --dry-run that is all. Else it wants --yes, or the very
deliveries by --id. With --retrying, those whose next attempt is still to come are meant, too. Who discarded what, and when,
is listed by ` + "`segue deliveries --discarded`" + `.

It may be stopped and run again: what is no longer parked is skipped.`,
		Example: `  segue discard --call crm --since 2h --dry-run
  segue discard --call crm --since 2h --yes
  segue discard --id msg_Yk2Q0m9c3sXyqTn1UoRzVw7B`,
		Args: between(0, 1, "at most one interaction"),
		RunE: func(c *cobra.Command, args []string) error {
			if !e.dryRun && !e.yes && len(e.ids) == 0 {
				return usage("what is discarded never arrives: look at it with --dry-run, then say --yes, or name deliveries by --id")
			}
			return a.run(c.Context(), e, args)
		},
	}
	e.register(c)
	c.Flags().BoolVar(&e.yes, "yes", false, "yes, give them up")
	return c
}

// errandLimit is more than a namespace should ever have parked, and little enough
// to hold in memory.
const errandLimit = 10_000

func (e *bulk) register(c *cobra.Command) {
	e.laneFlags.register(c, errandLimit)
	c.Flags().BoolVar(&e.retrying, "retrying", false, "also what waits for its next attempt")
	c.Flags().BoolVar(&e.dryRun, "dry-run", false, "count only")
	c.Flags().Float64Var(&e.rate, "rate", 0, "how many a second at most (without it, the limits of their calls alone)")
}

// run finds what an errand is about, says how much that is, and does it.
func (a *app) run(ctx context.Context, e *bulk, args []string) error {
	filter, err := e.filter(args, time.Now())
	if err != nil {
		return err
	}
	if e.rate < 0 {
		return usage("--rate %v: use more than 0, or leave it out", e.rate)
	}
	filter.Parked, filter.Retrying = true, e.retrying
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	found, err := a.search(ctx, s, filter, e.limit)
	if err != nil {
		return err
	}
	if len(found.Deliveries) == 0 && !e.retrying && (len(args) > 0 || len(e.ids) > 0) {
		if err := a.hintRetrying(ctx, s, e, filter); err != nil {
			return err
		}
	}
	if len(found.Deliveries) == 0 && len(e.ids) > 0 {
		return fmt.Errorf("parked delivery %s %w: `%s deliveries` shows what there is", strings.Join(e.ids, ", "), client.ErrNotFound, a.self())
	}
	fmt.Fprintln(a.errs, census(found))
	result := lanes.ResultOf(found)
	result.DryRun = e.dryRun
	if !e.dryRun {
		result, err = a.send(ctx, s, e, filter, found)
	}
	return a.finish(e, result, err)
}

// hintRetrying says that what was named is not parked but waits for its next attempt.
func (a *app) hintRetrying(ctx context.Context, s *session, e *bulk, filter lanes.Filter) error {
	filter.Retrying = true
	waiting, err := a.search(ctx, s, filter, e.limit)
	if err == nil && len(waiting.Deliveries) > 0 {
		fmt.Fprintf(a.errs, "None is parked; %d wait for their next attempt: --retrying means those, too.\n", len(waiting.Deliveries))
	}
	return err
}

func (a *app) send(ctx context.Context, s *session, e *bulk, filter lanes.Filter, found lanes.Found) (lanes.Result, error) {
	bar := newProgress(a.errs, e.signal, len(found.Deliveries))
	defer bar.end()
	return lanes.Send(ctx, s, filter, found, lanes.Operation{Signal: e.signal, Rerender: e.rerender, By: operator(), Rate: e.rate, Done: bar.step})
}

// operator is who runs the command line, as far as this machine tells.
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

// finish prints the result, also of an errand that broke off, and says how to go on.
func (a *app) finish(e *bulk, result lanes.Result, err error) error {
	printed := a.print(result, func(w io.Writer) error { return e.write(w, result) })
	if err != nil || result.More {
		fmt.Fprintln(a.errs, "There is more to do: run the same command again to go on.")
	}
	if err == nil && printed == nil && result.Failed > 0 {
		return &codedError{exitFailure}
	}
	return errors.Join(err, printed)
}

func (e *bulk) write(w io.Writer, r lanes.Result) error {
	for _, failure := range r.Failures {
		fmt.Fprintf(w, "FAILED %s %s: %s\n", failure.WorkflowID, failure.ID, failure.Reason)
	}
	if r.DryRun {
		_, err := fmt.Fprintf(w, "%d would be %s; nothing was done\n", r.Matched, e.done)
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d are being %s, %d skipped, %d failed\n", r.Sent, r.Matched, e.done, r.Skipped, r.Failed)
	return err
}

// census says how much was found, call by call.
func census(found lanes.Found) string {
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
	quantity := fmt.Sprint(len(found.Deliveries))
	if found.More {
		quantity = "More than " + quantity
	}
	return fmt.Sprintf("%s match, of %d interactions: %s", quantity, len(interactions), strings.Join(parts, ", "))
}
