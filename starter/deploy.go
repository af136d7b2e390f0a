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

// deployFlags say what is to become of a version.
type deployFlags struct {
	deployment  string
	unversioned bool
	ramp        float64
	wait        time.Duration
	move        string
	undo        bool
	dryRun      bool
}

// waitLimit is how long --wait without a duration waits for workers.
const waitLimit = 5 * time.Minute

func (a *app) deployCommand() *cobra.Command {
	var f deployFlags
	c := &cobra.Command{
		Use:   "deploy [BUILD-ID]",
		Short: "Show the versions of the workers, and say which is current",
		Long: `Without a build id, list the versions of versioned workers (those that run with temporal.build_id): which one is
current, how many workers run as each, and how many workflows run there: interactions pinned to it, those that follow the
current version and did their last task there (auto-upgrade), and those that no versioned worker has done a task of. A
version may be stopped when it is neither current nor ramping and no interaction is pinned to it.

With a build id, make that version current: what begins from now on, and what runs on channels of temporal.auto_upgrade,
goes there; what is pinned ends where it is. A version without workers is refused; --wait waits for the first one. With
--ramp, send it a share of that first. To roll back, make the old version current again. What follows the current
version and last ran on another one is then asked a query, which the current version's workers answer by replaying it;
what they cannot replay is listed as stuck (exit code 6).

With --move, take the interactions that are pinned to another version over to BUILD-ID, such as those of a version that
turned out bad; which version is current stays as it is. Each is replayed first with the workflow code of this very
binary, so use the one of the version that they go to, and then by a query with the workers of that version. What does not
replay stays where it was and is listed (exit code 1). --undo takes them back, as far as they replay there.`,
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
	flags.StringVar(&f.deployment, "deployment", "", "which deployment (SEGUE_TEMPORAL_DEPLOYMENT; default segue)")
	flags.Float64Var(&f.ramp, "ramp", 0, "percent of what begins, instead of all; 0 ends the ramp")
	flags.BoolVar(&f.unversioned, "unversioned", false, "make unversioned workers current")
	flags.DurationVar(&f.wait, "wait", 0, "wait for workers of the version, for 5m or as long as is said (--wait=30s)")
	flags.Lookup("wait").NoOptDefVal = waitLimit.String()
	flags.StringVar(&f.move, "move", "", "take over the interactions that are pinned to this build id, and change nothing else")
	flags.BoolVar(&f.undo, "undo", false, "with --move: take back what was moved")
	flags.BoolVar(&f.dryRun, "dry-run", false, "with --move: replay and count only, and change nothing")
	return c
}

func (f deployFlags) check(c *cobra.Command, args []string) error {
	switch {
	case f.ramp < 0 || f.ramp > 100:
		return usage("--ramp %v: use 0 to 100", f.ramp)
	case f.wait < 0:
		return usage("--wait %s: use 0 or more", f.wait)
	case f.unversioned && len(args) > 0:
		return usage("give a build id or --unversioned, one of the two")
	case len(args) == 0 && !f.unversioned && (given(c, "ramp") || given(c, "wait") || f.move != ""):
		return usage("--ramp, --wait and --move go with a build id: the version that gets them")
	case f.unversioned && f.move != "":
		return usage("--move takes interactions to a version, not to unversioned workers")
	case f.move != "" && given(c, "ramp"):
		return usage("give --ramp or --move, one of the two")
	case f.move != "" && f.move == args[0]:
		return usage("--move %s: is the version that they would go to", f.move)
	case (f.dryRun || f.undo) && f.move == "":
		return usage("--dry-run and --undo go with --move")
	}
	return nil
}

// deployed is what `deploy --json` prints.
type deployed struct {
	Deployment string `json:"deployment"`
	// Current is the build id where new interactions begin; empty is unversioned.
	Current string `json:"current"`
	// Ramping is the build id that gets Percent of them meanwhile, "unversioned", or empty.
	Ramping  string            `json:"ramping,omitempty"`
	Percent  float32           `json:"percent,omitempty"`
	Versions []deployedVersion `json:"versions"`
	// Unversioned are the workers without a build id, and what no versioned worker has done a task of.
	Unversioned unversionedWorkers `json:"unversioned"`
	// Moved counts what --move took over, or would; Failed is what stayed, because it does not replay there.
	Moved  int             `json:"moved"`
	Failed []replayFailure `json:"failed"`
	DryRun bool            `json:"dry_run,omitempty"`
	// Stuck follows the current version, which cannot replay it.
	Stuck []audit.Stuck `json:"stuck"`
}

type deployedVersion struct {
	BuildID string `json:"build_id"`
	// Status is current, ramping, draining, drained or inactive.
	Status string `json:"status"`
	// Workers counts the processes that poll as this version.
	Workers int `json:"workers"`
	// Pinned counts the running interactions that end on this version.
	Pinned int `json:"pinned"`
	// AutoUpgrade counts the running interactions and lanes that follow the current version and did their last task here.
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
	if changes && !(given(c, "ramp") && f.ramp == 0) && !f.undo {
		if err := d.requirePollers(ctx, build, f.wait); err != nil {
			return err
		}
	}
	moved := moves{failed: []replayFailure{}}
	stuck := []audit.Stuck{}
	switch {
	case f.move != "":
		moved, err = a.move(ctx, d, f, build)
	case given(c, "ramp"):
		err = d.ramp(ctx, build, float32(f.ramp))
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
		return result, d.kindOf(err)
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
		if version.Pinned, err = d.countOf(ctx, d.on(build, pinned)); err != nil {
			return result, err
		}
		if version.AutoUpgrade, err = d.countOf(ctx, d.on(build, autoUpgrade)); err != nil {
			return result, err
		}
		result.Versions = append(result.Versions, version)
	}
	slices.SortFunc(result.Versions, func(a, b deployedVersion) int { return b.CreatedAt.Compare(a.CreatedAt) })
	result.Unversioned.Workers = workers[""]
	result.Unversioned.Running, err = d.countOf(ctx, d.withoutVersion())
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
	fmt.Fprintf(w, "Deployment %s: current is %s\n", r.Deployment, current)
	if f.move != "" {
		r.writeMoves(w, f)
	}
	if len(r.Stuck) > 0 {
		fmt.Fprintf(w, "%d workflows that follow the current version are stuck: it cannot replay them. They lose nothing, and go on once a build that replays them is current.\n", len(r.Stuck))
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
		fmt.Fprintf(w, "Unversioned: %d workers, and %d workflows that no versioned worker has done a task of\n", r.Unversioned.Workers, r.Unversioned.Running)
	}
	for _, v := range r.Versions {
		if v.Workers == 0 && (v.Status == "current" || v.Status == "ramping" || v.Pinned > 0) {
			fmt.Fprintf(w, "No worker runs as %s: what goes there waits until one does\n", v.BuildID)
		}
	}
	return nil
}

func (r deployed) writeMoves(w io.Writer, f deployFlags) {
	from := f.move
	switch {
	case f.dryRun && f.undo:
		fmt.Fprintf(w, "%d interactions would be taken back to %s; nothing was changed\n", r.Moved, from)
	case f.dryRun:
		fmt.Fprintf(w, "%d interactions of %s would be moved; nothing was changed\n", r.Moved, from)
	case f.undo:
		fmt.Fprintf(w, "%d interactions were taken back to %s\n", r.Moved, from)
	default:
		fmt.Fprintf(w, "%d interactions of %s were moved\n", r.Moved, from)
	}
	for _, failure := range r.Failed {
		fmt.Fprintf(w, "STAYS %s: %s\n", failure.History, failure.Error)
	}
}
