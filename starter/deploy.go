package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"google.golang.org/grpc/codes"

	"segue/config"
	"segue/starter/drive"
)

// deployFlags say what is to become of a version.
type deployFlags struct {
	deployment  string
	unversioned bool
	ramp        float64
	move        string
	dryRun      bool
}

func (a *app) deployCommand() *cobra.Command {
	var f deployFlags
	c := &cobra.Command{
		Use:   "deploy [BUILD-ID]",
		Short: "Show the versions of the workers, and say which is current",
		Long: `Without a build id, list the versions of versioned workers (those that run with temporal.build_id): which one is
current, and how many running interactions are pinned to each. A version may be stopped when it is neither current nor
ramping and no interaction is pinned to it.

With a build id, make that version current: what begins from now on, and what runs on channels of temporal.auto_upgrade,
goes there; what is pinned ends where it is. With --ramp, send it a share of that first. To roll back, make the old
version current again. With --move, take interactions that are pinned to another version over to it, such as those of a
version that turned out bad; ` + "`segue replay`" + ` of the version they go to tells before whether it can go on with them.`,
		Example: `  segue deploy
  segue deploy 1.5.0 --ramp 10
  segue deploy 1.5.0
  segue deploy 1.4.0 --move 1.5.0 --dry-run
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
	flags.StringVar(&f.move, "move", "", "also take over the interactions that are pinned to this build id")
	flags.BoolVar(&f.dryRun, "dry-run", false, "with --move: count only, and change nothing")
	return c
}

func (f deployFlags) check(c *cobra.Command, args []string) error {
	switch {
	case f.ramp < 0 || f.ramp > 100:
		return usage("--ramp %v: use 0 to 100", f.ramp)
	case f.unversioned && len(args) > 0:
		return usage("give a build id or --unversioned, one of the two")
	case len(args) == 0 && !f.unversioned && (given(c, "ramp") || f.move != ""):
		return usage("--ramp and --move go with a build id: the version that gets them")
	case f.unversioned && f.move != "":
		return usage("--move takes interactions to a version, not to unversioned workers")
	case f.move != "" && given(c, "ramp"):
		return usage("give --ramp or --move, one of the two")
	case f.dryRun && f.move == "":
		return usage("--dry-run goes with --move")
	}
	return nil
}

// deployed is what `deploy --json` prints.
type deployed struct {
	Deployment string `json:"deployment"`
	// Current is the build id where new interactions begin; empty is unversioned.
	Current  string            `json:"current"`
	Ramping  string            `json:"ramping,omitempty"`
	Percent  float32           `json:"percent,omitempty"`
	Versions []deployedVersion `json:"versions"`
	// Moved counts what --move took over, or would.
	Moved  int  `json:"moved"`
	DryRun bool `json:"dry_run,omitempty"`
}

type deployedVersion struct {
	BuildID string `json:"build_id"`
	// Status is current, ramping, draining, drained or inactive.
	Status string `json:"status"`
	// Pinned counts the running interactions that end on this version.
	Pinned    int       `json:"pinned"`
	CreatedAt time.Time `json:"created_at"`
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
	d := &deployment{session: s, name: set.Temporal.Deployment}
	d.handle = s.Temporal.WorkerDeploymentClient().GetHandle(d.name)
	moved := 0
	if len(args) > 0 || f.unversioned {
		build := ""
		if len(args) > 0 {
			build = args[0]
		}
		if moved, err = a.roll(ctx, c, d, build, f); err != nil {
			return err
		}
	}
	result, err := d.describe(ctx)
	if err != nil {
		return err
	}
	result.Moved, result.DryRun = moved, f.dryRun
	return a.print(result, result.write)
}

// deployment is one deployment of versioned workers.
type deployment struct {
	*session
	name   string
	handle client.WorkerDeploymentHandle
}

// roll changes which version is current, or ramping, and moves what is to be moved.
func (a *app) roll(ctx context.Context, c *cobra.Command, d *deployment, build string, f deployFlags) (moved int, err error) {
	if f.dryRun {
		runs, err := d.pinned(ctx, f.move)
		return len(runs), err
	}
	err = d.twice(ctx, func() error {
		if given(c, "ramp") {
			_, err := d.handle.SetRampingVersion(ctx, client.WorkerDeploymentSetRampingVersionOptions{BuildID: build, Percentage: float32(f.ramp)})
			return err
		}
		_, err := d.handle.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
		return err
	})
	if err != nil || f.move == "" {
		return 0, err
	}
	return a.move(ctx, d, f.move, build)
}

// twice asks once more what was not answered in time: the server keeps deployments
// in workflows of its own, which a busy one gets to late. Doing it again changes nothing.
func (d *deployment) twice(ctx context.Context, change func() error) error {
	err := change()
	if ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || serviceerror.ToStatus(err).Code() == codes.DeadlineExceeded) {
		err = change()
	}
	return d.kindOf(err)
}

// move takes what is pinned to one version over to another: once, so that it stays
// there as if it had begun there.
func (a *app) move(ctx context.Context, d *deployment, from, to string) (moved int, err error) {
	runs, err := d.pinned(ctx, from)
	if err != nil {
		return 0, err
	}
	bar := newProgress(a.errs, "moved", len(runs))
	defer bar.end()
	for _, run := range runs {
		_, err := d.Temporal.UpdateWorkflowExecutionOptions(ctx, client.UpdateWorkflowExecutionOptionsRequest{
			WorkflowId: run.WorkflowID, RunId: run.RunID,
			WorkflowExecutionOptionsChanges: client.WorkflowExecutionOptionsChanges{
				VersioningOverride: &client.VersioningOverrideChange{Value: &client.OneTimeVersioningOverride{
					TargetVersion: worker.WorkerDeploymentVersion{DeploymentName: d.name, BuildID: to},
				}},
			},
		})
		var ended *serviceerror.NotFound
		if err != nil && !errors.As(err, &ended) {
			return moved, fmt.Errorf("moving %s: %w; run the same command again to go on", run.WorkflowID, err)
		}
		if err == nil {
			moved++
		}
		bar.step()
	}
	return moved, nil
}

// pinnedTo means, in Temporal's list language, what runs pinned to a version.
func (d *deployment) pinnedTo(build string) string {
	return fmt.Sprintf("ExecutionStatus = 'Running' AND TemporalWorkflowVersioningBehavior = 'Pinned' AND TemporalWorkerDeploymentVersion = '%s:%s'", d.name, build)
}

func (d *deployment) pinned(ctx context.Context, build string) ([]listEntry, error) {
	return d.find(ctx, d.pinnedTo(build), maxMoved)
}

// maxMoved bounds what is held in memory; the same command again moves the rest.
const maxMoved = 100_000

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
	if routing.RampingVersion != nil {
		result.Ramping, result.Percent = routing.RampingVersion.BuildID, routing.RampingVersionPercentage
	}
	for _, summary := range described.Info.VersionSummaries {
		build := summary.Version.BuildID
		query := d.pinnedTo(build)
		pinned, err := d.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: d.settings.Namespace, Query: query})
		if err != nil {
			return result, d.findError(err, query)
		}
		result.Versions = append(result.Versions, deployedVersion{
			BuildID: build, CreatedAt: summary.CreateTime,
			Status: result.statusOf(build, summary.DrainageStatus),
			Pinned: int(pinned.GetCount()),
		})
	}
	slices.SortFunc(result.Versions, func(a, b deployedVersion) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return result, nil
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

func (d *deployment) kindOf(err error) error {
	var missing *serviceerror.NotFound
	var unavailable *serviceerror.Unavailable
	switch {
	case errors.As(err, &missing):
		return fmt.Errorf("deployment %s, or that version of it, %w: no worker has run as it (%s)", d.name, drive.ErrNotFound, missing.Error())
	case errors.As(err, &unavailable):
		return fmt.Errorf("%w: %w", drive.ErrUnreachable, err)
	}
	return err
}

func (r deployed) write(w io.Writer) error {
	current := cmp.Or(r.Current, "unversioned")
	if r.Ramping != "" {
		current += fmt.Sprintf(", %v %% go to %s", r.Percent, r.Ramping)
	}
	if _, err := fmt.Fprintf(w, "Deployment %s: current is %s\n", r.Deployment, current); err != nil {
		return err
	}
	if r.DryRun {
		if _, err := fmt.Fprintf(w, "%d interactions would be moved; nothing was changed\n", r.Moved); err != nil {
			return err
		}
	} else if r.Moved > 0 {
		if _, err := fmt.Fprintf(w, "%d interactions are being moved\n", r.Moved); err != nil {
			return err
		}
	}
	rows := [][]string{{"BUILD ID", "STATUS", "PINNED", "SINCE"}}
	for _, v := range r.Versions {
		rows = append(rows, []string{v.BuildID, v.Status, fmt.Sprint(v.Pinned), v.CreatedAt.Local().Format(time.DateTime)})
	}
	return table(w, rows)
}
