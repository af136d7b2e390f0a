package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"segue/connect"
	"segue/e2e/changed"
	"segue/e2e/replayed"
	"segue/embedded"
)

// temporal is the embedded server that all tests share; each test has a task
// queue and a contact center of its own.
var (
	temporal *embedded.Server
	segueBin string
	workBin  string
	// guardedBin and unguardedBin are workers of other builds: their workflows are changed as a release may change them,
	// and as it must not.
	guardedBin, unguardedBin string
)

// atOnce is how many tests run at the same time: most of them wait most of the time.
const atOnce = 4

func TestMain(m *testing.M) {
	// -parallel goes before: flags are parsed later.
	if err := flag.Set("test.parallel", strconv.Itoa(max(atOnce, runtime.GOMAXPROCS(0)))); err != nil {
		os.Exit(fail(err))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	directory, err := os.MkdirTemp("", "segue-e2e-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(directory)
	segueBin, workBin = filepath.Join(directory, "segue"), filepath.Join(directory, "segue-worker")
	guardedBin, unguardedBin = filepath.Join(directory, "guarded"), filepath.Join(directory, "unguarded")
	for _, build := range [][]string{
		{segueBin, "segue/starter"}, {workBin, "segue/worker"},
		{guardedBin, "-ldflags", "-X main.change=" + changed.Guarded, "segue/e2e/build"},
		{unguardedBin, "-ldflags", "-X main.change=" + changed.Unguarded, "segue/e2e/build"},
	} {
		if out, err := exec.Command("go", append([]string{"build", "-o"}, build...)...).CombinedOutput(); err != nil {
			return fail(fmt.Errorf("build %s: %w\n%s", build[len(build)-1], err, out))
		}
	}
	temporal, err = embedded.Start(context.Background(), embedded.Options{
		UIPort: -1, SearchAttributes: connect.SearchAttributeTypes(),
		Progress: func(text string) { fmt.Fprintln(os.Stderr, text) },
	})
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err := temporal.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
		}
	}()
	code := m.Run()
	if err := replayAll(context.Background()); err != nil {
		return fail(err)
	}
	return code
}

// changedBuilds are the task queues of workers of another build, whose histories this build does not replay.
var changedBuilds sync.Map

// replayAll replays the histories of all tests.
func replayAll(ctx context.Context) error {
	c, err := connect.Dial(ctx, connect.Settings{Address: temporal.Address}, slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("replaying all histories: %w", err)
	}
	defer c.Close()
	count, err := replayed.All(ctx, c, func(taskQueue string) bool {
		_, isChanged := changedBuilds.Load(taskQueue)
		return isChanged
	})
	fmt.Fprintf(os.Stderr, "%d histories of all tests replayed\n", count)
	return err
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}
