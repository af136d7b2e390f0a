package replicas_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"segue/connect"
	"segue/e2e/bayeux/clients"
	"segue/e2e/replayed"
	"segue/embedded"
)

var full = flag.Bool("full", false, "play the numbers of make long")

// reduced returns a number for CI, or the whole number with -full.
func reduced(ci, whole int) int {
	if *full {
		return whole
	}
	return ci
}

// With one of these environment variables, the test binary runs as a worker or as a NATS server, which
// the value configures in JSON.
const (
	asWorker = "SEGUE_REPLICAS_WORKER"
	asNATS   = "SEGUE_REPLICAS_NATS"
)

// parallel lets a test run beside others in CI: it waits most of the time. The whole numbers are played one after the
// other, because they measure times.
func parallel(t *testing.T) {
	t.Helper()
	if !*full {
		t.Parallel()
	}
}

// sessionKey is the variable with the key of the gateways' sessions and links, which makes them good on every replica.
const sessionKey = "VISITS_TEST_KEY"

// segueBin is the command line, which serves the gateways.
var segueBin string

// temporal is the server that the tests share which do not stop it.
var temporal *embedded.Server

// atOnce is how many tests run at the same time in CI.
const atOnce = 3

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(max(atOnce, runtime.GOMAXPROCS(0)))); err != nil {
		fmt.Fprintln(os.Stderr, "replicas:", err)
		os.Exit(1)
	}
	code, err := run(m)
	if err = errors.Join(err, clients.Remove()); err != nil {
		fmt.Fprintln(os.Stderr, "replicas:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if options := os.Getenv(asWorker); options != "" {
		return 0, work(ctx, options)
	}
	if options := os.Getenv(asNATS); options != "" {
		return 0, carry(ctx, options)
	}
	if err := os.Setenv(sessionKey, strings.Repeat("k", 40)); err != nil {
		return 1, err
	}
	directory, err := os.MkdirTemp("", "segue-replicas-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(directory)
	segueBin = filepath.Join(directory, "segue")
	if out, err := exec.Command("go", "build", "-o", segueBin, "segue/starter").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build segue: %w\n%s", err, out)
	}
	temporal, err = embedded.Start(ctx, serverOptions())
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopped := temporal.Stop(); err == nil {
			err = stopped
		}
	}()
	if code = m.Run(); ctx.Err() != nil {
		return code, ctx.Err()
	}
	return code, replayAll(ctx, temporal)
}

func serverOptions() embedded.Options {
	return embedded.Options{
		UIPort: embedded.NoUI, SearchAttributes: connect.SearchAttributeTypes(),
		Progress: func(text string) { fmt.Fprintln(os.Stderr, text) },
	}
}

// replayAll replays every history of a server.
func replayAll(ctx context.Context, server *embedded.Server) error {
	c, err := dial(ctx, server)
	if err != nil {
		return err
	}
	defer c.Close()
	count, err := replayed.All(ctx, c, nil)
	fmt.Fprintf(os.Stderr, "%d histories replayed\n", count)
	return err
}
