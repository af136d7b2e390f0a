package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// binary is the command line, built once for all tests: what a user runs.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	folder, err := os.MkdirTemp("", "segue-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "segue")
	if output, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build segue: %v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// outcome is how one call of the command line went.
type outcome struct {
	out, errs string
	code      int
}

// segue runs the command line in an environment that names no Temporal.
func segue(t *testing.T, args ...string) outcome { return segueWith(t, "", args...) }

func segueWith(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Env = bare()
	command.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		require.NoError(t, err)
	}
	return outcome{out.String(), errs.String(), command.ProcessState.ExitCode()}
}

// bare is the environment without Segue's settings; that of the embedded server
// stays, so that it is not built anew.
func bare() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SEGUE_") || strings.HasPrefix(variable, "SEGUE_DEVSERVER=") {
			kept = append(kept, variable)
		}
	}
	return kept
}
