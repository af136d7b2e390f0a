package board_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.uber.org/goleak"

	"segue/bus/bustest"
	"segue/client"
	"segue/config"
	"segue/contract"
	"segue/gateway/board"
	"segue/gateway/index"
	"segue/interaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const cc = "acme"

// world has interactions, the stream of their notices, and replicas with boards. It answers as a Temporal
// client.
type world struct {
	sdkclient.Client
	t      *testing.T
	store  *config.Store
	stream *bustest.Stream

	mu           sync.Mutex
	interactions map[string]*open // by workflow id
	// loses makes the stream lose what is published, and strips makes notices have no state.
	loses, strips bool
	queries       int
}

type open struct {
	i     *interaction.Interaction
	name  client.Name
	rev   int64
	run   string
	first string
}

// inWorld runs a test in a bubble of its own time, with a board that runs.
func inWorld(t *testing.T, text string, test func(w *world, b *board.Board)) {
	set, err := config.Parse("f.yaml", []byte(text))
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, store: config.NewStore(set), stream: bustest.New(), interactions: map[string]*open{}}
		b, stop := w.replica()
		defer stop()
		test(w, b)
	})
}

// replica starts a replica and its board.
func (w *world) replica() (*board.Board, func()) {
	c := &client.Client{Temporal: w}
	x := index.New(index.Options{Client: c, Bus: w.stream, Log: slog.New(slog.DiscardHandler)})
	b := board.New(board.Options{Config: w.store, Client: c, Index: x})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { require.NoError(w.t, x.Run(ctx)) })
	running.Go(func() { require.NoError(w.t, b.Run(ctx)) })
	time.Sleep(2 * time.Second) // of the bubble's time
	return b, func() {
		cancel()
		running.Wait()
	}
}

// start starts an interaction on a channel.
func (w *world) start(id string, channel interaction.Channel) {
	w.t.Helper()
	n := client.Name{ContactCenter: cc, ID: id}
	i, effect, err := interaction.Open(interaction.Start{ID: id, ContactCenter: cc, Channel: channel}, time.Now())
	require.NoError(w.t, err)
	w.mu.Lock()
	defer w.mu.Unlock()
	run := fmt.Sprintf("%s-run-%d", id, time.Now().UnixNano())
	o := &open{i: i, name: n, run: run, first: run}
	w.interactions[n.WorkflowID()] = o
	w.publish(o, "start", effect, nil)
}

// do gives a command.
func (w *world) do(id, command, payload string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.interactions[client.Name{ContactCenter: cc, ID: id}.WorkflowID()]
	c, err := interaction.Decode(command, []byte(payload))
	require.NoError(w.t, err)
	before := o.i.Present()
	effect, err := o.i.Apply(c, time.Now())
	require.NoError(w.t, err, "%s %s", id, command)
	w.publish(o, command, effect, before)
}

func (o *open) state() contract.State {
	return contract.State{Status: o.i.Status(), RunID: o.run, Revision: o.rev}
}

func (w *world) publish(o *open, command string, effect interaction.Effect, before []string) {
	o.rev++
	state := o.state()
	n := &contract.Notice{
		ContactCenter: o.name.ContactCenter, Interaction: o.name.ID, FirstRunID: o.first, RunID: o.run, Revision: o.rev, Sequence: state.Sequence,
		Command: command, Events: effect.Turn.Events, AgentsBefore: before, State: &state,
	}
	if w.strips {
		n.State = nil
	}
	if !w.loses {
		w.stream.Publish(n)
	}
}

func (w *world) with(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
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

func (w *world) QueryWorkflow(_ context.Context, id, _, _ string, _ ...any) (converter.EncodedValue, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queries++
	o := w.interactions[id]
	if o == nil {
		return nil, serviceerror.NewNotFound("none")
	}
	return encoded{o.state()}, nil
}

func (w *world) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.interactions[id]
	if o == nil {
		return nil, serviceerror.NewNotFound("none")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{FirstRunId: o.first}}, nil
}

func (w *world) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := &workflowservice.ListWorkflowExecutionsResponse{}
	for id, o := range w.interactions {
		if !o.i.Completed() {
			page.Executions = append(page.Executions, &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: o.run}})
		}
	}
	return page, nil
}

// queue returns the figures of a queue once the board has all that was published.
func (w *world) queue(b *board.Board, name string) board.Queue {
	w.t.Helper()
	synctest.Wait()
	for _, q := range b.Queues(cc) {
		if q.Name == name {
			return q
		}
	}
	return board.Queue{}
}

// agent returns what an agent does.
func (w *world) agent(b *board.Board, id string) *board.Agent {
	w.t.Helper()
	synctest.Wait()
	for _, a := range b.Agents(cc) {
		if a.ID == id {
			return &a
		}
	}
	return nil
}

// pass lets time pass.
func pass(d time.Duration) { time.Sleep(d) }
