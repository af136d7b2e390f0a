package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
)

// ErrQuery reports that Temporal refuses a query in its list language, or the place in a list.
var ErrQuery = errors.New("the list query is not accepted")

// Listed is one workflow of an interaction or lane, as Temporal lists it. Lists lag by up to five
// seconds.
type Listed struct {
	Name
	WorkflowID, RunID string
	// Receiver is the receiver of a lane of alerts, which has no interaction.
	Receiver                                             string
	Call, Channel, State, Outcome, Queue, Workbin, Agent string
	// Agents have or had a leg, as far as they fit into a search attribute.
	Agents              []string
	Undelivered, Parked int64
	// Workflow is the status of the workflow: running, completed, terminated, timedout, failed or
	// canceled.
	Workflow string
	// StartedAt is the start of the workflow's last run.
	StartedAt time.Time
	// ClosedAt is nil while the workflow runs.
	ClosedAt *time.Time
}

// ListPage lists the workflows that match a query in Temporal's list language, at most size, from a
// page on. Open workflows come first, the newest first, then the closed ones, the last closed first.
// ListPage returns the next page; it is empty after the last one.
func (c *Client) ListPage(ctx context.Context, query string, size int, page []byte) (rows []Listed, next []byte, err error) {
	var answer *workflowservice.ListWorkflowExecutionsResponse
	err = c.retry(ctx, func() (err error) {
		answer, err = c.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: int32(size), NextPageToken: page})
		return markOutage(ctx, err)
	})
	if err != nil {
		return nil, nil, c.listError(ctx, err)
	}
	rows = make([]Listed, 0, len(answer.GetExecutions()))
	for _, info := range answer.GetExecutions() {
		rows = append(rows, ListedOf(info))
	}
	return rows, answer.GetNextPageToken(), nil
}

func (c *Client) listError(ctx context.Context, err error) error {
	var invalid *serviceerror.InvalidArgument
	if errors.As(err, &invalid) && !lacksAttribute(err) {
		return fmt.Errorf("%w: %w", ErrQuery, err)
	}
	if timedOut(err) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return fmt.Errorf("list: %w", c.classify(ctx, Name{}, err))
}

// lanePage is how many lanes Lanes lists at once.
const lanePage = 500

// Lanes calls visit for each lane that matches a query in Temporal's list language, until visit
// returns an error, which Lanes returns.
func (c *Client) Lanes(ctx context.Context, query string, visit func(Lane) error) error {
	for page := []byte(nil); ; {
		rows, next, err := c.ListPage(ctx, query, lanePage, page)
		if err != nil {
			return err
		}
		for _, row := range rows {
			lane := Lane{Name: row.Name, Receiver: row.Receiver, Call: row.Call, WorkflowID: row.WorkflowID}
			if row.ClosedAt != nil {
				lane.RunID = row.RunID
			}
			if err := visit(lane); err != nil {
				return err
			}
		}
		if page = next; len(page) == 0 {
			return nil
		}
	}
}

// Involved returns the agents who have or had a leg in an interaction, as far as they fit into a
// search attribute. It returns ErrNotFound if the interaction does not exist.
func (c *Client) Involved(ctx context.Context, n Name) ([]string, error) {
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, n.WorkflowID(), "")
	if err != nil {
		return nil, c.classify(ctx, n, err)
	}
	return ListedOf(described.GetWorkflowExecutionInfo()).Agents, nil
}

// ListedOf returns a workflow as a list of Temporal has it.
func ListedOf(info *workflowpb.WorkflowExecutionInfo) Listed {
	l := Listed{
		WorkflowID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId(),
		Workflow: strings.ToLower(info.GetStatus().String()), StartedAt: info.GetStartTime().AsTime(),
	}
	if info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING && info.GetCloseTime() != nil {
		closed := info.GetCloseTime().AsTime()
		l.ClosedAt = &closed
	}
	fields := info.GetSearchAttributes().GetIndexedFields()
	for _, attribute := range []struct {
		key  temporal.SearchAttributeKey
		into any
	}{
		{contract.AttributeContactCenter, &l.ContactCenter}, {contract.AttributeInteraction, &l.ID}, {contract.AttributeCall, &l.Call},
		{contract.AttributeChannel, &l.Channel}, {contract.AttributeState, &l.State}, {contract.AttributeOutcome, &l.Outcome},
		{contract.AttributeQueue, &l.Queue}, {contract.AttributeWorkbin, &l.Workbin}, {contract.AttributeAgent, &l.Agent},
		{contract.AttributeAgents, &l.Agents},
		{contract.AttributeUndelivered, &l.Undelivered}, {contract.AttributeParked, &l.Parked},
	} {
		if payload, ok := fields[attribute.key.GetName()]; ok {
			// An attribute that another program wrote with another type stays empty.
			_ = converter.GetDefaultDataConverter().FromPayload(payload, attribute.into)
		}
	}
	if receiver, ok := contract.AlertReceiver(l.WorkflowID); ok {
		l.Receiver = receiver
	} else if parts := strings.SplitN(l.WorkflowID, "/", 4); l.ID == "" && len(parts) >= 3 {
		// The search attributes may be set in the workflow's first task.
		l.ContactCenter, l.ID = parts[1], parts[2]
	}
	return l
}

// Had reports whether an agent has or had a leg in the listed interaction.
func (l Listed) Had(agent string) bool { return slices.Contains(l.Agents, contract.Keyword(agent)) }
