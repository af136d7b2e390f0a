package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/client"
	"segue/contract"
	"segue/e2e/stack"
	"segue/gateway/index"
	"segue/interaction"
	"segue/worker/local"
)

// temporal is the server with its worker that all tests share. Each test has a bus of its own.
var temporal *stack.Stack

func TestMain(m *testing.M) { stack.Main(m, stack.Options{WithoutBus: true}, prepare) }

func prepare(s *stack.Stack) error {
	temporal = s
	store, err := stack.Parse("timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 0s, late_events: 0s}}\n")
	if err != nil {
		return err
	}
	_, err = s.StartWorker(local.WorkerOptions{Config: store})
	return err
}

// env is a bus with two gateway replicas. The test publishes the notices, so that it can lose them.
type env struct {
	*testing.T
	address  string
	server   *server.Server
	tells    *bus.Publisher
	replicas [2]*index.Index
	center   string
}

func newEnv(t *testing.T) *env {
	e := &env{T: t, address: freeAddress(t), center: fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano())}
	e.startBus()
	t.Cleanup(e.stopBus)
	conn := e.connect(bus.Options{})
	e.tells = bus.NewPublisher(conn)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, e.tells.Close(ctx))
	})
	for i := range e.replicas {
		e.replicas[i] = e.replica()
	}
	for _, x := range e.replicas {
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			require.Equal(t, index.Health{Complete: true, Caught: true, Open: x.Health().Open}, x.Health())
		}, time.Minute, 20*time.Millisecond)
	}
	return e
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	return listener.Addr().String()
}

// startBus starts a NATS server, as an operator does.
func (e *env) startBus() {
	e.Helper()
	host, port, err := net.SplitHostPort(e.address)
	require.NoError(e, err)
	number, err := strconv.Atoi(port)
	require.NoError(e, err)
	e.server, err = server.NewServer(&server.Options{
		ServerName: "live", Host: host, Port: number, NoSigs: true, JetStream: true, StoreDir: e.TempDir(),
	})
	require.NoError(e, err)
	e.server.Start()
	require.True(e, e.server.ReadyForConnections(10*time.Second))
}

func (e *env) stopBus() {
	e.server.Shutdown()
	e.server.WaitForShutdown()
}

func (e *env) connect(o bus.Options) *bus.Conn {
	e.Helper()
	o.URL = "nats://" + e.address
	conn, err := bus.Connect(o)
	require.NoError(e, err)
	e.Cleanup(conn.Close)
	return conn
}

func (e *env) replica() *index.Index {
	e.Helper()
	x := index.New(index.Options{Client: temporal.Client, Bus: e.connect(bus.Options{Creates: true})})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	e.Cleanup(func() {
		cancel()
		require.NoError(e, <-done)
	})
	return x
}

func (e *env) eventually(within time.Duration, condition func() bool) {
	e.Helper()
	require.Eventually(e, condition, within, 20*time.Millisecond)
}

func (e *env) start(id string) client.Name {
	e.Helper()
	n := client.Name{ContactCenter: e.center, ID: id}
	start := fmt.Appendf(nil, `{"id":%q,"contact_center":%q,"channel":"chat","queue":"q"}`, n.ID, n.ContactCenter)
	_, err := temporal.Client.Start(e.Context(), n, start, false)
	require.NoError(e, err)
	return n
}

// command sends a command and returns the notice of it.
func (e *env) command(n client.Name, name, payload string) *contract.Notice {
	e.Helper()
	_, err := temporal.Client.Update(e.Context(), n, name, "", json.RawMessage(payload))
	require.NoError(e, err)
	return e.notice(n, name)
}

// notice returns the notice that a worker publishes of the last change.
func (e *env) notice(n client.Name, command string) *contract.Notice {
	e.Helper()
	s, err := temporal.Client.State(e.Context(), n)
	require.NoError(e, err)
	first, err := temporal.Client.FirstRun(e.Context(), n)
	require.NoError(e, err)
	return &contract.Notice{
		ContactCenter: n.ContactCenter, Interaction: n.ID, FirstRunID: first, RunID: s.RunID, Revision: s.Revision,
		Sequence: s.Sequence, Command: command, State: &s,
	}
}

func (e *env) due(n *contract.Notice) {
	e.tells.Due(contract.Due{ContactCenter: n.ContactCenter, Interaction: n.Interaction, RunID: n.RunID, Revision: n.Revision})
}

// open returns the revisions of open interactions on a replica.
func (e *env) open(x *index.Index) map[string]int64 {
	x.Catch(e.Context())
	open := map[string]int64{}
	for _, entry := range x.List(e.center, nil) {
		open[entry.State.ID] = entry.State.Revision
	}
	return open
}

// truth returns the revisions of those of the interactions that are open.
func (e *env) truth(names ...client.Name) map[string]int64 {
	e.Helper()
	open := map[string]int64{}
	for _, n := range names {
		s, err := temporal.Client.State(e.Context(), n)
		require.NoError(e, err)
		if s.State != interaction.StateCompleted {
			open[n.ID] = s.Revision
		}
	}
	return open
}

func (e *env) agree(within time.Duration, names ...client.Name) {
	e.Helper()
	truth := e.truth(names...)
	for _, x := range e.replicas {
		e.eventually(within, func() bool { return fmt.Sprint(e.open(x)) == fmt.Sprint(truth) })
	}
}
