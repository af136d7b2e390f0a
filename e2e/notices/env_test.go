package notices_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdktemporal "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"segue/client"
	"segue/config"
	"segue/connect"
	"segue/contract"
	"segue/worker/host"
	"segue/workflows"
)

const (
	patience  = time.Minute
	pollEvery = 20 * time.Millisecond
)

// sink records what a worker publishes. As a publisher does, it encodes notices in other goroutines.
type sink struct {
	mu       sync.Mutex
	notices  []*contract.Notice // decoded; nil until then
	dues     []contract.Due
	encoding sync.WaitGroup
	err      error
}

func (s *sink) Publish(n *contract.Notice) {
	s.mu.Lock()
	place := len(s.notices)
	s.notices = append(s.notices, nil)
	s.mu.Unlock()
	s.encoding.Go(func() {
		var decoded contract.Notice
		text, err := json.Marshal(n)
		if err == nil {
			err = json.Unmarshal(text, &decoded)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.notices[place], s.err = &decoded, err
	})
}

func (s *sink) Due(d contract.Due) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dues = append(s.dues, d)
}

// faults are what happens to the requests of a worker, and its code.
type faults struct {
	interceptor.WorkerInterceptorBase
	// lose is how many answers to completions are lost after the server has taken them.
	lose atomic.Int64
	// panics is how often workflow code panics when it is about to dispatch.
	panics atomic.Int64
	// delay is how long each Dispatch takes.
	delay atomic.Int64
	// blocked completions wait until it is closed.
	blocked atomic.Pointer[chan struct{}]
	waiting atomic.Int64

	completed, heartbeats, refused, failed atomic.Int64
}

func (f *faults) intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	completion, ok := request.(*workflowservice.RespondWorkflowTaskCompletedRequest)
	if _, failure := request.(*workflowservice.RespondWorkflowTaskFailedRequest); failure {
		f.failed.Add(1)
	}
	if !ok {
		return invoke(ctx, method, request, reply, conn, options...)
	}
	if gate := f.blocked.Load(); gate != nil {
		f.waiting.Add(1)
		<-*gate
	}
	if err := invoke(ctx, method, request, reply, conn, options...); err != nil {
		f.refused.Add(1)
		return err
	}
	f.completed.Add(1)
	if completion.GetForceCreateNewWorkflowTask() {
		f.heartbeats.Add(1)
	}
	if f.lose.Add(-1) >= 0 {
		return status.Error(codes.Unavailable, "the answer was lost")
	}
	return nil
}

// InterceptWorkflow makes workflow code panic in a task that has made changes.
func (f *faults) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	run := &panicking{faults: f}
	run.Next = next
	return run
}

// InterceptActivity delays Dispatch.
func (f *faults) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	slow := &slowActivity{faults: f}
	slow.Next = next
	return slow
}

type slowActivity struct {
	interceptor.ActivityInboundInterceptorBase
	faults *faults
}

func (s *slowActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	time.Sleep(time.Duration(s.faults.delay.Load()))
	return s.Next.ExecuteActivity(ctx, in)
}

type panicking struct {
	interceptor.WorkflowInboundInterceptorBase
	faults *faults
}

func (p *panicking) Init(next interceptor.WorkflowOutboundInterceptor) error {
	out := &panickingOut{faults: p.faults}
	out.Next = next
	return p.Next.Init(out)
}

type panickingOut struct {
	interceptor.WorkflowOutboundInterceptorBase
	faults *faults
}

func (p *panickingOut) ExecuteLocalActivity(ctx workflow.Context, name string, arguments ...any) workflow.Future {
	if !p.IsReplaying(ctx) && p.faults.panics.Add(-1) >= 0 {
		panic("a test")
	}
	return p.Next.ExecuteLocalActivity(ctx, name, arguments...)
}

// env is the task queue and the contact center of one test.
type env struct {
	t    *testing.T
	name string
	yaml string
	sink sink
	*client.Client
	slow        atomic.Int64 // how long the receiver takes
	told        atomic.Int64 // requests to the receiver; each answer changes user data
	stops       []func()     // end the workers of this process
	stopProcess func() error
}

func newEnv(t *testing.T) *env {
	t.Helper()
	t.Parallel()
	e := &env{t: t, name: fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano())}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Duration(e.slow.Load())) // a slow receiver
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"told":"%d"}`, e.told.Add(1))
	}))
	t.Cleanup(receiver.Close)
	e.yaml = fmt.Sprintf(`
calls:
  - {name: tell, method: POST, url: %q, json: {id: "${interaction.id}"}, returns: [{from: told, to: told}], limits: {concurrency: 0}}
triggers:
  - {when: inbound.dtmf, call: tell}
timeouts: {default: {offer: 300ms, queue: 700ms, wrap_up: 200ms, lifetime: 1h, late_events: 400ms}}
`, receiver.URL)
	_, err := config.Parse("notices.yaml", []byte(e.yaml))
	require.NoError(t, err)
	plugin, err := workflows.NewPlugin()
	require.NoError(t, err)
	temporalClient, err := connect.Dial(t.Context(), connect.Settings{Address: temporal.Address}, slog.New(slog.DiscardHandler), plugin)
	require.NoError(t, err)
	t.Cleanup(temporalClient.Close)
	e.Client = &client.Client{Temporal: temporalClient, TaskQueue: e.name}
	return e
}

// startWorker runs a worker in this process until stop, or until the test ends.
func (e *env) startWorker() (f *faults, stop func()) {
	e.t.Helper()
	f = &faults{}
	plugin, err := workflows.NewPlugin(workflows.WithNotices(&e.sink))
	require.NoError(e.t, err)
	broken, err := sdktemporal.NewSimplePlugin(sdktemporal.SimplePluginOptions{
		Name: "faults", WorkerInterceptors: []interceptor.WorkerInterceptor{f},
		ConfigureClient: func(_ context.Context, configure sdkclient.PluginConfigureClientOptions) error {
			connection := &configure.ClientOptions.ConnectionOptions
			connection.DialOptions = append(connection.DialOptions, grpc.WithChainUnaryInterceptor(f.intercept))
			return nil
		},
	})
	require.NoError(e.t, err)
	set, err := config.Parse("notices.yaml", []byte(e.yaml))
	require.NoError(e.t, err)
	log := slog.New(slog.DiscardHandler)
	working, err := connect.Dial(context.Background(), connect.Settings{Address: temporal.Address}, log, plugin, broken)
	require.NoError(e.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var worker errgroup.Group
	worker.Go(func() error {
		return host.Run(ctx, host.Options{
			Client: working, TaskQueue: e.name, Config: config.NewStore(set), Log: log, Allow: []string{"127.0.0.0/8"},
		})
	})
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(e.t, worker.Wait())
		working.Close()
	})
	e.t.Cleanup(stop)
	e.stops = append(e.stops, stop)
	return f, stop
}

func (e *env) interaction(id string) client.Name {
	return client.Name{ContactCenter: e.name, ID: id}
}

// start starts an inbound call.
func (e *env) start(id string) client.Name {
	e.t.Helper()
	n := e.interaction(id)
	_, err := e.Start(e.t.Context(), n, fmt.Appendf(nil, `{"id":%q,"contact_center":%q,"channel":"inbound"}`, id, e.name), false)
	require.NoError(e.t, err)
	return n
}

// startWith starts a call whose workflow tasks time out sooner than usual.
func (e *env) startWith(id string, taskTimeout time.Duration) client.Name {
	e.t.Helper()
	n := e.interaction(id)
	_, err := e.Temporal.ExecuteWorkflow(e.t.Context(), sdkclient.StartWorkflowOptions{
		ID: n.WorkflowID(), TaskQueue: e.name, WorkflowTaskTimeout: taskTimeout,
	}, contract.WorkflowInteraction, json.RawMessage(fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":"inbound"}`, id, e.name)))
	require.NoError(e.t, err)
	return n
}

func (e *env) signal(n client.Name, command, payload string) {
	e.t.Helper()
	require.NoError(e.t, e.Signal(e.t.Context(), n, command, json.RawMessage(payload)))
}

func (e *env) update(n client.Name, command, payload string) contract.Answer {
	e.t.Helper()
	answer, err := e.Update(e.t.Context(), n, command, "", json.RawMessage(payload))
	require.NoError(e.t, err)
	return answer
}

// finish ends an interaction and waits for the end of its run.
func (e *env) finish(names ...client.Name) {
	e.t.Helper()
	for _, n := range names {
		if err := e.Temporal.CancelWorkflow(e.t.Context(), n.WorkflowID(), ""); err != nil && !isOver(err) {
			require.NoError(e.t, err)
		}
	}
	for _, n := range names {
		require.NoError(e.t, e.Temporal.GetWorkflow(e.t.Context(), n.WorkflowID(), "").Get(e.t.Context(), nil))
	}
}
