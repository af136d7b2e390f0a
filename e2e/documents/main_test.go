package documents_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// segueBin is `segue`, built by TestMain, in a folder of its own; running is the dev of all tests.
var (
	segueBin string
	running  dev
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "segue-documents-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	segueBin = filepath.Join(folder, "segue")
	if out, err := exec.Command("go", "build", "-o", segueBin, "segue/starter").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build segue: %v\n%s", err, out)
		return 1
	}
	stop, err := running.start(filepath.Join(folder, "shown"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "segue dev:", err)
		return 1
	}
	defer stop()
	return m.Run()
}

// dev is a running `segue dev` on free ports.
type dev struct {
	Gateway         string `json:"gateway"`
	TemporalAddress string `json:"temporal_address"`
	Metrics         string `json:"metrics"`
	Receiver        string `json:"receiver"`
	// shown is the file of what the dev shows: the requests that arrive.
	shown string
}

func (d *dev) start(shown string) (stop func(), err error) {
	file, err := os.Create(shown)
	if err != nil {
		return nil, err
	}
	defer file.Close() // the dev has a copy
	d.shown = shown
	command := exec.Command(segueBin, "dev", "--temporal-port", "0", "--ui-port", "0", "--http-port", "0", "--listen", "0", "--json")
	command.Env = append(os.Environ(), "SEGUE_METRICS_ADDRESS=127.0.0.1:0")
	command.Stderr = file
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = command.Process.Signal(syscall.SIGINT)
		_ = command.Wait()
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err := errors.Join(err, json.Unmarshal(line, d)); err != nil {
		stop()
		reason, _ := os.ReadFile(shown)
		return nil, fmt.Errorf("%w\n%s", err, reason)
	}
	return stop, nil
}

// environment is what commands and clients run with: segue on the PATH, and the addresses of the dev.
func (d *dev) environment() []string {
	return append(os.Environ(), "PATH="+filepath.Dir(segueBin)+":"+os.Getenv("PATH"),
		"SEGUE_TEMPORAL_ADDRESS="+d.TemporalAddress, "SEGUE_GATEWAY="+d.Gateway, "SEGUE_METRICS_ADDRESS=127.0.0.1:0")
}

// shell runs commands in a folder with segue on the PATH, against a dev.
type shell struct {
	dev    *dev
	folder string
	env    []string
	// assignments are the variables that earlier commands of the page have set.
	assignments []string
}

// curlSettings make each curl report its status, on stderr, and end.
const curlSettings = "silent\nshow-error\nmax-time = 120\nwrite-out = \"%{stderr}\\nstatus: %{response_code}\\n\"\n"

func newShell(t *testing.T, d *dev) *shell {
	t.Helper()
	s := &shell{dev: d, folder: t.TempDir()}
	for _, name := range []string{"examples", "config"} {
		target, err := filepath.Abs("../../" + name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(target, filepath.Join(s.folder, name)))
	}
	require.NoError(t, os.WriteFile(filepath.Join(s.folder, ".curlrc"), []byte(curlSettings), 0o600))
	s.env = append(d.environment(), "CURL_HOME="+s.folder)
	return s
}

// here replaces the default addresses with those of the dev.
func (s *shell) here(text string) string {
	return strings.NewReplacer(
		"http://127.0.0.1:8080", s.dev.Gateway,
		"http://127.0.0.1:9464", strings.TrimSuffix(s.dev.Metrics, "/metrics"),
		"http://127.0.0.1:9100", s.dev.Receiver,
	).Replace(text)
}

// command returns a command of the page, after its assignments.
func (s *shell) command(text string) *exec.Cmd {
	script := strings.Join(append(append([]string{"set -o pipefail"}, s.assignments...), s.here(text)), "\n")
	c := exec.Command("bash", "-c", script)
	c.Dir, c.Env = s.folder, s.env
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// untilStopped runs a command until it has printed something, and stops it.
func (s *shell) untilStopped(text string) error {
	c := s.command(text)
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	c.Stdout, c.Stderr = write, write
	err = c.Start()
	write.Close()
	if err != nil {
		return err
	}
	_ = read.SetReadDeadline(time.Now().Add(30 * time.Second))
	printed := make([]byte, 1024)
	n, err := read.Read(printed)
	_ = syscall.Kill(-c.Process.Pid, syscall.SIGINT)
	if err != nil {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	}
	// Stopped by the signal, segue has status 0 and curl another one: with 0, curl has ended by itself.
	if ended := c.Wait(); err == nil && ended == nil && !strings.HasPrefix(text, "segue ") {
		return fmt.Errorf("ended by itself: %s", printed[:n])
	}
	if err != nil {
		return fmt.Errorf("printed nothing: %w", err)
	}
	return nil
}
