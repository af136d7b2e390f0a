package sequences_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdktemporal "go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"segue/config"
	"segue/contract"
	"segue/worker/host"
)

// gate blocks requests of a worker to the server.
type gate struct {
	mu       sync.Mutex
	fetches  chan struct{} // set: the next fetch of a history waits until it is closed
	answers  chan struct{} // set: the completions of workflow tasks do
	fetching chan struct{} // closed when a fetch waits
	answered chan struct{} // closed when a completion waits
}

func (g *gate) intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	switch request.(type) {
	case *workflowservice.GetWorkflowExecutionHistoryRequest:
		g.wait(&g.fetches, &g.fetching, true)
	case *workflowservice.RespondWorkflowTaskCompletedRequest:
		g.wait(&g.answers, &g.answered, false)
	}
	return invoke(ctx, method, request, reply, conn, options...)
}

func (g *gate) wait(until, waits *chan struct{}, once bool) {
	g.mu.Lock()
	opens := *until
	if opens != nil && *waits != nil {
		close(*waits)
		*waits = nil
	}
	if once {
		*until = nil
	}
	g.mu.Unlock()
	if opens != nil {
		<-opens
	}
}

// close makes the next fetch, or every completion, wait; waits is closed when one does.
func (g *gate) close(until, waits *chan struct{}) (open func(), waiting <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	opens, arrived := make(chan struct{}), make(chan struct{})
	*until, *waits = opens, arrived
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		*until = nil
		close(opens)
	}), arrived
}

// gated is one interaction on a worker in this process, behind a gate.
type gated struct {
	*gate
	t      *testing.T
	client client.Client // not behind the gate
	id     string
}

func newGated(t *testing.T) *gated {
	t.Helper()
	name := nameOf(t)
	set, err := config.Parse("query.yaml", []byte("calls: []\n"))
	require.NoError(t, err)
	g := &gated{gate: &gate{}, t: t, id: contract.InteractionWorkflowID(name, "i1")}
	plugin, err := sdktemporal.NewSimplePlugin(sdktemporal.SimplePluginOptions{
		Name: "gate",
		ConfigureClient: func(_ context.Context, configure client.PluginConfigureClientOptions) error {
			connection := &configure.ClientOptions.ConnectionOptions
			connection.DialOptions = append(connection.DialOptions, grpc.WithChainUnaryInterceptor(g.intercept))
			return nil
		},
	})
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	working, err := dial(t.Context(), temporal.Address, log, plugin)
	require.NoError(t, err)
	t.Cleanup(working.Close)
	ctx, stop := context.WithCancel(t.Context())
	var worker errgroup.Group
	worker.Go(func() error {
		return host.Run(ctx, host.Options{Client: working, TaskQueue: name, Config: config.NewStore(set), Log: log})
	})
	t.Cleanup(func() {
		stop()
		require.NoError(t, worker.Wait())
	})
	g.client, err = dial(t.Context(), temporal.Address, log)
	require.NoError(t, err)
	t.Cleanup(g.client.Close)
	_, err = g.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: g.id, TaskQueue: name}, contract.WorkflowInteraction,
		json.RawMessage(fmt.Sprintf(`{"id":"i1","contact_center":%q,"channel":"inbound"}`, name)))
	require.NoError(t, err)
	return g
}

func (g *gated) state() (status contract.State, err error) {
	value, err := g.client.QueryWorkflow(g.t.Context(), g.id, "", contract.QueryState)
	if err == nil {
		err = value.Get(&status)
	}
	return status, err
}

// signal sends a command and waits until its workflow task is about to be completed.
func (g *gated) signal() (finish func()) {
	g.t.Helper()
	finish, answered := g.close(&g.answers, &g.answered)
	g.t.Cleanup(finish)
	require.NoError(g.t, g.client.SignalWorkflow(g.t.Context(), g.id, "", "dtmf", json.RawMessage(`{"digits":"1"}`)))
	await(g.t, answered, "the signal's task is about to be completed")
	return finish
}

// TestAQueryMeetsARunningTask blocks a query whose worker has evicted the interaction until a workflow task of the
// interaction is in progress: the answer is the state before that task.
func TestAQueryMeetsARunningTask(t *testing.T) {
	g := newGated(t)
	before, err := g.state()
	require.NoError(t, err)

	release, fetching := g.close(&g.fetches, &g.fetching)
	t.Cleanup(release)
	var query errgroup.Group
	var during contract.State
	query.Go(func() (err error) { during, err = g.state(); return err })
	await(t, fetching, "the query's worker fetches the history")
	finish := g.signal()
	release()
	require.NoError(t, query.Wait())
	require.Equal(t, before, during)

	finish()
	after, err := g.state()
	require.NoError(t, err)
	require.Greater(t, after.Sequence, before.Sequence)
}

// TestARunTerminatedWithinATask terminates a run before its task completes: the last state is the one before that
// task.
func TestARunTerminatedWithinATask(t *testing.T) {
	g := newGated(t)
	before, err := g.state()
	require.NoError(t, err)
	finish := g.signal()
	require.NoError(t, g.client.TerminateWorkflow(t.Context(), g.id, "", "a test"))
	finish()
	for range 3 {
		last, err := g.state()
		require.NoError(t, err)
		require.Equal(t, before, last)
	}
}

func await(t *testing.T, event <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(time.Minute):
		require.Fail(t, "waited too long", what)
	}
}
