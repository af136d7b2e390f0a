package sequences_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"segue/config"
	"segue/connect"
	"segue/e2e/stack"
	"segue/embedded"
	"segue/worker/local"
	"segue/workflows"
)

var (
	sequences = flag.Int("sequences", 120, "how many random sequences to play")
	seed      = flag.Uint64("seed", 0, "seed of the random sequences; 0 chooses one")
)

// temporal is the embedded server that all tests share.
var temporal *embedded.Server

// cacheSize is how many workflows each worker of these tests caches.
const cacheSize = 1

// With this environment variable, the test binary runs as one of its own workers, because the cache belongs to a
// process.
const workerQueue = "SEGUE_SEQUENCES_TASK_QUEUE"

func TestMain(m *testing.M) {
	flag.Parse()
	sdkworker.SetStickyWorkflowCacheSize(cacheSize)
	if queue := os.Getenv(workerQueue); queue != "" {
		stack.Process(func(ctx context.Context) error { return work(ctx, queue) })
	}
	stack.Main(m, stack.Options{WithoutBus: true}, func(s *stack.Stack) error {
		temporal = s.Server
		return nil
	})
}

// nameOf returns the task queue and the contact center of one test. With -count, a test runs several times on one
// server.
func nameOf(t *testing.T) string { return fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano()) }

// work runs a worker until the context ends. Its configuration comes on standard input.
func work(ctx context.Context, queue string) error {
	yaml, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	set, err := config.Parse("sequences.yaml", yaml)
	if err != nil {
		return err
	}
	segue, err := local.Start(ctx, local.Options{
		Settings: connect.Settings{Address: os.Getenv("SEGUE_TEMPORAL_ADDRESS"), TaskQueue: queue},
	})
	if err != nil {
		return err
	}
	if _, err = segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set)}); err == nil {
		err = segue.Wait(ctx)
	}
	return errors.Join(err, segue.Stop())
}

func dial(ctx context.Context, address string, log *slog.Logger, more ...client.Plugin) (client.Client, error) {
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return nil, err
	}
	return connect.Dial(ctx, connect.Settings{Address: address}, log, append([]client.Plugin{plugin}, more...)...)
}

// startWorker runs a worker process until the test ends.
func startWorker(t *testing.T, queue, yaml string) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), workerQueue+"="+queue, "SEGUE_TEMPORAL_ADDRESS="+temporal.Address)
	command.Stdin = bytes.NewReader([]byte(yaml))
	said := &stack.Log{}
	command.Stdout, command.Stderr = said, said
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended
		timer := time.AfterFunc(30*time.Second, func() { _ = command.Process.Kill() })
		defer timer.Stop()
		if err := command.Wait(); err != nil || t.Failed() {
			t.Errorf("worker: %v\n%.20000s", err, said)
		}
	})
}
