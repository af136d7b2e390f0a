package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"google.golang.org/grpc/codes"

	"segue/client"
)

// deployment is one deployment of versioned workers.
type deployment struct {
	*session
	name   string
	handle sdkclient.WorkerDeploymentHandle
}

// deployment returns the deployment of that name in the namespace.
func (s *session) deployment(name string) *deployment {
	return &deployment{session: s, name: name, handle: s.Temporal.WorkerDeploymentClient().GetHandle(name)}
}

// current returns the build id of the current version, empty if it is unversioned. known is false if no versioned worker
// of the deployment has run.
func (d *deployment) current(ctx context.Context) (build string, known bool, err error) {
	described, err := d.handle.Describe(ctx, sdkclient.WorkerDeploymentDescribeOptions{})
	if err = d.wrapError(err); errors.Is(err, client.ErrNotFound) {
		return "", false, nil
	}
	if err == nil && described.Info.RoutingConfig.CurrentVersion != nil {
		build = described.Info.RoutingConfig.CurrentVersion.BuildID
	}
	return build, err == nil, err
}

// unversioned names the workers without a build id.
const unversioned = "unversioned"

func (d *deployment) label(build string) string {
	if build == "" {
		return "unversioned workers"
	}
	return "version " + d.name + ":" + build
}

// requirePollers returns ErrNoWorker for a version that no worker runs as: its workflows would wait. It waits up to
// patience for the first worker.
func (d *deployment) requirePollers(ctx context.Context, build string, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		err := d.checkPollers(ctx, build)
		missing := errors.Is(err, client.ErrNoWorker) || errors.Is(err, client.ErrNotFound)
		if !missing || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// checkPollers returns ErrNoWorker if no worker runs as the version.
func (d *deployment) checkPollers(ctx context.Context, build string) error {
	queues := map[string]bool{d.TaskQueue: true}
	if build != "" {
		var err error
		if queues, err = d.queuesOf(ctx, build); err != nil {
			return err
		}
	}
	workers, err := d.workers(ctx, queues)
	if err == nil && workers[build] == 0 {
		err = fmt.Errorf("%w as %s on task queue %s: start its workers, or use --wait to wait for them", client.ErrNoWorker, d.label(build), strings.Join(keys(queues), ", "))
	}
	return err
}

// queuesOf returns the task queues that workers of a version have polled for workflow tasks.
func (d *deployment) queuesOf(ctx context.Context, build string) (map[string]bool, error) {
	described, err := d.handle.DescribeVersion(ctx, sdkclient.WorkerDeploymentDescribeVersionOptions{BuildID: build})
	if err != nil {
		return nil, d.wrapError(err)
	}
	queues := map[string]bool{}
	for _, queue := range described.Info.TaskQueuesInfos {
		if queue.Type == sdkclient.TaskQueueTypeWorkflow {
			queues[queue.Name] = true
		}
	}
	return queues, nil
}

// stoppedWorkers returns the identities of the workers that have reported their shutdown: Temporal lists them as pollers
// for minutes. It returns none if Temporal does not list workers.
func (d *deployment) stoppedWorkers(ctx context.Context, queue string) (map[string]bool, error) {
	stopped := map[string]bool{}
	for page := []byte(nil); ; {
		answer, err := d.Temporal.WorkflowService().ListWorkers(ctx, &workflowservice.ListWorkersRequest{
			Namespace: d.settings.Namespace, Query: fmt.Sprintf("TaskQueue = '%s'", queue), PageSize: 1000, NextPageToken: page,
		})
		if code := serviceerror.ToStatus(err).Code(); code == codes.Unimplemented || code == codes.PermissionDenied {
			return stopped, nil
		}
		if err != nil {
			return nil, d.wrapError(err)
		}
		for _, worker := range answer.GetWorkers() {
			if s := worker.GetStatus(); s == enumspb.WORKER_STATUS_SHUTTING_DOWN || s == enumspb.WORKER_STATUS_SHUTDOWN {
				stopped[worker.GetWorkerIdentity()] = true
			}
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			return stopped, nil
		}
	}
}

// pollTimeout is the longest poll of a worker: a worker that has not polled for longer has ended.
const pollTimeout = 75 * time.Second

// workers counts the workers that poll the task queues by build id. The build id of unversioned workers is empty.
func (d *deployment) workers(ctx context.Context, queues map[string]bool) (map[string]int, error) {
	seen := map[string]map[string]bool{}
	for _, queue := range keys(queues) {
		answer, err := d.Temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
			Namespace: d.settings.Namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: queue}, TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
		})
		if err != nil {
			return nil, fmt.Errorf("workers of task queue %s: %w", queue, d.wrapError(err))
		}
		stopped, err := d.stoppedWorkers(ctx, queue)
		if err != nil {
			return nil, err
		}
		for _, poller := range answer.GetPollers() {
			options := poller.GetDeploymentOptions()
			build := ""
			if options.GetWorkerVersioningMode() == enumspb.WORKER_VERSIONING_MODE_VERSIONED {
				build = options.GetBuildId()
				if options.GetDeploymentName() != d.name {
					continue
				}
			}
			if stopped[poller.GetIdentity()] || time.Since(poller.GetLastAccessTime().AsTime()) > pollTimeout {
				continue
			}
			if seen[build] == nil {
				seen[build] = map[string]bool{}
			}
			seen[build][poller.GetIdentity()] = true
		}
	}
	workers := map[string]int{}
	for build, identities := range seen {
		workers[build] = len(identities)
	}
	return workers, nil
}

func keys(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// setCurrent makes a version current; an empty build id means the unversioned workers. It returns when the change has
// reached the task queues, or after propagationLimit.
func (d *deployment) setCurrent(ctx context.Context, build string) error {
	err := d.retryOnce(ctx, func() error {
		_, err := d.handle.SetCurrentVersion(ctx, sdkclient.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
		return err
	})
	if err != nil {
		return err
	}
	late := time.After(propagationLimit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		described, err := d.Temporal.WorkflowService().DescribeWorkerDeployment(ctx, &workflowservice.DescribeWorkerDeploymentRequest{
			Namespace: d.settings.Namespace, DeploymentName: d.name,
		})
		if err != nil {
			return d.wrapError(err)
		}
		if described.GetWorkerDeploymentInfo().GetRoutingConfigUpdateState() != enumspb.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late:
			return nil
		case <-tick.C:
		}
	}
}

// propagationLimit bounds the wait for a change to reach all task queues; a busy server takes longer.
const propagationLimit = 10 * time.Second

// setRamp sends a percentage of the new workflows to a version. 0 ends its ramp.
func (d *deployment) setRamp(ctx context.Context, build string, percent float32) error {
	if percent == 0 {
		described, err := d.handle.Describe(ctx, sdkclient.WorkerDeploymentDescribeOptions{})
		if err != nil {
			return d.wrapError(err)
		}
		routing := described.Info.RoutingConfig
		ramping := ""
		if routing.RampingVersion != nil {
			ramping = routing.RampingVersion.BuildID
		}
		if ramping == "" && routing.RampingVersionPercentage == 0 {
			return nil
		}
		if ramping != build {
			return usage("--ramp 0 for %s: the ramping version is %s", d.label(build), d.label(ramping))
		}
		build = "" // Temporal's value for no ramp
	}
	return d.retryOnce(ctx, func() error {
		_, err := d.handle.SetRampingVersion(ctx, sdkclient.WorkerDeploymentSetRampingVersionOptions{BuildID: build, Percentage: percent})
		return err
	})
}

// retryOnce repeats a change that was not answered in time: the server keeps deployments in workflows of its own, which
// are slow when it is busy. Repeating the change has no further effect.
func (d *deployment) retryOnce(ctx context.Context, change func() error) error {
	err := change()
	if ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || serviceerror.ToStatus(err).Code() == codes.DeadlineExceeded) {
		err = change()
	}
	return d.wrapError(err)
}

// wrapError returns ErrNotFound or ErrUnreachable for the errors of the server that mean these.
func (d *deployment) wrapError(err error) error {
	var missing *serviceerror.NotFound
	var unavailable *serviceerror.Unavailable
	switch {
	case errors.As(err, &missing):
		return fmt.Errorf("deployment %s, or the version in it, %w: start a worker with temporal.deployment %s and the version's temporal.build_id (%s)",
			d.name, client.ErrNotFound, d.name, missing.Error())
	case errors.As(err, &unavailable):
		return fmt.Errorf("%w: %w", client.ErrUnreachable, err)
	}
	return err
}

// runningOn returns the query for the running workflows of a version: those Pinned to it, or the AutoUpgrade ones that
// had their last task there.
func (d *deployment) runningOn(build, behavior string) string {
	return fmt.Sprintf("ExecutionStatus = 'Running' AND TemporalWorkflowVersioningBehavior = '%s' AND TemporalWorkerDeploymentVersion = '%s:%s'", behavior, d.name, build)
}

// unversionedQuery returns the query for the running workflows without a task on a versioned worker.
func (d *deployment) unversionedQuery() string {
	return fmt.Sprintf("ExecutionStatus = 'Running' AND TemporalWorkflowVersioningBehavior IS NULL AND TaskQueue = '%s' AND WorkflowType IN (%s)", d.TaskQueue, segueTypes)
}

func (d *deployment) countRunning(ctx context.Context, query string) (int, error) {
	answer, err := d.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: d.settings.Namespace, Query: query})
	if err != nil {
		return 0, d.findError(err, query)
	}
	return int(answer.GetCount()), nil
}
