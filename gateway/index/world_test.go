package index_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"segue/client"
	"segue/contract"
	"segue/interaction"
)

// world is the truth: what Temporal has. It answers as a Temporal client.
type world struct {
	sdkclient.Client

	mu           sync.Mutex
	interactions map[string]*truth // by workflow id
	order        []string
	runs         int
	down         bool
	queries      int
	inFlight     int
	most         int
	queryTakes   time.Duration
	stuck        string // the workflow that answers no query
	hideNew      bool   // visibility has none of the open ones
	mute         bool   // no workflow answers queries
	hangs        bool   // Temporal answers nothing
}

type truth struct {
	name    client.Name
	first   string
	run     string
	rev     int64
	state   interaction.State
	agent   string
	running bool
	resets  int
	started time.Time
}

func newWorld() *world {
	return &world{interactions: map[string]*truth{}}
}

func (w *world) newRun() string {
	w.runs++
	return fmt.Sprintf("run-%03d", w.runs)
}

// start starts an interaction, or starts it again, and returns its first notice.
func (w *world) start(n client.Name) *contract.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.interactions[n.WorkflowID()]
	if t == nil {
		t = &truth{name: n, started: time.Now()}
		w.interactions[n.WorkflowID()] = t
		w.order = append(w.order, n.WorkflowID())
	}
	t.run = w.newRun()
	t.first, t.rev, t.state, t.agent, t.running = t.run, 0, interaction.StateQueued, "", true
	return t.changed("start", nil)
}

// change applies a command. renew lets a new run make it, by continue-as-new.
func (w *world) change(n client.Name, agent string, renew bool) *contract.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.interactions[n.WorkflowID()]
	before := t.agents()
	if renew {
		t.run = w.newRun()
	}
	t.state, t.agent = interaction.StateHandling, agent
	return t.changed("accept", before)
}

func (w *world) complete(n client.Name) *contract.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.interactions[n.WorkflowID()]
	before := t.agents()
	t.state, t.agent, t.running = interaction.StateCompleted, "", false
	return t.changed("complete", before)
}

// reset goes back to a revision in a new run, and makes one change from there.
func (w *world) reset(n client.Name, to int64) *contract.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.interactions[n.WorkflowID()]
	t.run, t.rev, t.running, t.state = w.newRun(), to, true, interaction.StateHandling
	t.resets++
	return t.changed("hold", t.agents())
}

// resets counts the resets of an interaction.
func (w *world) resets(n client.Name) (count int) {
	w.with(func() { count = w.interactions[n.WorkflowID()].resets })
	return count
}

func (w *world) terminate(n client.Name) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interactions[n.WorkflowID()].running = false
}

func (w *world) with(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (t *truth) agents() []string {
	if t.agent == "" {
		return nil
	}
	return []string{t.agent}
}

func (t *truth) changed(command string, before []string) *contract.Notice {
	t.rev++
	state := t.current()
	n := &contract.Notice{
		ContactCenter: t.name.ContactCenter, Interaction: t.name.ID, FirstRunID: t.first, RunID: t.run, Revision: t.rev,
		Sequence: t.rev, Command: command, AgentsBefore: before, State: &state,
		Events: []interaction.Event{{Sequence: t.rev, Command: command, Moment: interaction.MomentInteractionStarts}},
	}
	if t.agent != "" {
		n.CapabilitiesFor = map[string][]string{t.agent: {"hold"}}
	}
	return n
}

func (t *truth) current() contract.State {
	s := contract.State{RunID: t.run, Revision: t.rev}
	s.ID, s.ContactCenter, s.State, s.StartedAt, s.Sequence = t.name.ID, t.name.ContactCenter, t.state, t.started, t.rev
	if t.agent != "" {
		s.Participants = []interaction.Participant{{Agent: &interaction.Agent{ID: t.agent}, Role: interaction.ParticipantOwner}}
	}
	return s
}

// open returns "run/revision/agent" of each open interaction.
func (w *world) open() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	open := map[string]string{}
	for _, t := range w.interactions {
		if t.running && t.state != interaction.StateCompleted {
			open[t.name.ID] = fmt.Sprint(t.run, "/", t.rev, "/", t.agents())
		}
	}
	return open
}

type encoded struct{ value any }

func (encoded) HasValue() bool { return true }
func (e encoded) Get(into any) error {
	data, err := json.Marshal(e.value)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (w *world) QueryWorkflow(ctx context.Context, id, _, _ string, args ...any) (converter.EncodedValue, error) {
	w.mu.Lock()
	w.queries++
	w.inFlight++
	w.most = max(w.most, w.inFlight)
	takes := w.queryTakes
	if strings.Contains(id, "silent") || w.mute {
		takes = time.Hour
	}
	w.mu.Unlock()
	defer w.with(func() { w.inFlight-- })
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.interactions[id]
	switch {
	case w.down:
		return nil, serviceerror.NewUnavailable("down")
	case id == w.stuck:
		return nil, serviceerror.NewFailedPrecondition("no poller")
	case t == nil:
		return nil, serviceerror.NewNotFound("none")
	}
	state := t.current()
	if len(args) > 0 && t.agent != "" && args[0].(*contract.StateRequest).Agents {
		state.CapabilitiesFor = map[string][]string{t.agent: {"hold"}}
	}
	return encoded{state}, nil
}

// reach waits forever while Temporal answers nothing.
func (w *world) reach(ctx context.Context) error {
	var hangs bool
	w.with(func() { hangs = w.hangs })
	if !hangs {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (w *world) DescribeWorkflowExecution(ctx context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if err := w.reach(ctx); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.interactions[id]
	switch {
	case w.down:
		return nil, serviceerror.NewUnavailable("down")
	case t == nil:
		return nil, serviceerror.NewNotFound("none")
	}
	info := &workflowpb.WorkflowExecutionInfo{FirstRunId: t.first, Status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED}
	if t.running {
		info.Status = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

func (w *world) ListWorkflow(ctx context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	if err := w.reach(ctx); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		return nil, serviceerror.NewUnavailable("down")
	}
	page := &workflowservice.ListWorkflowExecutionsResponse{}
	if w.hideNew {
		return page, nil
	}
	at := 0
	if len(r.NextPageToken) > 0 {
		if _, err := fmt.Sscan(string(r.NextPageToken), &at); err != nil {
			return nil, err
		}
	}
	for ; at < len(w.order) && len(page.Executions) < int(r.PageSize); at++ {
		if t := w.interactions[w.order[at]]; t.running {
			page.Executions = append(page.Executions, &workflowpb.WorkflowExecutionInfo{
				Execution: &commonpb.WorkflowExecution{WorkflowId: w.order[at], RunId: t.run},
			})
		}
	}
	if at < len(w.order) {
		page.NextPageToken = fmt.Append(nil, at)
	}
	return page, nil
}

// asked counts the queries, and atOnce the most at one time.
func (w *world) asked() (count int) {
	w.with(func() { count = w.queries })
	return count
}

func (w *world) atOnce() (count int) {
	w.with(func() { count = w.most })
	return count
}
