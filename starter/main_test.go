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

// binary is the path of the command line, which is built once for all tests.
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

// outcome is the result of one run of the command line.
type outcome struct {
	out, errs string
	code      int
}

// segue runs the command line in an environment without Segue's settings.
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

// bare returns the environment without Segue's settings, except SEGUE_DEVSERVER, which avoids building the server again.
func bare() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SEGUE_") || strings.HasPrefix(variable, "SEGUE_DEVSERVER=") {
			kept = append(kept, variable)
		}
	}
	return kept
}
