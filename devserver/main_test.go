package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serverRole makes this test binary run the devserver, because the tests check the whole process.
const serverRole = "SEGUE_TEST_DEVSERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverRole) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a devserver under test.
type process struct {
	*exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr bytes.Buffer
}

func begin(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...)}
	p.Env = append(os.Environ(), serverRole+"=1")
	p.Stderr = &p.stderr
	var err error
	p.stdin, err = p.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.StdoutPipe()
	require.NoError(t, err)
	p.stdout = bufio.NewReader(stdout)
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// ready reads the line that a server prints when it is ready.
func (p *process) ready(t *testing.T) map[string]string {
	t.Helper()
	line, err := p.stdout.ReadBytes('\n')
	require.NoError(t, err, "no ready line")
	var ready map[string]string
	require.NoError(t, json.Unmarshal(line, &ready))
	return ready
}

// ends waits for a clean end: no further output, nothing on standard error, status 0.
func (p *process) ends(t *testing.T, within time.Duration) {
	t.Helper()
	begin := time.Now()
	rest, err := io.ReadAll(p.stdout)
	require.NoError(t, err)
	require.NoError(t, p.Wait())
	require.Less(t, time.Since(begin), within)
	require.Empty(t, string(rest))
	require.Empty(t, p.stderr.String())
}

func TestTheReadyLineHasTheAddresses(t *testing.T) {
	p := begin(t, "--port", "0", "--ui-port", "0", "--namespace", "contact-center", "--search-attribute", "Tier=Keyword")
	ready := p.ready(t)
	require.Equal(t, "contact-center", ready["namespace"])

	conn, err := net.Dial("tcp", ready["temporal_address"])
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	response, err := http.Get(ready["temporal_ui"])
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)

	require.NoError(t, p.Process.Signal(os.Interrupt))
	p.ends(t, 3*time.Second)
}

// getNamespaces requests the namespaces from the UI's API with a Host header, and returns the status.
func getNamespaces(t *testing.T, url, host string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/namespaces", nil)
	require.NoError(t, err)
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestTheUIRefusesForeignHosts(t *testing.T) {
	p := begin(t, "--port", "0", "--ui-port", "0")
	ui := p.ready(t)["temporal_ui"]
	for host, want := range map[string]int{
		"": http.StatusOK, "localhost:8233": http.StatusOK, "127.0.0.1": http.StatusOK, "[::1]:8233": http.StatusOK, "[::1]": http.StatusOK,
		"rebound.example.com": http.StatusForbidden, "rebound.example.com:8233": http.StatusForbidden,
		"127.0.0.1.example.com": http.StatusForbidden, "localhost.example.com": http.StatusForbidden,
	} {
		require.Equal(t, want, getNamespaces(t, ui, host), host)
	}
}

func TestADatabaseIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept.db")
	for range 2 {
		p := begin(t, "--port", "0", "--ui-port", "-1", "--db", path)
		p.ready(t)
		for _, file := range []string{path, path + "-wal", path + "-shm"} {
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
		}
		require.NoError(t, p.Process.Signal(os.Interrupt))
		p.ends(t, 3*time.Second)
		require.NoError(t, os.Chmod(path, 0o644)) // as an earlier version left it
	}
}

func TestItEndsOnSIGINTAndSIGTERM(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := begin(t, "--port", "0", "--ui-port", "-1", "--db", t.TempDir()+"/kept.db")
		require.Empty(t, p.ready(t)["temporal_ui"])
		require.NoError(t, p.Process.Signal(signal))
		p.ends(t, 3*time.Second)
	}
}

func TestWithExitWithStdinItEndsWithItsStandardInput(t *testing.T) {
	p := begin(t, "--port", "0", "--ui-port", "-1", "--exit-with-stdin")
	p.ready(t)
	require.NoError(t, p.stdin.Close())
	p.ends(t, 3*time.Second)
}

func TestItCanEndBeforeItIsReady(t *testing.T) {
	p := begin(t, "--port", "0", "--ui-port", "0", "--exit-with-stdin")
	require.NoError(t, p.stdin.Close())
	require.NoError(t, p.Wait())
	require.Empty(t, p.stderr.String())
}

func TestAPortInUseIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)
	for _, flag := range []string{"--port", "--ui-port"} {
		args := []string{"--port", "0", "--ui-port", "0", flag, port}
		p := begin(t, args...)
		require.Error(t, p.Wait())
		require.Equal(t, 1, strings.Count(p.stderr.String(), "\n"), "the error is one line: %s", &p.stderr)
		require.Contains(t, p.stderr.String(), "port "+port+" on 127.0.0.1 is already in use")
		require.Contains(t, p.stderr.String(), flag)
	}
}
