package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"go.temporal.io/sdk/client"

	"segue/starter/audit"
)

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
		fmt.Fprintf(w, "Stuck: %s that the current version cannot replay. They lose nothing, and continue once a version that can replay them is current.\n", plural(len(r.Stuck), "workflow"))
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
		fmt.Fprintf(w, "Unversioned: %s, and %s without a task on a versioned worker\n", plural(r.Unversioned.Workers, "worker"), plural(r.Unversioned.Running, "workflow"))
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
		fmt.Fprintf(w, "Dry run: %s can be moved back to %s; nothing was changed\n", plural(r.Moved, "interaction"), from)
	case f.dryRun:
		fmt.Fprintf(w, "Dry run: %s pinned to %s can be moved; nothing was changed\n", plural(r.Moved, "interaction"), from)
	case f.undo:
		fmt.Fprintf(w, "Moved %s back to %s\n", plural(r.Moved, "interaction"), from)
	default:
		fmt.Fprintf(w, "Moved %s from %s\n", plural(r.Moved, "interaction"), from)
	}
	for _, failure := range r.Failed {
		fmt.Fprintf(w, "NOT MOVED %s: %s\n", failure.History, failure.Error)
	}
}
