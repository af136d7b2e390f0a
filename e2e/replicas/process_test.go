package replicas_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	sdktemporal "go.temporal.io/sdk/temporal"
	sdkworker "go.temporal.io/sdk/worker"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"segue/config"
	"segue/connect"
	"segue/contract"
	"segue/embedded"
	"segue/worker/host"
	"segue/workflows"
)

// process is a process that a test starts and kills.
type process struct {
	t       *testing.T
	name    string
	command *exec.Cmd
	ended   chan struct{}
	// busAt is where a worker serves how it reaches the bus.
	busAt string
	mu    sync.Mutex
	log   bytes.Buffer
}

// launch starts a process, which is killed when the test ends.
func launch(t *testing.T, name string, command *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: name, command: command, ended: make(chan struct{})}
	command.Stderr = p
	require.NoError(t, command.Start())
	go func() {
		_ = command.Wait() // most are killed
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			said := p.log.String()
			t.Logf("%s:\n%s", name, said[max(0, len(said)-6000):])
		}
	})
	return p
}

// Write collects what the process logs.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

// kill ends the process at once, if it still runs.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended
	<-p.ended
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.command.Process.Signal(s))
}

// bare returns the environment without Segue's settings, except SEGUE_DEVSERVER.
func bare(more ...string) []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SEGUE_") || strings.HasPrefix(variable, "SEGUE_DEVSERVER=") {
			kept = append(kept, variable)
		}
	}
	return append(kept, more...)
}

// itself returns this test binary in one of its other roles.
func itself(t *testing.T, role string, options any) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(options)
	require.NoError(t, err)
	command := exec.Command(os.Args[0])
	command.Env = bare(role + "=" + string(text))
	return command
}

// workerOptions configure a worker process.
type workerOptions struct {
	Address, Queue, YAML string
	// DieAt is the number of the notice at which the worker kills itself, after Temporal has the
	// change and before the bus has the notice; 0 is never.
	DieAt int64
	// LoseEach is how often an answer to a completed task is lost on its way: each so many; 0 is never.
	LoseEach int64
	// Cache is how many workflows the worker caches; 0 is the usual number.
	Cache int
}

// work runs a worker until the context ends.
func work(ctx context.Context, text string) error {
	var o workerOptions
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	if o.Cache > 0 {
		sdkworker.SetStickyWorkflowCacheSize(o.Cache)
	}
	set, err := config.Parse("worker.yaml", []byte(o.YAML))
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	notices, err := host.OpenNotices(set.Bus, log)
	if err != nil {
		return err
	}
	defer notices.Close()
	if err := serveBus(notices); err != nil {
		return err
	}
	plugin, err := workflows.NewPlugin(workflows.WithNotices(&mortal{Notices: notices, dieAt: o.DieAt}))
	if err != nil {
		return err
	}
	broken, err := losing(o.LoseEach)
	if err != nil {
		return err
	}
	c, err := connect.Dial(ctx, connect.Settings{Address: o.Address}, log, plugin, broken)
	if err != nil {
		return err
	}
	defer c.Close()
	return host.Run(ctx, host.Options{Client: c, TaskQueue: o.Queue, Config: config.NewStore(set), Log: log, Allow: []string{"127.0.0.0/8"}})
}

// publishing is how a worker reaches the bus: whether it is connected, and how many notices wait for an ack.
type publishing struct {
	Connected bool
	Waiting   int64
}

// serveBus serves how a worker reaches the bus for as long as the process lives, and prints where.
func serveBus(notices *host.Notices) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		err := http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			now := publishing{Connected: notices.Bus().Connected(), Waiting: notices.Stats().Waiting}
			_ = json.NewEncoder(w).Encode(now) // the test asks again
		}))
		fmt.Fprintln(os.Stderr, "the state of the bus is not served any more:", err)
	}()
	return json.NewEncoder(os.Stdout).Encode(map[string]string{"Bus": "http://" + listener.Addr().String()})
}

// mortal are the notices of a worker that kills itself instead of publishing one of them.
type mortal struct {
	*host.Notices
	dieAt, published int64
	mu               sync.Mutex
}

func (m *mortal) Publish(n *contract.Notice) {
	m.mu.Lock()
	m.published++
	dies := m.published == m.dieAt
	m.mu.Unlock()
	if dies {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // it cannot fail for the process itself
		select {}
	}
	m.Notices.Publish(n)
}

// losing returns a plugin that loses answers to completed workflow tasks.
func losing(each int64) (sdkclient.Plugin, error) {
	var completed atomic.Int64
	lose := func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if err := invoke(ctx, method, request, reply, conn, options...); err != nil {
			return err
		}
		if _, ok := request.(*workflowservice.RespondWorkflowTaskCompletedRequest); ok && each > 0 && completed.Add(1)%each == 0 {
			return status.Error(codes.Unavailable, "the answer was lost")
		}
		return nil
	}
	return sdktemporal.NewSimplePlugin(sdktemporal.SimplePluginOptions{
		Name: "losing",
		ConfigureClient: func(_ context.Context, configure sdkclient.PluginConfigureClientOptions) error {
			connection := &configure.ClientOptions.ConnectionOptions
			connection.DialOptions = append(connection.DialOptions, grpc.WithChainUnaryInterceptor(lose))
			return nil
		},
	})
}

// natsOptions configure a NATS process.
type natsOptions struct{ Address, Store string }

// carry runs a NATS server until the context ends.
func carry(ctx context.Context, text string) error {
	var o natsOptions
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	carrier, err := server.NewServer(&server.Options{
		ServerName: "replicas", Host: host, Port: number, NoSigs: true, JetStream: true, StoreDir: o.Store,
	})
	if err != nil {
		return err
	}
	carrier.Start()
	if !carrier.ReadyForConnections(startWithin) {
		return errors.New("the NATS server does not start")
	}
	<-ctx.Done()
	carrier.Shutdown()
	return nil
}

// freeAddress returns an address on which nothing listens. The kernel gives no connection of others its port for a
// minute: a connection to it is in TIME_WAIT, at the side that closed first.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	client, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	accepted, err := listener.Accept()
	require.NoError(t, err)
	require.NoError(t, accepted.Close())
	return listener.Addr().String()
}

// dial connects to a Temporal as a platform does.
func dial(ctx context.Context, s *embedded.Server) (sdkclient.Client, error) {
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return nil, err
	}
	return connect.Dial(ctx, connect.Settings{Address: s.Address}, slog.New(slog.DiscardHandler), plugin)
}

// firstLine reads the line of JSON that a process prints when it is ready.
func firstLine(from io.Reader, into any) error {
	if err := json.NewDecoder(from).Decode(into); err != nil {
		return fmt.Errorf("the process does not start: %w", err)
	}
	return nil
}
