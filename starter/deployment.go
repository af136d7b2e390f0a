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

// deployment is one of the namespace.
func (s *session) deployment(name string) *deployment {
	return &deployment{session: s, name: name, handle: s.Temporal.WorkerDeploymentClient().GetHandle(name)}
}

// current is the build id of the current version; empty is unversioned. known is false where no versioned worker has run.
func (d *deployment) current(ctx context.Context) (build string, known bool, err error) {
	described, err := d.handle.Describe(ctx, sdkclient.WorkerDeploymentDescribeOptions{})
	if err = d.kindOf(err); errors.Is(err, client.ErrNotFound) {
		return "", false, nil
	}
	if err == nil && described.Info.RoutingConfig.CurrentVersion != nil {
		build = described.Info.RoutingConfig.CurrentVersion.BuildID
	}
	return build, err == nil, err
}

// unversioned is what the workers without a build id are called.
const unversioned = "unversioned"

func (d *deployment) label(build string) string {
	if build == "" {
		return "unversioned workers"
	}
	return "version " + d.name + ":" + build
}

// requirePollers refuses a version that no worker runs as: what is sent there would wait. With patience, it waits for the
// first worker.
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
		err = fmt.Errorf("%w as %s on task queue %s: start its workers, or wait for them with --wait", client.ErrNoWorker, d.label(build), strings.Join(keys(queues), ", "))
	}
	return err
}

// queuesOf are the task queues that workers of a version have polled for workflows.
func (d *deployment) queuesOf(ctx context.Context, build string) (map[string]bool, error) {
	described, err := d.handle.DescribeVersion(ctx, sdkclient.WorkerDeploymentDescribeVersionOptions{BuildID: build})
	if err != nil {
		return nil, d.kindOf(err)
	}
	queues := map[string]bool{}
	for _, queue := range described.Info.TaskQueuesInfos {
		if queue.Type == sdkclient.TaskQueueTypeWorkflow {
			queues[queue.Name] = true
		}
	}
	return queues, nil
}

// stopped names the workers that have said that they stop: their last poll is known for minutes. A Temporal that keeps no
// list of workers names none.
func (d *deployment) stopped(ctx context.Context, queue string) (map[string]bool, error) {
	stopped := map[string]bool{}
	for page := []byte(nil); ; {
		answer, err := d.Temporal.WorkflowService().ListWorkers(ctx, &workflowservice.ListWorkersRequest{
			Namespace: d.settings.Namespace, Query: fmt.Sprintf("TaskQueue = '%s'", queue), PageSize: 1000, NextPageToken: page,
		})
		if code := serviceerror.ToStatus(err).Code(); code == codes.Unimplemented || code == codes.PermissionDenied {
			return stopped, nil
		}
		if err != nil {
			return nil, d.kindOf(err)
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

// pollLimit is how long a poll of a worker takes at most: one that has not polled for longer is gone.
const pollLimit = 75 * time.Second

// workers counts the workers that poll task queues, by build id; that of unversioned ones is empty.
func (d *deployment) workers(ctx context.Context, queues map[string]bool) (map[string]int, error) {
	seen := map[string]map[string]bool{}
	for _, queue := range keys(queues) {
		answer, err := d.Temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
			Namespace: d.settings.Namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: queue}, TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
		})
		if err != nil {
			return nil, fmt.Errorf("workers of task queue %s: %w", queue, d.kindOf(err))
		}
		stopped, err := d.stopped(ctx, queue)
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
			if stopped[poller.GetIdentity()] || time.Since(poller.GetLastAccessTime().AsTime()) > pollLimit {
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

// setCurrent makes a version current; the empty build id means unversioned workers. It returns when the task queues know,
// or have had some time to.
func (d *deployment) setCurrent(ctx context.Context, build string) error {
	err := d.twice(ctx, func() error {
		_, err := d.handle.SetCurrentVersion(ctx, sdkclient.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
		return err
	})
	if err != nil {
		return err
	}
	late := time.After(spreadLimit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		described, err := d.Temporal.WorkflowService().DescribeWorkerDeployment(ctx, &workflowservice.DescribeWorkerDeploymentRequest{
			Namespace: d.settings.Namespace, DeploymentName: d.name,
		})
		if err != nil {
			return d.kindOf(err)
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

// spreadLimit is how long a change is given to reach all task queues; a busy server takes longer.
const spreadLimit = 10 * time.Second

// ramp sends a version a share of what begins. Zero percent ends its ramp.
func (d *deployment) ramp(ctx context.Context, build string, percent float32) error {
	if percent == 0 {
		described, err := d.handle.Describe(ctx, sdkclient.WorkerDeploymentDescribeOptions{})
		if err != nil {
			return d.kindOf(err)
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
			return usage("--ramp 0 for %s: it is %s that is ramping", d.label(build), d.label(ramping))
		}
		build = "" // what Temporal takes for no ramp at all
	}
	return d.twice(ctx, func() error {
		_, err := d.handle.SetRampingVersion(ctx, sdkclient.WorkerDeploymentSetRampingVersionOptions{BuildID: build, Percentage: percent})
		return err
	})
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

func (d *deployment) kindOf(err error) error {
	var missing *serviceerror.NotFound
	var unavailable *serviceerror.Unavailable
	switch {
	case errors.As(err, &missing):
		return fmt.Errorf("deployment %s, or that version of it, %w: no worker has run as it (%s)", d.name, client.ErrNotFound, missing.Error())
	case errors.As(err, &unavailable):
		return fmt.Errorf("%w: %w", client.ErrUnreachable, err)
	}
	return err
}

// on means, in Temporal's list language, what runs on a version in one of the ways: Pinned to it, or AutoUpgrade with
// its last task done there.
func (d *deployment) on(build, behavior string) string {
	return fmt.Sprintf("ExecutionStatus = 'Running' AND TemporalWorkflowVersioningBehavior = '%s' AND TemporalWorkerDeploymentVersion = '%s:%s'", behavior, d.name, build)
}

// withoutVersion means what runs that no versioned worker has done a task of.
func (d *deployment) withoutVersion() string {
	return fmt.Sprintf("ExecutionStatus = 'Running' AND TemporalWorkflowVersioningBehavior IS NULL AND TaskQueue = '%s' AND WorkflowType IN (%s)", d.TaskQueue, segueTypes)
}

func (d *deployment) countOf(ctx context.Context, query string) (int, error) {
	answer, err := d.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: d.settings.Namespace, Query: query})
	if err != nil {
		return 0, d.findError(err, query)
	}
	return int(answer.GetCount()), nil
}
