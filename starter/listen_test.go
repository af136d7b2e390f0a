package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// linesOf starts a command, and returns the lines that it writes to stdout.
func linesOf(t *testing.T, args ...string) *bufio.Scanner {
	t.Helper()
	command := exec.Command(binary, args...)
	command.Env = bare()
	pipe, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // killed
	})
	return bufio.NewScanner(pipe)
}

// awaitLine returns the first line that contains a text.
func awaitLine(t *testing.T, lines *bufio.Scanner, text string) string {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return lines.Text()
		}
	}
	t.Fatalf("no line with %q: %v", text, lines.Err())
	return ""
}

func TestListenShowsAndAnswersRequests(t *testing.T) {
	port := freePort(t)
	lines := linesOf(t, "listen", "--port", fmt.Sprint(port), "--status", "418", "--json")
	url := fmt.Sprintf("http://127.0.0.1:%d/calls", port)
	require.Eventually(t, func() bool {
		response, err := http.Post(url, "text/plain", strings.NewReader("ixn-1 chat.end"))
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == 418
	}, time.Minute, 20*time.Millisecond)
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(awaitLine(t, lines, "/calls")), &got))
	delete(got, "at")
	require.Equal(t, map[string]any{"method": "POST", "url": "/calls", "moment": "chat.end", "status": 418.0, "body": "ixn-1 chat.end"}, got)

	again := segue(t, "listen", "--port", fmt.Sprint(port))
	require.Equal(t, 1, again.code)
	require.Contains(t, again.errs, fmt.Sprintf("port %d on 127.0.0.1 is already in use: choose another with --port", port))
}

// TestTheRequestsOfTheExampleAreShown is a newcomer's first minute: dev without a configuration, and one interaction.
func TestTheRequestsOfTheExampleAreShown(t *testing.T) {
	lines := linesOf(t, "dev", "--temporal-port", "0", "--ui-port", "0", "--http-port", "0", "--metrics-address", "", "--listen", "0")
	var gateway, receiver string
	_, err := fmt.Sscan(awaitLine(t, lines, "gateway"), new(string), &gateway)
	require.NoError(t, err)
	_, err = fmt.Sscan(awaitLine(t, lines, "receiver"), new(string), &receiver)
	require.NoError(t, err)
	require.Contains(t, receiver, "http://127.0.0.1:")
	awaitLine(t, lines, "show ixn-1")
	response, err := http.Post(gateway+"/v1/interactions", "application/json", strings.NewReader(`{"id":"ixn-1","channel":"inbound"}`))
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 201, response.StatusCode)
	require.Regexp(t, `^\d\d:\d\d:\d\d  POST /calls/ixn-1\?seq=2  200  interaction_starts  msg_\S+$`, awaitLine(t, lines, "/calls/ixn-1"))
	require.True(t, lines.Scan())
	require.Contains(t, lines.Text(), `{"id":"ixn-1","when":"interaction_starts",`)
}

func TestDevUsesAReceiverThatRunsAlready(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:9100")
	if err == nil {
		defer taken.Close()
	} // else another process has the port
	dev := startDev(t)
	require.Empty(t, dev.ready.Receiver)
	require.Equal(t, 0, dev.interrupt(t))
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
