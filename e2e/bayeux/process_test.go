package bayeux_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clientOptions are those of clients/client.mjs.
type clientOptions struct {
	Client    string            `json:"client"`
	URL       string            `json:"url"`
	Transport string            `json:"transport"`
	Ack       bool              `json:"ack"`
	Headers   map[string]string `json:"headers"`
	Token     string            `json:"token,omitempty"`
	Topics    []string          `json:"topics"`
}

// event is a line that the script prints.
type event struct {
	Event      string          `json:"event"`
	Successful bool            `json:"successful"`
	Error      string          `json:"error"`
	Topic      string          `json:"topic"`
	Channel    string          `json:"channel"`
	Data       json.RawMessage `json:"data"`
}

// process is a client that runs under Node.js.
type process struct {
	events chan event
	stdin  io.WriteCloser
	errs   *bytes.Buffer // to be read after the end of events
}

// run starts a client, which ends with the test.
func run(t *testing.T, options clientOptions) *process {
	t.Helper()
	command := exec.CommandContext(t.Context(), "node", "client.mjs", encoded(t, options))
	command.Dir = installed(t)
	command.Env = withoutProxies(os.Environ())
	p := &process{events: make(chan event, 10_000), errs: &bytes.Buffer{}}
	command.Stderr = p.errs
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	p.stdin, err = command.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.events)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			var e event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				e = event{Event: "unreadable", Error: lines.Text()}
			}
			p.events <- e
		}
	}()
	t.Cleanup(func() {
		_ = p.stdin.Close()
		<-read
		_ = command.Wait()
		if t.Failed() {
			t.Log(p.errs.String())
		}
	})
	return p
}

// command sends a command to the client.
func (p *process) command(t *testing.T, command, topic string) {
	t.Helper()
	_, err := fmt.Fprintln(p.stdin, encoded(t, map[string]string{"command": command, "topic": topic}))
	require.NoError(t, err)
}

// until returns the events up to the first that is wanted, which is the last.
func (p *process) until(t *testing.T, what string, wanted func(event) bool) []event {
	t.Helper()
	deadline := time.After(30 * time.Second)
	var before []event
	for {
		select {
		case e, more := <-p.events:
			require.True(t, more, "the client ended; missing: %s; events: %v", what, last(before, 20))
			before = append(before, e)
			if wanted(e) {
				return before
			}
		case <-deadline:
			require.Fail(t, "missing: "+what, "events: %v", last(before, 20))
		}
	}
}

// named waits for an event.
func (p *process) named(t *testing.T, name string) event {
	t.Helper()
	events := p.until(t, name, func(e event) bool { return e.Event == name })
	return events[len(events)-1]
}

func last(events []event, n int) []event { return events[max(0, len(events)-n):] }

// withoutProxies keeps clients from going through a proxy of this machine.
func withoutProxies(environment []string) []string {
	var kept []string
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			kept = append(kept, entry)
		}
	}
	return kept
}

var packages struct {
	once   sync.Once
	folder string
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if packages.folder != "" {
		_ = os.RemoveAll(packages.folder)
	}
	os.Exit(code)
}

// installed returns a copy of the folder clients with the packages of its lock file. It skips the test on a machine without
// npm, but fails it in CI.
func installed(t *testing.T) string {
	t.Helper()
	packages.once.Do(func() { packages.folder, packages.err = install() })
	if packages.err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(packages.err)
		}
		t.Skip(packages.err)
	}
	return packages.folder
}

func install() (string, error) {
	folder, err := os.MkdirTemp("", "bayeux-clients-")
	if err != nil {
		return "", fmt.Errorf("making a folder for the clients: %w", err)
	}
	files, err := filepath.Glob("clients/*.*")
	if err != nil {
		return folder, fmt.Errorf("listing the clients: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return folder, fmt.Errorf("reading a client: %w", err)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(file)), text, 0o600); err != nil {
			return folder, fmt.Errorf("copying a client: %w", err)
		}
	}
	command := exec.Command("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		return folder, fmt.Errorf("npm ci (Debian: apt-get install nodejs npm): %w\n%s", err, output)
	}
	return folder, nil
}
