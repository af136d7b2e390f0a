package main_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serveProcess is a running `segue serve` on free ports.
type serveProcess struct {
	t       *testing.T
	command *exec.Cmd
	ready   struct {
		Gateway, Bus, Metrics string
		Authenticated         bool
	}
}

func startServe(t *testing.T, args ...string) *serveProcess {
	t.Helper()
	all := append([]string{"serve", "--metrics-address", "127.0.0.1:0", "--json"}, args...)
	s := &serveProcess{t: t, command: exec.Command(binary, all...)}
	s.command.Env = append(bare(), "SEGUE_BUS_LISTEN=127.0.0.1:0")
	s.command.Stderr = os.Stderr
	out, err := s.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.command.Start())
	t.Cleanup(func() { _ = s.command.Process.Kill() }) // it has usually ended by then
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(line), &s.ready))
	return s
}

// send sends a request, with an API key unless it is empty, and returns the status and the body.
func (s *serveProcess) send(method, url, key, body string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	require.NoError(s.t, err)
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("X-API-Key", key)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, string(text)
}

// health returns what operators see.
func (s *serveProcess) health() string {
	s.t.Helper()
	_, text := s.send("GET", strings.TrimSuffix(s.ready.Metrics, "metrics")+"readyz", "", "")
	return text
}

func (s *serveProcess) awaitReady() {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		status, _ := s.send("GET", s.ready.Gateway+"/readyz", "", "")
		return status == 200
	}, time.Minute, 20*time.Millisecond, s.health())
}

func (s *serveProcess) terminate() int {
	s.t.Helper()
	require.NoError(s.t, s.command.Process.Signal(syscall.SIGTERM))
	ended := make(chan struct{})
	go func() {
		_ = s.command.Wait() // ProcessState has the exit code
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		s.t.Fatal("segue serve did not stop within 30 s of SIGTERM")
	}
	return s.command.ProcessState.ExitCode()
}

const (
	withKey = `gateway:
  auth:
    api_keys:
      - {name: switch, sha256: 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683, role: platform, contact_centers: [default]}
`
	itsKey = "key" // sha256: 2c70e12b…
)

func TestServeServesTheGateway(t *testing.T) {
	t.Parallel()
	dev := startDev(t, "--config", configFor(t, "http://127.0.0.1:1"))
	response, err := http.Post(dev.ready.Gateway+"/v1/interactions", "application/json", strings.NewReader(`{"id":"d1","channel":"inbound","queue":"sales"}`))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, 201, response.StatusCode, "dev has a gateway")

	t.Run("without credentials on loopback", func(t *testing.T) {
		s := startServe(t, "--address", dev.ready.TemporalAddress, "--listen", "127.0.0.1:0")
		require.False(t, s.ready.Authenticated)
		require.Regexp(t, `^nats://127\.0\.0\.1:\d+$`, s.ready.Bus)
		s.awaitReady()
		status, text := s.send("POST", s.ready.Gateway+"/v1/interactions", "", `{"id":"s1","channel":"inbound","queue":"sales"}`)
		require.Equal(t, 201, status, text)
		status, text = s.send("GET", s.ready.Gateway+"/v1/interactions/s1", "", "")
		require.Equal(t, 200, status, text)
		require.Contains(t, text, `"started"`)
		_, text = s.send("GET", s.ready.Gateway+"/readyz", "", "")
		require.NotContains(t, text, dev.ready.TemporalAddress)
		require.NotContains(t, text, "configuration", "the public answer has no detail")
		require.Contains(t, s.health(), `"configuration"`)
		_, text = s.send("GET", s.ready.Metrics, "", "")
		require.Contains(t, text, `segue_gateway_requests_total{route="POST /v1/interactions",status="201"} 1`)
		require.Contains(t, text, "segue_ready 1")
		require.Equal(t, 0, s.terminate())
	})
	t.Run("credentials are reloaded", func(t *testing.T) {
		file := fileOf(t, "serve.yaml", withKey)
		s := startServe(t, "--address", dev.ready.TemporalAddress, "--listen", "0.0.0.0:0", "--config", file)
		require.True(t, s.ready.Authenticated)
		_, port, err := net.SplitHostPort(strings.TrimPrefix(s.ready.Gateway, "http://"))
		require.NoError(t, err)
		list := "http://127.0.0.1:" + port + "/v1/interactions"
		status, _ := s.send("GET", list, "", "")
		require.Equal(t, 401, status)
		status, text := s.send("GET", list, itsKey, "")
		require.Equal(t, 200, status, text)

		require.NoError(t, os.WriteFile(file, []byte("gateway: {cors: []}\n"), 0o600))
		require.NoError(t, s.command.Process.Signal(syscall.SIGHUP))
		require.Eventually(t, func() bool { return strings.Contains(s.health(), `"rejected"`) }, time.Minute, 20*time.Millisecond)
		require.Contains(t, s.health(), "is beyond loopback")
		status, _ = s.send("GET", list, "", "")
		require.Equal(t, 401, status, "the gateway stays closed")

		other := strings.Replace(withKey, "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683", strings.Repeat("0", 64), 1)
		require.NoError(t, os.WriteFile(file, []byte(other), 0o600))
		require.NoError(t, s.command.Process.Signal(syscall.SIGHUP))
		require.Eventually(t, func() bool {
			status, _ := s.send("GET", list, itsKey, "")
			return status == 401
		}, time.Minute, 20*time.Millisecond, "the key was removed")
		require.Equal(t, 0, s.terminate())
	})
	require.Equal(t, 0, dev.interrupt(t))
}

func TestAPortOfTheGatewayInUseIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)
	result := segue(t, "dev", "--temporal-port", "0", "--ui-port", "0", "--http-port", port)
	require.Equal(t, 1, result.code)
	require.Contains(t, result.errs, "port "+port+" on 127.0.0.1 is already in use: choose another with --http-port, or a free one with --http-port 0")
	result = segue(t, "serve", "--listen", "127.0.0.1:"+port)
	require.Equal(t, 1, result.code)
	require.Contains(t, result.errs, "gateway.address: 127.0.0.1:"+port+" is already in use")
}
