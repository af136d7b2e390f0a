package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"segue/connect"
	"segue/embedded"
)

// temporal is the embedded server that all tests share; each test has a task
// queue and a contact center of its own.
var (
	temporal *embedded.Server
	segueBin string
	workBin  string
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	directory, err := os.MkdirTemp("", "segue-e2e-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(directory)
	segueBin, workBin = filepath.Join(directory, "segue"), filepath.Join(directory, "segue-worker")
	for binary, source := range map[string]string{segueBin: "segue/starter", workBin: "segue/worker"} {
		if out, err := exec.Command("go", "build", "-o", binary, source).CombinedOutput(); err != nil {
			return fail(fmt.Errorf("build %s: %w\n%s", source, err, out))
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
	return m.Run()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}
