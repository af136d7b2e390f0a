package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"segue/recovery"
	"segue/replay"
)

// Filter selects the workflows to audit. An empty field does not narrow the selection.
type Filter struct {
	ContactCenter, Interaction string
	// Since leaves out workflows that ended earlier.
	Since time.Time
}

// Query returns a query in Temporal's list language for the workflows that were ended from
// outside.
func (f Filter) Query() string {
	conditions := f.conditions(endedTypes, "ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed', 'Canceled')")
	if !f.Since.IsZero() {
		conditions = append(conditions, fmt.Sprintf("CloseTime >= '%s'", f.Since.UTC().Format(time.RFC3339)))
	}
	return and(conditions)
}

func and(conditions []string) string { return strings.Join(conditions, " AND ") }

// stuckQuery returns a query for the running workflows whose tasks fail repeatedly.
func (f Filter) stuckQuery() string {
	return and(f.conditions(WorkflowTypes, "ExecutionStatus = 'Running'", "TemporalReportedProblems IS NOT NULL"))
}

// conditions adds the filter's conditions. They compare workflow ids, because a workflow that
// ended before its first task has no search attributes.
func (f Filter) conditions(types []string, conditions ...string) []string {
	conditions = append(conditions, "WorkflowType IN ('"+strings.Join(types, "', '")+"')")
	if f.ContactCenter != "" {
		path := f.ContactCenter + "/" + f.Interaction
		conditions = append(conditions, fmt.Sprintf("(WorkflowId STARTS_WITH 'interaction/%s' OR WorkflowId STARTS_WITH 'delivery/%s')", path, path))
	}
	return conditions
}

// matches reports whether the filter selects a workflow. Conditions cannot decide it: the id
// of an interaction may be the prefix of another's, or be that of a recovered one.
func (f Filter) matches(r run) bool {
	id, _, _ := strings.Cut(r.interaction, recovery.SuccessorMark)
	return (f.ContactCenter == "" || r.contactCenter == f.ContactCenter) &&
		(f.Interaction == "" || r.interaction == f.Interaction || id == f.Interaction)
}

// Auditor audits one namespace.
type Auditor struct {
	Temporal  sdkclient.Client
	Namespace string
	// TaskQueue is where workflows do what is missing; empty is the task queue of the ended
	// workflow.
	TaskQueue string
	Log       log.Logger
}

// taskQueueFor returns the task queue for what a run left undone.
func (a *Auditor) taskQueueFor(started *historypb.WorkflowExecutionStartedEventAttributes) string {
	return cmp.Or(a.TaskQueue, started.GetTaskQueue().GetName())
}

// run is one run of a workflow.
type run struct {
	id, runID                  string
	contactCenter, interaction string
	status                     enumspb.WorkflowExecutionStatus
	startedAt                  time.Time
	problems                   []string
	info                       *workflowpb.WorkflowExecutionInfo
}

func (r run) execution() workflow.Execution { return workflow.Execution{ID: r.id, RunID: r.runID} }

func runOf(info *workflowpb.WorkflowExecutionInfo) run {
	r := run{
		id: info.GetExecution().GetWorkflowId(), runID: info.GetExecution().GetRunId(),
		status: info.GetStatus(), startedAt: info.GetStartTime().AsTime(), info: info,
	}
	if parts := strings.SplitN(r.id, "/", 4); len(parts) >= 3 {
		r.contactCenter, r.interaction = parts[1], parts[2]
	}
	if problems, ok := info.GetSearchAttributes().GetIndexedFields()["TemporalReportedProblems"]; ok {
		// The server writes the problems for people to read and may change their form; another form is ignored.
		_ = converter.GetDefaultDataConverter().FromPayload(problems, &r.problems)
	}
	return r
}

// Find examines the workflows that were ended from outside and returns those that left
// something undone, at most limit. Lanes are first, so that what is fired keeps its order. Find
// calls looked for each workflow. A workflow that cannot be examined is in Found.Failures.
func (a *Auditor) Find(ctx context.Context, f Filter, limit int, looked func()) (Found, error) {
	runs, err := a.list(ctx, f.Query())
	if err != nil {
		return Found{}, err
	}
	// The earliest first: receivers should get requests in their original order.
	slices.SortStableFunc(runs, func(a, b run) int { return a.startedAt.Compare(b.startedAt) })
	var found Found
	for _, lanes := range []bool{true, false} {
		for _, r := range runs {
			if isLane(r.id) != lanes || !f.matches(r) {
				continue
			}
			if len(found.Findings) == limit {
				found.More = true
				return found, nil
			}
			if err := ctx.Err(); err != nil {
				return found, err
			}
			found.Looked++
			todo, err := a.examine(ctx, r)
			switch {
			case err != nil && (ctx.Err() != nil || isUnavailable(err)):
				return found, err
			case err != nil:
				found.Failures = append(found.Failures, Failure{WorkflowID: r.id, RunID: r.runID, Reason: err.Error()})
			case todo != nil:
				found.Findings = append(found.Findings, todo.finding)
			}
			looked()
		}
	}
	return found, nil
}

func isLane(workflowID string) bool { return strings.HasPrefix(workflowID, "delivery/") }

func isUnavailable(err error) bool {
	var unavailable *serviceerror.Unavailable
	return errors.As(err, &unavailable)
}

// repair is a finding and the function that has it done.
type repair struct {
	finding Finding
	fire    func(ctx context.Context) error
}

// examine replays one run and returns what it left undone, or nil.
func (a *Auditor) examine(ctx context.Context, r run) (*repair, error) {
	history, err := replay.Fetch(ctx, a.Temporal, r.execution())
	if err != nil {
		return nil, err
	}
	finding := Finding{
		WorkflowID: r.id, RunID: r.runID, ContactCenter: r.contactCenter, Interaction: r.interaction,
		Ended: strings.ToLower(r.status.String()), Events: []Event{}, Deliveries: []Delivery{},
	}
	ending, _ := recovery.EndingOf(history)
	finding.EndedAt, finding.Reason = ending.At, ending.Reason
	started := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	recalled, err := replay.Recall(history, a.Log)
	if err != nil {
		return nil, fmt.Errorf("its history does not replay with this version: %w", err)
	}
	if left, ok := recalled.Interaction(); ok {
		return a.examineInteraction(ctx, r, finding, left, started)
	}
	if left, ok := recalled.Lane(); ok {
		return a.examineLane(ctx, r, finding, left, started)
	}
	return nil, nil // its start was refused: there was no interaction
}

// Stuck lists the running workflows whose tasks fail repeatedly. They lose nothing, and
// continue once a worker runs that can replay them.
func (a *Auditor) Stuck(ctx context.Context, f Filter) ([]Stuck, error) {
	runs, err := a.list(ctx, f.stuckQuery())
	if err != nil {
		return nil, err
	}
	stuck := []Stuck{}
	for _, r := range runs {
		if f.matches(r) {
			stuck = append(stuck, Stuck{WorkflowID: r.id, RunID: r.runID, Problems: r.problems})
		}
	}
	return stuck, nil
}

// list returns all workflows that match a query.
func (a *Auditor) list(ctx context.Context, query string) ([]run, error) {
	var runs []run
	for page := []byte(nil); ; {
		answer, err := a.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: a.Namespace, Query: query, PageSize: 500, NextPageToken: page,
		})
		if err != nil {
			return nil, fmt.Errorf("list workflows: %w", err)
		}
		for _, info := range answer.GetExecutions() {
			runs = append(runs, runOf(info))
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			return runs, nil
		}
	}
}

// laterRuns returns the runs of a workflow id that started after a run of it. The latest run is
// described in addition, because lists may lack it still.
func (a *Auditor) laterRuns(ctx context.Context, r run) ([]run, error) {
	listed, err := a.list(ctx, fmt.Sprintf("WorkflowId = '%s'", r.id))
	if err != nil {
		return nil, err
	}
	latest, err := a.Temporal.DescribeWorkflowExecution(ctx, r.id, "")
	if err != nil {
		return nil, fmt.Errorf("latest run of %s: %w", r.id, err)
	}
	var later []run
	seen := map[string]bool{r.runID: true}
	for _, other := range append(listed, runOf(latest.GetWorkflowExecutionInfo())) {
		if !seen[other.runID] && !other.startedAt.Before(r.startedAt) {
			seen[other.runID] = true
			later = append(later, other)
		}
	}
	return later, nil
}
