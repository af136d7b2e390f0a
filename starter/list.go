package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"segue/client"
	"segue/contract"
	"segue/expr"
	"segue/interaction"
)

func (a *app) listCommand() *cobra.Command {
	var f listFilter
	c := &cobra.Command{
		Use:   "list",
		Short: "List interactions",
		Long: `List interactions, newest first. The filters are combined. With --parked, list the lanes (an interaction and a call)
that have parked deliveries instead. Lists lag by up to five seconds. On MySQL the filters ignore case and accents.

An interaction whose workflow was terminated or timed out has no current state: --state does not find it, and the list
shows how the workflow ended and the state at that time. UNDELIVERED of a closed interaction counts the deliveries in its
lanes.

Exit codes: 0 success, even with an empty list; 2 the command line is invalid; 5 Temporal does not answer.`,
		Example: `  segue list --state queued --queue sales
  segue list --undelivered --limit 500 --json | jq -r '.[].id'
  segue list --parked`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			query, err := f.query()
			if err != nil {
				return err
			}
			s, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			entries, err := s.newest(c.Context(), query, f.limit, f.undelivered)
			if err != nil {
				return err
			}
			return a.print(list(entries), func(w io.Writer) error {
				if f.parked {
					return writeLanes(w, entries)
				}
				return writeInteractions(w, entries)
			})
		},
	}
	flags := c.Flags()
	for _, filter := range f.keywords() {
		flags.StringVar(filter.value, filter.flag, "", filter.about)
	}
	flags.BoolVar(&f.undelivered, "undelivered", false, "only interactions with undelivered deliveries")
	flags.BoolVar(&f.parked, "parked", false, "list lanes with parked deliveries instead of interactions")
	flags.IntVar(&f.limit, "limit", 50, "maximum number of entries")
	return c
}

// listFilter selects interactions, or lanes with parked deliveries.
type listFilter struct {
	state, channel, queue, agent, workbin, outcome, contactCenter, id string

	undelivered, parked bool
	limit               int
}

type keywordFilter struct {
	flag, attribute, about string
	value                  *string
}

func (f *listFilter) keywords() []keywordFilter {
	return []keywordFilter{
		{"state", "SegueState", "only interactions in this state, such as queued or handling", &f.state},
		{"channel", "SegueChannel", "only interactions of this channel, such as inbound or chat", &f.channel},
		{"queue", "SegueQueue", "only interactions that wait in this queue, offered or not; with --state, interactions that are or were in it", &f.queue},
		{"agent", "SegueAgents", "only interactions that this agent takes or took part in", &f.agent},
		{"workbin", "SegueWorkbin", "only interactions in this workbin", &f.workbin},
		{"outcome", "SegueOutcome", "only interactions completed with this outcome, such as handled or abandoned", &f.outcome},
		{"contact-center", "SegueContactCenter", "only interactions of this contact center", &f.contactCenter},
		{"id", "SegueInteraction", "only interactions with this id", &f.id},
	}
}

// query returns the filter in Temporal's list language, or an error for a flag that cannot match.
func (f *listFilter) query() (string, error) {
	if f.limit < 1 {
		return "", usage("--limit %d: use 1 or more", f.limit)
	}
	kind := contract.WorkflowInteraction
	if f.parked {
		kind = contract.WorkflowDelivery
	}
	for _, closed := range []struct {
		flag, value string
		known       []string
	}{
		{"state", f.state, texts(interaction.States())}, {"channel", f.channel, texts(interaction.Channels())}, {"outcome", f.outcome, texts(interaction.Outcomes())},
	} {
		if closed.value != "" && !slices.Contains(closed.known, closed.value) {
			return "", usage("--%s %q does not exist; %s", closed.flag, closed.value, expr.Suggest(closed.value, closed.known))
		}
	}
	// A run that continued as new is the same interaction as the next one.
	conditions := []string{"WorkflowType = '" + kind + "'", "ExecutionStatus != 'ContinuedAsNew'"}
	if !f.parked && f.queue != "" && f.state == "" {
		conditions = append(conditions, fmt.Sprintf("SegueState IN ('%s', '%s')", interaction.StateQueued, interaction.StateOffered))
	}
	if f.parked || f.queue != "" && f.state == "" || f.state != "" && f.state != string(interaction.StateCompleted) {
		// A terminated workflow keeps its attributes.
		conditions = append(conditions, "ExecutionStatus = 'Running'")
	}
	for _, keyword := range f.keywords() {
		if !client.CanFind(*keyword.value) {
			return "", usage("--%s %q: Temporal's list language cannot match a double quote, a backslash, or a quote at the beginning or end; leave the filter out",
				keyword.flag, *keyword.value)
		}
		if *keyword.value != "" {
			conditions = append(conditions, client.Equals(keyword.attribute, *keyword.value))
		}
	}
	for attribute, wanted := range map[string]bool{"SegueUndelivered": f.undelivered, "SegueParked": f.parked} {
		if wanted {
			conditions = append(conditions, attribute+" > 0")
		}
	}
	return strings.Join(conditions, " AND "), nil
}

func texts[T ~string](names []T) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = string(name)
	}
	return list
}

// listEntry is one workflow of a list. `list --json` prints it.
type listEntry struct {
	WorkflowID    string `json:"workflow_id"`
	RunID         string `json:"run_id"`
	ContactCenter string `json:"contact_center"`
	ID            string `json:"id"`
	// Receiver is the receiver of a lane of alerts, which has no interaction.
	Receiver    string     `json:"receiver,omitempty"`
	Call        string     `json:"call,omitempty"`
	Channel     string     `json:"channel,omitempty"`
	State       string     `json:"state,omitempty"`
	Outcome     string     `json:"outcome,omitempty"`
	Queue       string     `json:"queue,omitempty"`
	Workbin     string     `json:"workbin,omitempty"`
	Agent       string     `json:"agent,omitempty"`
	Undelivered int64      `json:"undelivered"`
	Parked      int64      `json:"parked"`
	Workflow    string     `json:"workflow"`
	StartedAt   time.Time  `json:"started_at"`
	ClosedAt    *time.Time `json:"closed_at,omitempty"`
}

func entryOf(info *workflowpb.WorkflowExecutionInfo) listEntry {
	e := listEntry{
		WorkflowID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId(),
		Workflow: statusName(info.GetStatus()), StartedAt: info.GetStartTime().AsTime(),
	}
	if info.GetCloseTime() != nil {
		closed := info.GetCloseTime().AsTime()
		e.ClosedAt = &closed
	}
	fields := info.GetSearchAttributes().GetIndexedFields()
	for name, into := range map[string]any{
		"SegueContactCenter": &e.ContactCenter, "SegueInteraction": &e.ID, "SegueCall": &e.Call, "SegueChannel": &e.Channel,
		"SegueState": &e.State, "SegueOutcome": &e.Outcome, "SegueQueue": &e.Queue, "SegueWorkbin": &e.Workbin, "SegueAgent": &e.Agent,
		"SegueUndelivered": &e.Undelivered, "SegueParked": &e.Parked,
	} {
		if payload, ok := fields[name]; ok {
			// An attribute that another program wrote with another type stays empty.
			_ = converter.GetDefaultDataConverter().FromPayload(payload, into)
		}
	}
	if receiver, ok := contract.AlertReceiver(e.WorkflowID); ok {
		e.Receiver = receiver
	} else if parts := strings.SplitN(e.WorkflowID, "/", 4); e.ID == "" && len(parts) >= 3 {
		// The search attributes are set in the workflow's first task.
		e.ContactCenter, e.ID = parts[1], parts[2]
	}
	return e
}

// wasEndedFromOutside reports whether a workflow with this status was ended from outside. Its attributes then show its
// state at that time.
func wasEndedFromOutside(workflow string) bool {
	return workflow == "terminated" || workflow == "timedout" || workflow == "failed" || workflow == "canceled"
}

// shownState returns the state, and how the workflow ended if it was ended from outside.
func (e listEntry) shownState() string {
	if wasEndedFromOutside(e.Workflow) && e.State != string(interaction.StateCompleted) {
		return strings.TrimSpace(e.Workflow + " " + parenthesized(e.State))
	}
	return e.State
}

func parenthesized(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

func statusName(status enumspb.WorkflowExecutionStatus) string {
	return strings.ToLower(status.String())
}

func writeInteractions(w io.Writer, entries []listEntry) error {
	rows := [][]string{{"INTERACTION", "CHANNEL", "STATE", "OUTCOME", "QUEUE", "AGENT", "UNDELIVERED", "STARTED"}}
	for _, e := range entries {
		rows = append(rows, []string{
			e.ContactCenter + "/" + e.ID, e.Channel, e.shownState(), e.Outcome, e.Queue, e.Agent,
			fmt.Sprint(e.Undelivered), e.StartedAt.Local().Format(time.DateTime),
		})
	}
	return table(w, rows)
}

// laneOwner names the interaction of a lane, or the receiver of a lane of alerts.
func laneOwner(contactCenter, id, receiver string) string {
	if receiver != "" {
		return "alerts of " + receiver
	}
	return contactCenter + "/" + id
}

func writeLanes(w io.Writer, entries []listEntry) error {
	rows := [][]string{{"INTERACTION", "CALL", "PARKED", "SINCE", "WORKFLOW"}}
	for _, e := range entries {
		rows = append(rows, []string{
			laneOwner(e.ContactCenter, e.ID, e.Receiver), e.Call, fmt.Sprint(e.Parked), e.StartedAt.Local().Format(time.DateTime), e.WorkflowID,
		})
	}
	return table(w, rows)
}

// pageSize is the maximum number of workflows in one page of a list.
const pageSize = 500

func (s *session) request(query string, limit int, page []byte) *workflowservice.ListWorkflowExecutionsRequest {
	return &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: s.settings.Namespace, Query: query, PageSize: int32(min(limit, pageSize)), NextPageToken: page,
	}
}
