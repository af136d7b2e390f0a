package notices_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	sdkworker "go.temporal.io/sdk/worker"

	"segue/config"
	"segue/connect"
	"segue/contract"
	"segue/e2e/stack"
	"segue/embedded"
	"segue/worker/host"
	"segue/workflows"
)

// temporal is the embedded server that all tests share.
var temporal *embedded.Server

// With the first of these environment variables, the test binary runs as a worker of that task queue, which caches one
// workflow and prints what its sink gets. With the second, the worker kills itself instead of publishing a notice.
const (
	workerQueue = "SEGUE_NOTICES_TASK_QUEUE"
	workerDies  = "SEGUE_NOTICES_DIE"
	server      = "SEGUE_TEMPORAL_ADDRESS"
)

func TestMain(m *testing.M) {
	if queue := os.Getenv(workerQueue); queue != "" {
		stack.Process(func(ctx context.Context) error { return work(ctx, queue) })
	}
	stack.Main(m, stack.Options{WithoutBus: true}, func(s *stack.Stack) error {
		temporal = s.Server
		return nil
	})
}

// printed prints what a worker process publishes, as lines of JSON.
type printed struct {
	mu   sync.Mutex
	out  *json.Encoder
	dies bool
}

type line struct {
	Notice *contract.Notice
	Due    *contract.Due
}

func (p *printed) Publish(n *contract.Notice) {
	if p.dies {
		os.Exit(3)
	}
	p.print(line{Notice: n})
}

func (p *printed) Due(d contract.Due) { p.print(line{Due: &d}) }

func (p *printed) print(l line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.out.Encode(l); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(4)
	}
}

// work runs a worker until the context ends. Its configuration comes on standard input.
func work(ctx context.Context, queue string) error {
	sdkworker.SetStickyWorkflowCacheSize(1)
	yaml, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	set, err := config.Parse("notices.yaml", yaml)
	if err != nil {
		return err
	}
	plugin, err := workflows.NewPlugin(workflows.WithNotices(&printed{out: json.NewEncoder(os.Stdout), dies: os.Getenv(workerDies) != ""}))
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	client, err := connect.Dial(ctx, connect.Settings{Address: os.Getenv(server)}, log, plugin)
	if err != nil {
		return err
	}
	defer client.Close()
	return host.Run(ctx, host.Options{
		Client: client, TaskQueue: queue, Config: config.NewStore(set), Log: log, Allow: []string{"127.0.0.0/8"},
	})
}

// startProcess runs a worker process, whose notices are recorded when it ends.
func (e *env) startProcess(more ...string) (wait func() error) {
	e.t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(append(os.Environ(), workerQueue+"="+e.name, server+"="+temporal.Address), more...)
	command.Stdin = bytes.NewReader([]byte(e.yaml))
	var lines, errors bytes.Buffer
	command.Stdout, command.Stderr = &lines, &errors
	require.NoError(e.t, command.Start())
	wait = sync.OnceValue(func() error {
		err := command.Wait()
		for decoder := json.NewDecoder(&lines); decoder.More(); {
			var got line
			require.NoError(e.t, decoder.Decode(&got), "%s", errors.String())
			if got.Notice != nil {
				e.sink.Publish(got.Notice)
			} else {
				e.sink.Due(*got.Due)
			}
		}
		return err
	})
	e.stopProcess = func() error {
		if err := command.Process.Signal(syscall.SIGTERM); err != nil {
			return fmt.Errorf("%w: %s", err, errors.String())
		}
		return wait()
	}
	e.t.Cleanup(func() {
		_ = command.Process.Kill() // it has ended unless the test failed
		_ = wait()
	})
	return wait
}
