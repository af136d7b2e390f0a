package indextest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

// Center is the contact Center of all interactions.
const Center = "cc"

// World is what Temporal has: interactions, with the rules of the domain. It answers as a Temporal client, and is safe
// for concurrent use.
type World struct {
	sdkclient.Client

	mu           sync.Mutex
	interactions map[string]*truth // by workflow id
	runs         int
	takes        time.Duration
	down         bool
}

type truth struct {
	name       client.Name
	inner      *interaction.Interaction
	first, run string
	revision   int64
	agents     []string
	running    bool
	// saved are the interaction's former states, for resets.
	saved [][]byte
}

// New returns a world without interactions.
func New() *World { return &World{interactions: map[string]*truth{}} }

// Named returns the name of an interaction.
func Named(id string) client.Name { return client.Name{ContactCenter: Center, ID: id} }

// SetDown lets queries fail, or succeed again.
func (w *World) SetDown(down bool) { w.with(func() { w.down = down }) }

// SetTakes makes a query take some time.
func (w *World) SetTakes(takes time.Duration) { w.with(func() { w.takes = takes }) }

// Exists reports whether an interaction was ever started, and whether its workflow runs.
func (w *World) Exists(id string) (exists, running bool) {
	w.with(func() {
		t := w.interactions[Named(id).WorkflowID()]
		exists = t != nil
		running = exists && t.running
	})
	return exists, running
}

func (w *World) with(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *World) newRun() string {
	w.runs++
	return fmt.Sprintf("run-%03d", w.runs)
}

// Start starts an interaction, or starts it again, and returns its first notice.
func (w *World) Start(id, payload string) *contract.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	start, err := interaction.DecodeStart([]byte(`{"id":"` + id + `","contact_center":"` + Center + `",` + payload[1:]))
	if err != nil {
		panic(err)
	}
	inner, effect, err := interaction.Open(start, time.Now())
	if err != nil {
		panic(err)
	}
	t := &truth{name: Named(id), inner: inner, run: w.newRun(), running: true}
	t.first = t.run
	w.interactions[t.name.WorkflowID()] = t
	return t.changed("start", interaction.Envelope{}, effect.Turn.Events)
}

// Do applies a command; nil if it is refused.
func (w *World) Do(id, command, payload string) *contract.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.interactions[Named(id).WorkflowID()]
	cmd, err := interaction.Decode(command, []byte(payload))
	if err != nil {
		panic(err)
	}
	effect, err := t.inner.Apply(cmd, time.Now())
	if err != nil {
		return nil
	}
	return t.changed(command, cmd.Envelope, effect.Turn.Events)
}

// Must is Do for a command that is legal.
func (w *World) Must(id, command, payload string) *contract.Notice {
	n := w.Do(id, command, payload)
	if n == nil {
		panic(command + " is refused")
	}
	return n
}

// Renew continues an interaction as new.
func (w *World) Renew(id string) {
	w.with(func() { w.interactions[Named(id).WorkflowID()].run = w.newRun() })
}

// Reset goes back some revisions in a new run. What follows is the first notice of that run.
func (w *World) Reset(id string, back int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.interactions[Named(id).WorkflowID()]
	to := int(t.revision) - back
	if to < 1 {
		return false
	}
	var inner interaction.Interaction
	if err := json.Unmarshal(t.saved[to-1], &inner); err != nil {
		panic(err)
	}
	t.inner, t.run, t.revision, t.running, t.saved = &inner, w.newRun(), int64(to), true, t.saved[:to]
	t.agents = inner.Present()
	return true
}

// Terminate ends an interaction without a notice.
func (w *World) Terminate(id string) {
	w.with(func() { w.interactions[Named(id).WorkflowID()].running = false })
}

// State returns the state of an interaction, and the capabilities of its agents.
func (w *World) State(id string) (state contract.State, capabilities map[string][]string) {
	w.with(func() {
		t := w.interactions[Named(id).WorkflowID()]
		state, capabilities = t.state(), t.capabilities()
	})
	return state, capabilities
}

func (t *truth) changed(command string, e interaction.Envelope, events []interaction.Event) *contract.Notice {
	t.revision++
	before := t.agents
	t.agents = t.inner.Present()
	t.running = t.running && !t.inner.Completed()
	saved, err := json.Marshal(t.inner)
	if err != nil {
		panic(err)
	}
	t.saved = append(t.saved, saved)
	state := t.state()
	return &contract.Notice{
		ContactCenter: t.name.ContactCenter, Interaction: t.name.ID, FirstRunID: t.first, RunID: t.run, Revision: t.revision,
		Sequence: state.Sequence, Command: command, EventID: e.EventID, By: e.By, Events: events, AgentsBefore: before,
		CapabilitiesFor: t.capabilities(), State: &state,
	}
}

func (t *truth) state() contract.State {
	return contract.State{Status: t.inner.Status(), RunID: t.run, Revision: t.revision}
}

func (t *truth) capabilities() map[string][]string {
	capabilities := map[string][]string{}
	for _, agent := range t.inner.Present() {
		capabilities[agent] = t.inner.CapabilitiesFor(interaction.Actor{ID: agent, Role: interaction.RoleAgent})
	}
	return capabilities
}

type encoded []byte

func (encoded) HasValue() bool       { return true }
func (e encoded) Get(into any) error { return json.Unmarshal(e, into) }

// QueryWorkflow answers as a Temporal client.
func (w *World) QueryWorkflow(ctx context.Context, id, _, _ string, args ...any) (converter.EncodedValue, error) {
	w.mu.Lock()
	takes := w.takes
	answer, err := w.query(id, args)
	w.mu.Unlock()
	select {
	case <-time.After(takes):
		return answer, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *World) query(id string, args []any) (converter.EncodedValue, error) {
	t := w.interactions[id]
	switch {
	case w.down:
		return nil, serviceerror.NewUnavailable("down")
	case t == nil:
		return nil, serviceerror.NewNotFound("none")
	}
	state := t.state()
	if len(args) > 0 && args[0].(*contract.StateRequest).Agents {
		state.CapabilitiesFor = t.capabilities()
	}
	data, err := json.Marshal(state)
	return encoded(data), err
}

// DescribeWorkflowExecution answers as a Temporal client.
func (w *World) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.interactions[id]
	if t == nil {
		return nil, serviceerror.NewNotFound("none")
	}
	info := &workflowpb.WorkflowExecutionInfo{FirstRunId: t.first, Status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED}
	if t.running {
		info.Status = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

// ListWorkflow answers as a Temporal client.
func (w *World) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := &workflowservice.ListWorkflowExecutionsResponse{}
	for id, t := range w.interactions {
		if t.running {
			page.Executions = append(page.Executions, &workflowpb.WorkflowExecutionInfo{
				Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: t.run},
			})
		}
	}
	slices.SortFunc(page.Executions, func(a, b *workflowpb.WorkflowExecutionInfo) int {
		if a.Execution.WorkflowId < b.Execution.WorkflowId {
			return -1
		}
		return 1
	})
	return page, nil
}
