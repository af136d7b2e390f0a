package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/contract"
	"segue/starter/audit"
)

// auditFlags are the flags of audit.
type auditFlags struct {
	contactCenter, since string
	fire                 bool
	rate                 float64
	limit                int
}

func (a *app) auditCommand() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:   "audit [ID]",
		Short: "Find what terminated workflows left undone, and do it",
		Long: `Find the workflows that were ended from outside, and list what they left undone. A workflow that is terminated, or whose
timeout expires, runs no more code: an interaction fires no end triggers, and a lane sends no more deliveries. The command
finds these workflows as long as Temporal keeps them, replays their histories with the workflow code of this binary, and
lists what is missing: events that fired no calls, including the interaction's end, and requests that are not known to
have arrived. With an interaction, examine only its workflows.

With --fire, the command first counts what is missing and then has workflows do it: a new run recovers an interaction and
ends it as canceled at the time of its end; a lane gets its deliveries again. Every delivery has the webhook-id that it
would have had. The new runs are on the task queue of the ended workflow, or on --task-queue; a worker must run there.

The command also lists discarded deliveries, with time and operator; they do not count as missing. It lists stuck
workflows, whose tasks fail repeatedly or are going to fail because the current version of the workers cannot replay them.
They lose nothing, and continue once a worker runs that can replay them. It reports the current version if no worker runs as
that version.

You can stop the command and run it again: what was fired is not found again. To end an interaction early, cancel its
workflow instead of terminating it.

Exit codes: 0 nothing is missing, or everything missing was fired; 1 something could not be examined or fired; 2 the
command line is invalid; 5 Temporal does not answer; 6 something is missing or stuck, or no worker runs as the current
version.`,
		Example: `  segue audit
  segue audit --since 24h --json | jq -r '.findings[].workflow_id'
  segue audit --contact-center berlin --fire --rate 5
  segue audit berlin/ixn-1 --fire`,
		Args: between(0, 1, "at most one interaction"),
		RunE: func(c *cobra.Command, args []string) error { return a.audit(c.Context(), f, args) },
	}
	flags := c.Flags()
	flags.StringVar(&f.contactCenter, "contact-center", "", "only workflows of this contact center; an ID without one is in \""+defaultContactCenter+"\"")
	flags.StringVar(&f.since, "since", "", "only workflows that did not end earlier: a duration (24h) or a time (2026-01-31T08:00:00Z)")
	flags.BoolVar(&f.fire, "fire", false, "do what is missing")
	flags.Float64Var(&f.rate, "rate", 10, "with --fire: maximum workflows a second")
	flags.IntVar(&f.limit, "limit", 10_000, "maximum number of findings")
	return c
}

// filter returns the filter of the flags and of the interaction in the arguments, if any.
func (f auditFlags) filter(args []string, now time.Time) (audit.Filter, error) {
	filter := audit.Filter{ContactCenter: f.contactCenter}
	switch {
	case f.rate <= 0:
		return filter, usage("--rate %v: use more than 0", f.rate)
	case f.limit < 1:
		return filter, usage("--limit %d: use 1 or more", f.limit)
	}
	if f.contactCenter != "" || len(args) > 0 {
		id := "any"
		if len(args) > 0 {
			id = args[0]
		}
		n, err := parseName(id, cmp.Or(f.contactCenter, defaultContactCenter))
		if err != nil {
			return filter, err
		}
		filter.ContactCenter = n.ContactCenter
		if len(args) > 0 {
			filter.Interaction = n.ID
		}
	}
	var err error
	filter.Since, err = sinceOf(f.since, now)
	return filter, err
}

// audited is what `audit --json` prints.
type audited struct {
	// Looked counts the workflows that were ended from outside.
	Looked   int             `json:"looked"`
	Findings []audit.Finding `json:"findings"`
	Missing  missing         `json:"missing"`
	// Fired counts the findings that --fire has had done, Skipped those that were recovered by
	// others in the meantime.
	Fired    int             `json:"fired"`
	Skipped  int             `json:"skipped"`
	Failures []audit.Failure `json:"failures"`
	// Stuck are running workflows whose tasks fail.
	Stuck []audit.Stuck `json:"stuck"`
	// NoWorker names the current version of the workers if none runs: new workflows, and those that follow it, wait.
	NoWorker string `json:"no_worker,omitempty"`
	// Discarded are the deliveries that were discarded.
	Discarded []audit.Discarded `json:"discarded"`
	More      bool              `json:"more,omitempty"`
}

type missing struct {
	Events     int `json:"events"`
	Deliveries int `json:"deliveries"`
	Drafts     int `json:"drafts"`
}

func (a *app) audit(ctx context.Context, f auditFlags, args []string) error {
	filter, err := f.filter(args, time.Now())
	if err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	auditor := &audit.Auditor{Temporal: s.Temporal, Namespace: s.settings.Namespace, TaskQueue: a.flags.taskQueue, Log: a.replayLog()}
	found, err := a.findUndone(ctx, s, auditor, filter, f.limit)
	if err != nil {
		return err
	}
	result := audited{
		Looked: found.Looked, Findings: list(found.Findings), Failures: list(found.Failures), More: found.More,
		Missing: missing{Events: found.Events(), Deliveries: found.Deliveries(), Drafts: found.Drafts()},
	}
	if result.Stuck, result.NoWorker, err = a.stuck(ctx, s, auditor, filter); err != nil {
		return s.findError(err, filter.Query())
	}
	discarded, failures, err := auditor.Discarded(ctx, filter)
	if err != nil {
		return s.findError(err, filter.Query())
	}
	result.Discarded, result.Failures = list(discarded), append(result.Failures, failures...)
	if f.fire && len(found.Findings) > 0 {
		fmt.Fprintln(a.errs, result.summary())
		var fired audit.Fired
		fired, err = a.fireFound(ctx, auditor, found.Findings, f.rate)
		result.Fired, result.Skipped = fired.Done, fired.Skipped
		result.Failures = append(result.Failures, fired.Failures...)
	}
	printed := a.print(result, func(w io.Writer) error { return result.write(w, f.fire) })
	if err != nil || result.More {
		fmt.Fprintln(a.errs, "There is more to do: run the same command again to continue.")
	}
	if err = errors.Join(err, printed); err != nil {
		return err
	}
	return result.end(f.fire)
}

func (a *app) findUndone(ctx context.Context, s *session, auditor *audit.Auditor, filter audit.Filter, limit int) (audit.Found, error) {
	bar := newProgress(a.errs, "workflows", s.count(ctx, filter.Query()))
	defer bar.end()
	found, err := auditor.Find(ctx, filter, limit, bar.step)
	return found, s.findError(err, filter.Query())
}

// stuck lists the workflows that Temporal reports as stuck, and those that are going to be stuck because they follow the
// current version of the deployment and that version cannot replay them. idle names the current version if no worker runs
// it.
func (a *app) stuck(ctx context.Context, s *session, auditor *audit.Auditor, filter audit.Filter) (stuck []audit.Stuck, idle string, err error) {
	if stuck, err = auditor.Stuck(ctx, filter); err != nil {
		return nil, "", err
	}
	set, err := a.configuration()
	if err != nil {
		return nil, "", err
	}
	d := s.deployment(set.Temporal.Deployment)
	current, known, err := d.current(ctx)
	if err != nil || !known {
		return stuck, "", err
	}
	if err := d.checkPollers(ctx, current); errors.Is(err, client.ErrNoWorker) {
		return stuck, d.label(current), nil
	} else if err != nil {
		return nil, "", err
	}
	stranded, err := auditor.Stranded(ctx, filter, d.name, current, func() {})
	for _, also := range stranded {
		if !slices.ContainsFunc(stuck, func(known audit.Stuck) bool { return known.RunID == also.RunID }) {
			stuck = append(stuck, also)
		}
	}
	return stuck, "", err
}

func writeStuck(w io.Writer, stuck []audit.Stuck) {
	for _, s := range stuck {
		fmt.Fprintf(w, "STUCK %s %s: %s\n", s.WorkflowID, s.RunID, strings.Join(s.Problems, ", "))
	}
}

func (a *app) fireFound(ctx context.Context, auditor *audit.Auditor, findings []audit.Finding, perSecond float64) (audit.Fired, error) {
	bar := newProgress(a.errs, "fired", len(findings))
	defer bar.end()
	return auditor.Fire(ctx, findings, perSecond, bar.step)
}

// end returns the exit code, as an error.
func (r audited) end(fire bool) error {
	switch {
	case len(r.Failures) > 0:
		return &codedError{exitFailure}
	case len(r.Findings) > 0 && (!fire || r.More), len(r.Stuck) > 0, r.NoWorker != "":
		return &codedError{exitMissing}
	}
	return nil
}

// summary reports how much is missing.
func (r audited) summary() string {
	if len(r.Findings) == 0 {
		return fmt.Sprintf("Nothing is missing: %d workflows were ended from outside.", r.Looked)
	}
	text := fmt.Sprintf("%d of %d workflows that were ended from outside left something undone: %d events, %d deliveries",
		len(r.Findings), r.Looked, r.Missing.Events, r.Missing.Deliveries)
	if r.Missing.Drafts > 0 {
		text += fmt.Sprintf(", %d drafts", r.Missing.Drafts)
	}
	return text + "."
}

func (r audited) write(w io.Writer, fire bool) error {
	if len(r.Findings) > 0 && !fire {
		if err := writeFindings(w, r.Findings); err != nil {
			return err
		}
	}
	for _, failure := range r.Failures {
		fmt.Fprintf(w, "FAILED %s %s: %s\n", failure.WorkflowID, failure.RunID, failure.Reason)
	}
	writeStuck(w, r.Stuck)
	if r.NoWorker != "" {
		fmt.Fprintf(w, "NO WORKER runs as %s, which is current: new workflows wait until one runs\n", r.NoWorker)
	}
	if err := r.writeDiscarded(w); err != nil {
		return err
	}
	if fire && len(r.Findings) > 0 {
		_, err := fmt.Fprintf(w, "%d of %d are being done, %d skipped, %d failed\n", r.Fired, len(r.Findings), r.Skipped, len(r.Failures))
		return err
	}
	_, err := fmt.Fprintln(w, r.summary())
	return err
}

func (r audited) writeDiscarded(w io.Writer) error {
	if len(r.Discarded) == 0 {
		return nil
	}
	rows := [][]string{{"DISCARDED", "CALL", "EVENT", "WHEN", "AT", "BY", "WEBHOOK-ID"}}
	for _, d := range r.Discarded {
		receiver, _ := contract.AlertReceiver(d.WorkflowID)
		rows = append(rows, []string{
			laneOwner(d.ContactCenter, d.Interaction, receiver), d.Call, fmt.Sprint(d.Sequence), d.Moment, d.At.Local().Format(time.DateTime), d.By, d.ID,
		})
	}
	return table(w, rows)
}

func writeFindings(w io.Writer, findings []audit.Finding) error {
	rows := [][]string{{"INTERACTION", "CALL", "ENDED", "HOW", "STATE", "EVENTS", "DELIVERIES", "WAITING", "REASON"}}
	for _, f := range findings {
		rows = append(rows, []string{
			f.ContactCenter + "/" + f.Interaction, f.Call, f.EndedAt.Local().Format(time.DateTime), f.Ended, string(f.State),
			fmt.Sprint(len(f.Events)), fmt.Sprint(len(f.Deliveries)), fmt.Sprint(f.DeliveriesWaiting()), f.Reason,
		})
	}
	return table(w, rows)
}
