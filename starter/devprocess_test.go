package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"segue/e2e/replayed"
)

// devProcess is a running `segue dev` on free ports.
type devProcess struct {
	command *exec.Cmd
	ready   struct {
		TemporalAddress string `json:"temporal_address"`
		TemporalUI      string `json:"temporal_ui"`
		Gateway         string `json:"gateway"`
		Namespace       string `json:"namespace"`
		TaskQueue       string `json:"task_queue"`
		Metrics         string `json:"metrics"`
		Version         string `json:"version"`
		Receiver        string `json:"receiver"`
	}
}

func startDev(t *testing.T, args ...string) *devProcess {
	t.Helper()
	d := &devProcess{command: exec.Command(binary, append([]string{"dev", "--temporal-port", "0", "--ui-port", "0", "--http-port", "0", "--json"}, args...)...)}
	d.command.Env = bare()
	d.command.Stderr = os.Stderr
	out, err := d.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, d.command.Start())
	t.Cleanup(func() {
		if d.command.ProcessState == nil {
			d.replayAll(t)
		}
		_ = d.command.Process.Kill() // it has usually ended by then
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(line), &d.ready))
	return d
}

// replayAll replays every history of the test.
func (d *devProcess) replayAll(t *testing.T) {
	c, err := client.Dial(client.Options{HostPort: d.ready.TemporalAddress, Namespace: d.ready.Namespace, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return // the test has ended the process in another way
	}
	defer c.Close()
	_, err = replayed.All(context.Background(), c, nil)
	require.NoError(t, err)
}

// interrupt sends a Ctrl-C and returns the exit code.
func (d *devProcess) interrupt(t *testing.T) int {
	d.replayAll(t)
	require.NoError(t, d.command.Process.Signal(syscall.SIGINT))
	ended := make(chan struct{})
	go func() {
		_ = d.command.Wait() // ProcessState has the exit code
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("segue dev did not stop within 30 s of a Ctrl-C")
	}
	return d.command.ProcessState.ExitCode()
}

// run runs a command against this Temporal.
func (d *devProcess) run(t *testing.T, args ...string) outcome {
	t.Helper()
	return segue(t, append(args, "--address", d.ready.TemporalAddress)...)
}

// into runs a command that must succeed, and decodes its JSON output into target.
func (d *devProcess) into(t *testing.T, target any, args ...string) {
	t.Helper()
	result := d.run(t, append(args, "--json")...)
	require.Equal(t, 0, result.code, result.errs+result.out)
	require.Equal(t, 1, strings.Count(result.out, "\n"), "one JSON value in one line")
	require.NoError(t, json.Unmarshal([]byte(result.out), target))
}

// configFor returns a configuration with a call to a receiver of the test and a call that is a dry run. guard.allow is
// not needed, because `segue dev` may send requests to this machine.
func configFor(t *testing.T, receiver string) string {
	return fileOf(t, "segue.yaml", fmt.Sprintf(`
calls:
  - {name: crm, method: POST, url: "%s/x", json: {id: "${interaction.id}", when: "${event.when}"}}
  - {name: draft, method: POST, url: "http://draft.invalid/", dry_run: true, text: "${interaction.id}"}
triggers:
  - {when: [interaction_starts, interaction_ends], call: crm}
  - {when: interaction_starts, call: draft}
`, receiver))
}
