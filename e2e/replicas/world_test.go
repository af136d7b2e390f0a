package replicas_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"segue/client"
	"segue/contract"
	"segue/embedded"
	"segue/interaction"
)

const (
	startWithin = time.Minute
	pollEvery   = 20 * time.Millisecond
	// healedWithin is when lists and streams have what a killed worker did not publish.
	healedWithin = 10 * time.Second
)

// until returns how long is left of a time since a moment. CI measures no times: its machine may be busy with
// other tests. There it is at least a minute.
func until(within time.Duration, since time.Time) time.Duration {
	if *full {
		return within - time.Since(since)
	}
	return max(within, time.Minute)
}

// quickly is the longest time that an answer may take which waits for nothing.
func quickly() time.Duration {
	if *full {
		return commandDeadline / 2
	}
	return commandDeadline
}

// world is a task queue and a contact center with a bus, workers and gateways.
type world struct {
	*testing.T
	temporal  *embedded.Server
	name      string // of the task queue and the contact center
	busAt     string
	more      string // of the configuration
	bus       *process
	store     string // of the bus
	receiver  *receiver
	client    *client.Client
	workers   []*process
	mu        sync.Mutex
	gateways  []*gateway
	transport http.RoundTripper
}

// newWorld returns a world on a Temporal, without workers and gateways.
func newWorld(t *testing.T, server *embedded.Server) *world {
	t.Helper()
	name := strings.NewReplacer("/", "-", " ", "-", "#", "-").Replace(strings.TrimPrefix(t.Name(), "Test"))
	w := &world{
		T: t, temporal: server, name: fmt.Sprintf("%.30s-%d", name, time.Now().UnixNano()), busAt: freeAddress(t), store: t.TempDir(),
		receiver: newReceiver(t), transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}
	c, err := dial(t.Context(), server)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	w.client = &client.Client{Temporal: c, TaskQueue: w.name}
	t.Cleanup(w.forget)
	w.startBus()
	return w
}

// forget ends the interactions of the world: gateways of other tests on the same Temporal list them.
func (w *world) forget() {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	query := fmt.Sprintf("TaskQueue = %q AND ExecutionStatus = 'Running'", w.name)
	page, err := w.client.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: 1000})
	if err != nil {
		return // the test has ended this Temporal
	}
	for _, one := range page.GetExecutions() {
		_ = w.client.Temporal.TerminateWorkflow(ctx, one.GetExecution().GetWorkflowId(), "", "the test is over") // it may have ended
	}
}

// startBus starts the NATS server, with what it has stored.
func (w *world) startBus() {
	w.Helper()
	w.bus = launch(w.T, "nats", itself(w.T, asNATS, natsOptions{Address: w.busAt, Store: w.store}))
}

// config returns the configuration of all processes that reach the bus at an address.
func (w *world) config(busAt string) string {
	return fmt.Sprintf(`
calls:
  - name: tell
    method: POST
    url: %s/tell
    json: {id: "${interaction.id}", digits: "${event.digits}"}
    limits: {concurrency: 0}
    retry: {schedule: [100ms, 500ms, 1s, 2s, 5s, 5s, 5s]}
triggers:
  - {when: inbound.dtmf, call: tell}
timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 0s}}
bus: {url: "nats://%s"}
guard: {allow: ["127.0.0.0/8"]}
`, w.receiver.URL, busAt) + w.more
}

// startWorker starts a worker; change may change its options.
func (w *world) startWorker(change ...func(*workerOptions)) *process {
	w.Helper()
	o := workerOptions{Address: w.temporal.Address, Queue: w.name, YAML: w.config(w.busAt)}
	for _, one := range change {
		one(&o)
	}
	command := itself(w.T, asWorker, o)
	out, err := command.StdoutPipe()
	require.NoError(w, err)
	p := launch(w.T, "worker", command)
	var serves struct{ Bus string }
	require.NoError(w, firstLine(out, &serves))
	p.busAt = serves.Bus
	w.workers = append(w.workers, p)
	return p
}

// gateway is a process of `segue serve`.
type gateway struct {
	*process
	URL string
}

// startGateway starts a gateway on the bus.
func (w *world) startGateway() *gateway { return w.startGatewayOn(w.busAt) }

// startGatewayOn starts a gateway that reaches the bus at an address, and waits until it is ready.
func (w *world) startGatewayOn(busAt string) *gateway {
	w.Helper()
	file := filepath.Join(w.TempDir(), "segue.yaml")
	require.NoError(w, os.WriteFile(file, []byte(w.config(busAt)), 0o600))
	command := exec.Command(segueBin, "serve", "--json", "--config", file, "--address", w.temporal.Address, "--task-queue", w.name,
		"--listen", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0")
	command.Env = bare()
	out, err := command.StdoutPipe()
	require.NoError(w, err)
	g := &gateway{process: launch(w.T, "gateway", command)}
	var ready struct{ Gateway, Metrics string }
	require.NoError(w, firstLine(out, &ready))
	g.URL = ready.Gateway
	w.mu.Lock()
	w.gateways = append(w.gateways, g)
	w.mu.Unlock()
	w.awaitReady(g)
	return g
}

func (w *world) awaitReady(g *gateway) {
	w.Helper()
	w.eventually(startWithin, "the gateway is ready", func() bool {
		got, err := w.request(w.Context(), g, "", http.MethodGet, "/readyz", "", "")
		return err == nil && got.status == http.StatusOK
	})
}

// awaitBus waits until all processes have the bus again: gateways read it, and workers have published what waited.
func (w *world) awaitBus() {
	w.Helper()
	lacks := func() string {
		text := ""
		for i, g := range w.replicas() {
			got, err := w.request(w.Context(), g, "", http.MethodGet, "/readyz", "", "")
			var health struct{ Degraded []string }
			if err == nil {
				err = json.Unmarshal(got.body, &health)
			}
			if err != nil || got.status != http.StatusOK || len(health.Degraded) > 0 {
				text += fmt.Sprintf("gateway %d: %s (%v); ", i, got.body, err)
			}
		}
		for i, p := range w.workers {
			var now publishing
			if err := w.read(p.busAt, &now); err != nil || !now.Connected || now.Waiting > 0 {
				text += fmt.Sprintf("worker %d: %+v (%v); ", i, now, err)
			}
		}
		return text
	}
	w.eventually(startWithin, "all processes have the bus", func() bool { return lacks() == "" }, lacks)
}

// read reads JSON of a process.
func (w *world) read(from string, into any) error {
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	response, err := w.transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

// drop removes a gateway that was killed from those that clients use.
func (w *world) drop(g *gateway) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, one := range w.gateways {
		if one == g {
			w.gateways = append(w.gateways[:i:i], w.gateways[i+1:]...)
			return
		}
	}
}

// replica returns one of the gateways, for a rising number.
func (w *world) replica(number int) *gateway {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gateways[number%len(w.gateways)]
}

func (w *world) replicas() []*gateway {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*gateway(nil), w.gateways...)
}

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// command returns the answer of a command.
func (a answer) command(t testing.TB) contract.Answer {
	t.Helper()
	var got contract.Answer
	require.NoError(t, json.Unmarshal(a.body, &got), "%s", a.body)
	return got
}

// requestWithin is how long a client waits for an answer: longer than the gateway does for Temporal.
const requestWithin = 20 * time.Second

// request sends a request as an agent, or without one as the platform.
func (w *world) request(ctx context.Context, g *gateway, agent, method, path, key, body string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, g.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Segue-Contact-Center", w.name)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	if agent != "" {
		r.SetBasicAuth(agent, "any")
	}
	response, err := w.transport.RoundTrip(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	got := answer{status: response.StatusCode, header: response.Header}
	got.body, err = io.ReadAll(response.Body)
	return got, err
}

// must sends a request, which has to succeed.
func (w *world) must(g *gateway, agent, method, path, body string) answer {
	w.Helper()
	got, err := w.request(w.Context(), g, agent, method, path, "", body)
	require.NoError(w, err)
	require.Less(w, got.status, 300, "%s %s: %s", method, path, got.body)
	return got
}

// command sends a command, which has to succeed.
func (w *world) command(g *gateway, agent, id, name, payload string) contract.Answer {
	w.Helper()
	return w.must(g, agent, http.MethodPost, "/v1/interactions/"+id+"/commands/"+name, payload).command(w)
}

func (w *world) start(g *gateway, id string) {
	w.Helper()
	w.must(g, "", http.MethodPost, "/v1/interactions", fmt.Sprintf(`{"id":%q,"channel":"inbound","queue":"q"}`, id))
}

func (w *world) named(id string) client.Name { return client.Name{ContactCenter: w.name, ID: id} }

// list returns the ids and revisions of a list of open interactions.
func (w *world) list(g *gateway, agent string, filters url.Values) (map[string]int64, error) {
	if filters == nil {
		filters = url.Values{}
	}
	filters.Set("open", "true")
	filters.Set("limit", "1000")
	got, err := w.request(w.Context(), g, agent, http.MethodGet, "/v1/interactions?"+filters.Encode(), "", "")
	if err != nil {
		return nil, err
	}
	if got.status != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", got.status, got.body)
	}
	var page struct {
		Interactions []struct {
			ID       string
			Revision int64
		}
	}
	if err := json.Unmarshal(got.body, &page); err != nil {
		return nil, err
	}
	found := map[string]int64{}
	for _, one := range page.Interactions {
		found[one.ID] = one.Revision
	}
	return found, nil
}

// truth returns the revisions of those of the interactions that are open, as Temporal has them.
func (w *world) truth(ids ...string) map[string]int64 {
	w.Helper()
	open := map[string]int64{}
	for _, id := range ids {
		s, err := w.client.State(w.Context(), w.named(id))
		require.NoError(w, err)
		if s.State != interaction.StateCompleted {
			open[id] = s.Revision
		}
	}
	return open
}

// present returns what is the truth now, or was a second ago: a command that was not answered may be applied while a
// test waits.
func (w *world) present(ids ...string) func() map[string]int64 {
	var read time.Time
	var truth map[string]int64
	return func() map[string]int64 {
		w.Helper()
		if time.Since(read) > time.Second {
			truth, read = w.truth(ids...), time.Now()
		}
		return truth
	}
}

// agree requires that the lists of all gateways are right within a time.
func (w *world) agree(within time.Duration, ids ...string) {
	w.Helper()
	begin, present := time.Now(), w.present(ids...)
	for i, g := range w.replicas() {
		var found, truth map[string]int64
		var err error
		w.eventually(until(within, begin), "the lists are right", func() bool {
			found, err = w.list(g, "", nil)
			truth = present()
			return err == nil && fmt.Sprint(found) == fmt.Sprint(truth)
		}, func() string { return fmt.Sprintf("gateway %d: %v, %v; want %v", i, found, err, truth) })
	}
}

// eventually waits until a condition holds.
func (w *world) eventually(within time.Duration, what string, condition func() bool, about ...func() string) {
	w.Helper()
	ctx, cancel := context.WithTimeoutCause(w.Context(), max(within, pollEvery), errors.New(what))
	defer cancel()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for !condition() {
		select {
		case <-poll.C:
		case <-ctx.Done():
			text := ""
			for _, one := range about {
				text += one()
			}
			require.Fail(w, "not within "+within.String()+": "+what, text)
		}
	}
}
