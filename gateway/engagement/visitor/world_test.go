package visitor_test

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

const center = "cc"

// world is what Temporal has: interactions, with the rules of the domain. It answers as a Temporal client.
type world struct {
	sdkclient.Client

	mu           sync.Mutex
	interactions map[string]*truth // by workflow id
	runs         int
	queries      int
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

func newWorld() *world { return &world{interactions: map[string]*truth{}} }

func (w *world) setDown(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

func named(id string) client.Name { return client.Name{ContactCenter: center, ID: id} }

func (w *world) newRun() string {
	w.runs++
	return fmt.Sprintf("run-%03d", w.runs)
}

// start starts an interaction, or starts it again, and returns its first notice.
func (w *world) start(id, payload string) *contract.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	start, err := interaction.DecodeStart([]byte(`{"id":"` + id + `","contact_center":"` + center + `",` + payload[1:]))
	if err != nil {
		panic(err)
	}
	inner, effect, err := interaction.Open(start, time.Now())
	if err != nil {
		panic(err)
	}
	t := &truth{name: named(id), inner: inner, run: w.newRun(), running: true}
	t.first = t.run
	w.interactions[t.name.WorkflowID()] = t
	return t.changed("start", interaction.Envelope{}, effect.Turn.Events)
}

// do applies a command; nil if it is refused.
func (w *world) do(id, command, payload string) *contract.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.interactions[named(id).WorkflowID()]
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

// must is do for a command that is legal.
func (w *world) must(id, command, payload string) *contract.Notice {
	n := w.do(id, command, payload)
	if n == nil {
		panic(command + " is refused")
	}
	return n
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

func (w *world) QueryWorkflow(ctx context.Context, id, _, _ string, args ...any) (converter.EncodedValue, error) {
	w.mu.Lock()
	w.queries++
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

func (w *world) query(id string, args []any) (converter.EncodedValue, error) {
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

func (w *world) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
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

func (w *world) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
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
