package scxml_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	patience  = 90 * time.Second
	pollEvery = 20 * time.Millisecond
)

// world is a worker and a gateway, which carries the bus, and a receiver.
type world struct {
	*testing.T
	url         string
	file, queue string
	visit       string // of this test alone
	address     string // of Temporal
	// heard is called for each answer that the strategy gets.
	heard           func(event)
	gateway, worker *process
	backend         *receiver
}

func newWorld(t *testing.T) *world {
	t.Helper()
	needsEngine(t)
	return newWorldAt(t, temporal.Address)
}

// newWorldAt is newWorld with the address at which the processes find Temporal.
func newWorldAt(t *testing.T, address string) *world {
	t.Helper()
	w := &world{T: t, address: address, heard: func(event) {}, url: "http://" + freeAddress(t), file: filepath.Join(t.TempDir(), "segue.yaml"), backend: newReceiver(t)}
	w.queue = fmt.Sprintf("scxml-%d", time.Now().UnixNano())
	require.NoError(t, os.WriteFile(w.file, fmt.Appendf(nil, `
calls:
  - {name: tell, method: POST, url: "%s/moments", json: {id: "${interaction.id}", when: "${event.when}"}, retry: {schedule: [200ms, 1s, 2s, 5s]}}
triggers:
  - {when: engagement_result, call: tell}
  - {when: chat.new, call: tell}
  - {when: chat.agent_connect, call: tell}
  - {when: chat.end, call: tell}
  - {when: interaction_ends, call: tell}
engagement: {backend: %q, queue: web}
gateway: {session_keys: [env:SCXML_TEST_KEY], engagement: {open_visits: true}}
timeouts: {default: {engagement: 0s, offer: 0s, queue: 0s, wrap_up: 0s, late_events: 0s}, channels: {sms: {engagement: 2s}}}
bus: {listen: %q}
guard: {allow: ["127.0.0.0/8"]}
`, w.backend.URL, w.backend.URL, freeAddress(t)), 0o600))
	w.visit = "v-" + w.queue
	w.startGateway()
	w.startWorker()
	return w
}

func (w *world) startGateway() {
	w.Helper()
	w.gateway = w.launch("segue", "serve", "--listen", strings.TrimPrefix(w.url, "http://"))
	w.eventually("the gateway serves", func() bool {
		select {
		case <-w.gateway.ended:
			require.Fail(w, "the gateway ended")
		default:
		}
		response, err := http.Get(w.url + "/livez")
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == 200
	})
}

func (w *world) startWorker() { w.worker = w.launch("worker") }

// killGateway and killWorker end a process with SIGKILL, and start it again.
func (w *world) killGateway() { w.gateway.kill(); w.startGateway() }
func (w *world) killWorker()  { w.worker.kill(); w.startWorker() }

type process struct {
	command *exec.Cmd
	ended   chan struct{}
	said    bytes.Buffer // read after the end
}

func (w *world) launch(program string, arguments ...string) *process {
	w.Helper()
	p := &process{ended: make(chan struct{})}
	p.command = exec.Command(filepath.Join(binaries, program), append(arguments,
		"--config", w.file, "--address", w.address, "--task-queue", w.queue, "--metrics-address", "127.0.0.1:0")...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SEGUE_") {
			p.command.Env = append(p.command.Env, variable)
		}
	}
	p.command.Env = append(p.command.Env, "SCXML_TEST_KEY="+strings.Repeat("k", 40))
	p.command.Stderr = &p.said
	require.NoError(w, p.command.Start())
	go func() { _ = p.command.Wait(); close(p.ended) }()
	w.Cleanup(func() {
		p.kill()
		if w.Failed() {
			w.Logf("%s:\n%s", program, p.said.String()[max(0, p.said.Len()-4000):])
		}
	})
	return p
}

func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended
	<-p.ended
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	return listener.Addr().String()
}

// get reads JSON from the gateway; false if it does not answer.
func (w *world) get(path string, into any) bool {
	response, err := http.Get(w.url + path)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == 200 && json.NewDecoder(response.Body).Decode(into) == nil
}

// callback is a request that the receiver has got.
type callback struct {
	Method, Path, ContentType, ID string
	Body                          map[string]any
}

// receiver records callbacks, and answers the requests of GWE as a backend does.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	all []callback
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, request *http.Request) {
		got := callback{Method: request.Method, Path: request.URL.RequestURI(), ContentType: request.Header.Get("Content-Type"), ID: request.Header.Get("webhook-id")}
		text, err := io.ReadAll(request.Body)
		if err != nil || json.Unmarshal(text, &got.Body) != nil {
			return // its sender was killed
		}
		r.mu.Lock()
		r.all = append(r.all, got)
		r.mu.Unlock()
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write([]byte(`{"status":"OK"}`))
	}))
	t.Cleanup(r.Close)
	return r
}

// distinct returns the callbacks without those that came again with the same id, which must be the same.
func (r *receiver) distinct(t *testing.T) []callback {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	first, once := map[string]callback{}, []callback{}
	for _, c := range r.all {
		require.NotEmpty(t, c.ID)
		if known, again := first[c.ID]; again {
			require.Equal(t, known, c)
			continue
		}
		first[c.ID] = c
		once = append(once, c)
	}
	return once
}

// event is a line that the engine prints.
type event struct {
	Event, State, Path string
	Statuses           []int
	Bodies             []map[string]any
}

// strategy starts the strategy for a visit. Its events come on the channel, which is closed at its end.
func (w *world) strategy(times int, profile map[string]any, capacity int) <-chan event {
	w.Helper()
	options, err := json.Marshal(map[string]any{"times": times, "task": map[string]any{"gateway": w.url, "profile": profile, "capacity": capacity, "agent": "ada"}})
	require.NoError(w, err)
	file, err := filepath.Abs("testdata/strategy.scxml")
	require.NoError(w, err)
	command := exec.CommandContext(w.Context(), "node", "engine.mjs", file, string(options))
	command.Dir = engine
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			command.Env = append(command.Env, variable)
		}
	}
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.StdoutPipe()
	require.NoError(w, err)
	require.NoError(w, command.Start())
	events, done := make(chan event, 1000), make(chan struct{})
	go func() {
		defer close(done)
		defer close(events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				events <- e
			}
		}
		_ = command.Wait() // what it said is logged
	}()
	w.Cleanup(func() {
		<-done
		if w.Failed() {
			w.Log(said.String())
		}
	})
	return events
}
