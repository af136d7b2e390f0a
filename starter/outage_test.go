package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Temporal keeps its connections and does not answer for longer than a request waits. The feed waits: no line is lost, and
// the error is not "no worker".
func TestAFeedWaitsWhileTemporalDoesNotAnswer(t *testing.T) {
	t.Parallel()
	dev := startDev(t)
	server := childOf(t, dev.command.Process.Pid)
	half := func(begin int) string {
		var lines strings.Builder
		for i := range 20 {
			fmt.Fprintf(&lines, `{"interaction":"o%d","command":"start","channel":"chat"}`+"\n", begin+i)
			fmt.Fprintf(&lines, `{"interaction":"o%d","command":"abandon"}`+"\n", begin+i)
		}
		return lines.String()
	}
	for i, way := range []string{"signal", "update"} {
		begin := 100 * i
		command := exec.CommandContext(t.Context(), binary, "feed", "-", "--json", "--via", way, "--address", dev.ready.TemporalAddress)
		command.Env = bare()
		var out, errs bytes.Buffer
		command.Stdout, command.Stderr = &out, &errs
		in, err := command.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		_, err = in.Write([]byte(half(begin)))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return dev.run(t, "show", fmt.Sprintf("o%d", begin)).code == 0 }, time.Minute, 200*time.Millisecond)

		require.NoError(t, syscall.Kill(server, syscall.SIGSTOP))
		back := time.AfterFunc(14*time.Second, func() { _ = syscall.Kill(server, syscall.SIGCONT) })
		_, err = in.Write([]byte(half(begin + 20)))
		require.NoError(t, err)
		require.NoError(t, in.Close())
		require.NoError(t, command.Wait(), errs.String())
		require.False(t, back.Stop(), "Temporal was silent while the feed ran")
		var fed struct {
			Lines, Accepted, Duplicates, Unknown int
			Rejected                             []any
		}
		require.NoError(t, json.Unmarshal(out.Bytes(), &fed))
		require.Equal(t, 80, fed.Lines)
		// A start whose answer was lost counts as a duplicate.
		require.Equal(t, 80, fed.Accepted+fed.Duplicates)
		require.Zero(t, fed.Unknown)
		require.Empty(t, fed.Rejected)
	}
	require.Equal(t, 0, dev.interrupt(t))
}

// childOf returns the child of a process.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	processes, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("this system has no /proc: ", err)
	}
	for _, entry := range processes {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended meanwhile
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(after); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			return child
		}
	}
	t.Fatal("the process has no child")
	return 0
}
