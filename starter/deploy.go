package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"segue/config"
	"segue/starter/audit"
)

// deployFlags are the flags of `segue deploy`.
type deployFlags struct {
	deployment  string
	unversioned bool
	ramp        float64
	wait        time.Duration
	move        string
	undo        bool
	dryRun      bool
}

// waitLimit is the duration of --wait without a value.
const waitLimit = 5 * time.Minute

func (a *app) deployCommand() *cobra.Command {
	var f deployFlags
	c := &cobra.Command{
		Use:   "deploy [BUILD-ID]",
		Short: "Show the versions of the workers, or make a version current",
		Long: `Without BUILD-ID, list the versions of the versioned workers, which run with temporal.build_id: the status of each,
its number of workers, and its running workflows. PINNED counts the interactions that stay on the version until they end,
AUTO-UPGRADE the workflows that follow the current version and had their last task on this one. You can stop the workers
of a version that is neither current nor ramping and has no pinned interactions.

With BUILD-ID, make that version current. New interactions go to it, and so do the running workflows that follow the
current version: lanes, and interactions on channels of temporal.auto_upgrade. Pinned interactions stay on their version.
A version without workers is refused; use --wait to wait for the first one. Use --ramp to send a percentage first. To roll back, make the old version current again. The command
then queries the workflows that follow the current version and had their last task on another one: workers replay a
workflow to answer a query. Workflows that the current version cannot replay are listed as stuck.

With --move, move the interactions that are pinned to another version, such as a faulty one, to BUILD-ID. The current
version does not change. Each interaction is first replayed with the workflow code of this binary, so use the binary of
the target version, and then queried, so that the workers of the target version replay it. An interaction that does not
replay stays on its version and is listed. --undo moves them back.

Exit codes: 0 success; 1 interactions were not moved, because they do not replay; 2 the command line is invalid; 3 the
deployment or version does not exist; 5 Temporal does not answer, or no worker runs as the version; 6 workflows are
stuck.`,
		Example: `  segue deploy
  segue deploy 1.5.0 --ramp 10 --wait
  segue deploy 1.5.0
  segue deploy 1.4.0 --move 1.5.0 --dry-run
  segue deploy 1.4.0 --move 1.5.0 --undo
  segue deploy --unversioned`,
		Args: between(0, 1, "at most one build id"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.check(c, args); err != nil {
				return err
			}
			return a.deploy(c.Context(), c, f, args)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.deployment, "deployment", "", "deployment of the workers (SEGUE_TEMPORAL_DEPLOYMENT; default segue)")
	flags.Float64Var(&f.ramp, "ramp", 0, "percentage of new and auto-upgrade workflows for BUILD-ID; 0 ends the ramp")
	flags.BoolVar(&f.unversioned, "unversioned", false, "make unversioned workers current")
	flags.DurationVar(&f.wait, "wait", 0, "wait for workers of the version, for 5m or another time (--wait=30s)")
	flags.Lookup("wait").NoOptDefVal = waitLimit.String()
	flags.StringVar(&f.move, "move", "", "move the interactions that are pinned to this build id to BUILD-ID")
	flags.BoolVar(&f.undo, "undo", false, "with --move: move the interactions back")
	flags.BoolVar(&f.dryRun, "dry-run", false, "with --move: replay and count the interactions, and change nothing")
	return c
}

func (f deployFlags) check(c *cobra.Command, args []string) error {
	switch {
	case f.ramp < 0 || f.ramp > 100:
		return usage("--ramp %v: use 0 to 100", f.ramp)
	case f.wait < 0:
		return usage("--wait %s: use 0 or more", f.wait)
	case f.unversioned && len(args) > 0:
		return usage("give either a build id or --unversioned")
	case len(args) == 0 && !f.unversioned && (isSet(c, "ramp") || isSet(c, "wait") || f.move != ""):
		return usage("--ramp, --wait and --move need a build id: the target version")
	case f.unversioned && f.move != "":
		return usage("--move needs a build id as its target: it cannot move interactions to unversioned workers")
	case f.move != "" && isSet(c, "ramp"):
		return usage("give either --ramp or --move")
	case f.move != "" && f.move == args[0]:
		return usage("--move %s: is the target version; give the version that the interactions are pinned to", f.move)
	case (f.dryRun || f.undo) && f.move == "":
		return usage("--dry-run and --undo need --move")
	}
	return nil
}

// deployed is what `deploy --json` prints.
type deployed struct {
	Deployment string `json:"deployment"`
	// Current is the build id where new interactions begin; empty is unversioned.
	Current string `json:"current"`
	// Ramping is the build id that gets Percent of them, "unversioned", or empty.
	Ramping  string            `json:"ramping,omitempty"`
	Percent  float32           `json:"percent,omitempty"`
	Versions []deployedVersion `json:"versions"`
	// Unversioned counts the workers without a build id, and the workflows without a task on a versioned worker.
	Unversioned unversionedWorkers `json:"unversioned"`
	// Moved counts the interactions that --move moved, or would move. Failed are those that do not replay and stayed.
	Moved  int             `json:"moved"`
	Failed []replayFailure `json:"failed"`
	DryRun bool            `json:"dry_run,omitempty"`
	// Stuck are the workflows that follow the current version and that it cannot replay.
	Stuck []audit.Stuck `json:"stuck"`
}

type deployedVersion struct {
	BuildID string `json:"build_id"`
	// Status is current, ramping, draining, drained or inactive.
	Status string `json:"status"`
	// Workers counts the processes that poll as this version.
	Workers int `json:"workers"`
	// Pinned counts the running interactions that stay on this version until they end.
	Pinned int `json:"pinned"`
	// AutoUpgrade counts the running interactions and lanes that follow the current version and had their last task here.
	AutoUpgrade int       `json:"auto_upgrade"`
	CreatedAt   time.Time `json:"created_at"`
}

type unversionedWorkers struct {
	Workers int `json:"workers"`
	// Running counts the running interactions and lanes.
	Running int `json:"running"`
}

func (a *app) deploy(ctx context.Context, c *cobra.Command, f deployFlags, args []string) error {
	set, err := config.Load(a.configFile(), a.options(config.WithFlag("temporal.deployment", c.Flags().Lookup("deployment")))...)
	if err != nil {
		return usage("%w", err)
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	d := s.deployment(set.Temporal.Deployment)
	build := ""
	if len(args) > 0 {
		build = args[0]
	}
	changes := f.unversioned || len(args) > 0
	if changes && !(isSet(c, "ramp") && f.ramp == 0) && !f.undo {
		if err := d.requirePollers(ctx, build, f.wait); err != nil {
			return err
		}
	}
	moved := moves{failed: []replayFailure{}}
	stuck := []audit.Stuck{}
	switch {
	case f.move != "":
		moved, err = a.move(ctx, d, f, build)
	case isSet(c, "ramp"):
		err = d.setRamp(ctx, build, float32(f.ramp))
	case changes:
		if err = d.setCurrent(ctx, build); err == nil {
			stuck, err = a.stranded(ctx, d, build)
		}
	}
	if err != nil {
		return err
	}
	result, err := d.describe(ctx)
	if err != nil {
		return err
	}
	result.Moved, result.Failed, result.DryRun, result.Stuck = moved.done, moved.failed, f.dryRun, stuck
	if err := a.print(result, func(w io.Writer) error { return result.write(w, f) }); err != nil {
		return err
	}
	switch {
	case len(result.Failed) > 0:
		return &codedError{exitFailure}
	case len(result.Stuck) > 0:
		return &codedError{exitMissing}
	}
	return nil
}

func (d *deployment) describe(ctx context.Context) (deployed, error) {
	result := deployed{Deployment: d.name, Versions: []deployedVersion{}}
	described, err := d.handle.Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	if err != nil {
		return result, d.wrapError(err)
	}
	routing := described.Info.RoutingConfig
	if routing.CurrentVersion != nil {
		result.Current = routing.CurrentVersion.BuildID
	}
	switch result.Percent = routing.RampingVersionPercentage; {
	case result.Percent == 0:
	case routing.RampingVersion != nil:
		result.Ramping = routing.RampingVersion.BuildID
	default:
		result.Ramping = unversioned
	}
	queues := map[string]bool{d.TaskQueue: true}
	for _, summary := range described.Info.VersionSummaries {
		polled, err := d.queuesOf(ctx, summary.Version.BuildID)
		if err != nil {
			return result, err
		}
		for queue := range polled {
			queues[queue] = true
		}
	}
	workers, err := d.workers(ctx, queues)
	if err != nil {
		return result, err
	}
	for _, summary := range described.Info.VersionSummaries {
		build := summary.Version.BuildID
		version := deployedVersion{
			BuildID: build, CreatedAt: summary.CreateTime, Workers: workers[build], Status: result.statusOf(build, summary.DrainageStatus),
		}
		if version.Pinned, err = d.countRunning(ctx, d.runningOn(build, pinned)); err != nil {
			return result, err
		}
		if version.AutoUpgrade, err = d.countRunning(ctx, d.runningOn(build, autoUpgrade)); err != nil {
			return result, err
		}
		result.Versions = append(result.Versions, version)
	}
	slices.SortFunc(result.Versions, func(a, b deployedVersion) int { return b.CreatedAt.Compare(a.CreatedAt) })
	result.Unversioned.Workers = workers[""]
	result.Unversioned.Running, err = d.countRunning(ctx, d.unversionedQuery())
	return result, err
}

func (r deployed) statusOf(build string, drainage client.WorkerDeploymentVersionDrainageStatus) string {
	switch {
	case build == r.Current:
		return "current"
	case build == r.Ramping:
		return "ramping"
	case drainage == client.WorkerDeploymentVersionDrainageStatusDraining:
		return "draining"
	case drainage == client.WorkerDeploymentVersionDrainageStatusDrained:
		return "drained"
	}
	return "inactive"
}

func (r deployed) write(w io.Writer, f deployFlags) error {
	current := cmp.Or(r.Current, unversioned)
	if r.Ramping != "" {
		current += fmt.Sprintf(", %v %% go to %s", r.Percent, r.Ramping)
	}
	fmt.Fprintf(w, "Deployment %s: the current version is %s\n", r.Deployment, current)
	if f.move != "" {
		r.writeMoves(w, f)
	}
	if len(r.Stuck) > 0 {
		fmt.Fprintf(w, "%d workflows that follow the current version are stuck: it cannot replay them. They lose nothing, and continue once a version that can replay them is current.\n", len(r.Stuck))
		writeStuck(w, r.Stuck)
	}
	rows := [][]string{{"BUILD ID", "STATUS", "WORKERS", "PINNED", "AUTO-UPGRADE", "SINCE"}}
	for _, v := range r.Versions {
		rows = append(rows, []string{v.BuildID, v.Status, fmt.Sprint(v.Workers), fmt.Sprint(v.Pinned), fmt.Sprint(v.AutoUpgrade), v.CreatedAt.Local().Format(time.DateTime)})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	if r.Unversioned.Workers+r.Unversioned.Running > 0 {
		fmt.Fprintf(w, "Unversioned: %d workers, and %d workflows without a task on a versioned worker\n", r.Unversioned.Workers, r.Unversioned.Running)
	}
	for _, v := range r.Versions {
		if v.Workers == 0 && (v.Status == "current" || v.Status == "ramping" || v.Pinned > 0) {
			fmt.Fprintf(w, "No worker runs as %s: its workflows wait until one does\n", v.BuildID)
		}
	}
	return nil
}

func (r deployed) writeMoves(w io.Writer, f deployFlags) {
	from := f.move
	switch {
	case f.dryRun && f.undo:
		fmt.Fprintf(w, "%d interactions would be moved back to %s; nothing was changed\n", r.Moved, from)
	case f.dryRun:
		fmt.Fprintf(w, "%d interactions pinned to %s would be moved; nothing was changed\n", r.Moved, from)
	case f.undo:
		fmt.Fprintf(w, "%d interactions were moved back to %s\n", r.Moved, from)
	default:
		fmt.Fprintf(w, "%d interactions pinned to %s were moved\n", r.Moved, from)
	}
	for _, failure := range r.Failed {
		fmt.Fprintf(w, "NOT MOVED %s: %s\n", failure.History, failure.Error)
	}
}
