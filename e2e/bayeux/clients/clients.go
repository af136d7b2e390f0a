package clients

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Options are those of client.mjs.
type Options struct {
	Client    string            `json:"client"`
	URL       string            `json:"url"`
	Transport string            `json:"transport"`
	Ack       bool              `json:"ack"`
	Headers   map[string]string `json:"headers"`
	Token     string            `json:"token,omitempty"`
	Topics    []string          `json:"topics"`
}

// Event is a line that the script prints.
type Event struct {
	Event      string          `json:"event"`
	Successful bool            `json:"successful"`
	Error      string          `json:"error"`
	Topic      string          `json:"topic"`
	Channel    string          `json:"channel"`
	Data       json.RawMessage `json:"data"`
}

// Process is a client that runs.
type Process struct {
	// Events has what happens, and is closed when the client has ended.
	Events <-chan Event

	stdin io.WriteCloser
}

// Run starts a client, which ends with the test. It skips the test on a machine without npm, but fails it in CI.
func Run(t *testing.T, options Options) *Process {
	t.Helper()
	text, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "node", "client.mjs", string(text))
	command.Dir = installed(t)
	command.Env = withoutProxies(os.Environ())
	var said bytes.Buffer // read after the end of the process
	command.Stderr = &said
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	events := make(chan Event, 10_000)
	go read(stdout, events)
	t.Cleanup(func() {
		_ = stdin.Close()
		for range events { // until it has ended
		}
		_ = command.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	return &Process{Events: events, stdin: stdin}
}

func read(stdout io.Reader, events chan<- Event) {
	defer close(events)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var e Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			e = Event{Event: "unreadable", Error: lines.Text()}
		}
		events <- e
	}
}

// Command sends a command to the client; client.mjs lists them.
func (p *Process) Command(t *testing.T, command, topic string) {
	t.Helper()
	text, err := json.Marshal(map[string]string{"command": command, "topic": topic})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.stdin, "%s\n", text); err != nil {
		t.Fatal(err)
	}
}

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

//go:embed *.mjs package.json package-lock.json
var sources embed.FS

var packages struct {
	once   sync.Once
	folder string
	err    error
}

// Remove removes what Run installed. A TestMain calls it after the tests.
func Remove() error {
	if packages.folder == "" {
		return nil
	}
	return os.RemoveAll(packages.folder)
}

// installed returns a folder with the clients and the packages of their lock file.
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
	files, err := sources.ReadDir(".")
	if err != nil {
		return folder, fmt.Errorf("listing the clients: %w", err)
	}
	for _, file := range files {
		text, err := sources.ReadFile(file.Name())
		if err != nil {
			return folder, fmt.Errorf("reading a client: %w", err)
		}
		if err := os.WriteFile(filepath.Join(folder, file.Name()), text, 0o600); err != nil {
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
