package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	querypb "go.temporal.io/api/query/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"

	"segue/contract"
)

// TestASecretAppearsNowhere plants a secret for every kind of authentication, and sends requests with them to
// receivers that echo what they get. It then searches everything that Segue writes, records, answers and prints: logs
// at debug level, histories with their payloads and failures, what Temporal describes and lists (memos, search
// attributes, heartbeats, details), queries, the command line, and metrics. At the end it plants values that are not
// secret, and finds them in the same places: the search can fail.
func TestASecretAppearsNowhere(t *testing.T) {
	t.Parallel()
	g := newEchoes(t)
	w := &collector{env: newEnv(t), environment: g.environment, gathered: map[string][]byte{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("still waited for: %q", w.open)
		}
	})
	config, calls := g.config()
	w.startBuild(workBin, config, append(g.environment, "SEGUE_LOG_LEVEL=debug", "SEGUE_LOG_FORMAT=json", "SEGUE_METRICS_ADDRESS=127.0.0.1:0")...)
	file := filepath.Join(t.TempDir(), "checked.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))

	w.start("c1", "inbound")
	w.settled(calls, 1)
	w.signal("c1", "dtmf", `{"digits":"7"}`) // known receivers, also within the workflow task
	w.settled(calls, 2)
	w.segue("redeliver", w.name+"/c1", "--call", "basic-plain", "--json")
	w.segue("redeliver", w.name+"/c1", "--call", "oauth2-json", "--rerender")
	w.segue("redeliver", w.name+"/c1", "--call", "bearer-cut", "--dry-run")
	w.segue("discard", w.name+"/c1", "--call", "query-url", "--yes")
	w.settled(calls, 2)

	for _, kind := range kinds {
		for _, answer := range answers {
			require.Positive(t, g.seen[kind+"-"+answer], "%s was sent to who answers with %s", kind, answer)
		}
	}
	w.gather(calls, file)
	metrics := w.metricsAddress()
	for _, page := range []string{"/metrics", "/readyz", "/livez"} {
		w.fetch("http://" + metrics + page)
	}
	require.Contains(t, string(w.gathered["/metrics"]), "basic-plain", "the metrics tell of the calls")
	require.Contains(t, string(w.gathered["history of basic-plain"]), "[secret]", "what was repeated is recorded, without the secret")
	require.Contains(t, string(w.gathered["query state"]), "[secret]", "and returned")
	for name, text := range w.gathered {
		assert.Empty(t, found(text, g.all()...), name)
	}

	control := canary{kind: "control", value: "canary-0a1b2c3d4e5f6a7b8c9d0e1f", cores: []string{"0a1b2c3d4e5f6a7b8c9d0e1f"}}
	w.signal("c1", "attach_user_data", fmt.Sprintf(`{"user_data":{"note":%q}}`, control.value))
	w.signal("c1", control.value, `{}`) // there is no such command: it is rejected, and logged without its name
	w.start(control.value, "inbound")
	w.signal(control.value, "teleport", `{}`) // the log has the id
	for _, id := range []string{"c1", control.value} {
		w.eventually(time.Minute, "the control arrives", func() bool {
			rejected, err := query[[]contract.Rejected](w.env, id, contract.QueryRejected)
			return err == nil && len(rejected) == 1
		})
	}
	w.gather(calls, file)
	for _, name := range []string{"log", "history", "query state", "query rejected", "segue show", "segue show --json", "segue export"} {
		require.NotEmpty(t, found(w.gathered[name], control), "%s: what is there is found", name)
	}
	w.signal("c1", "abandon", `{}`)
	w.signal(control.value, "abandon", `{}`)
}

// collector keeps everything that Segue has written, by place.
type collector struct {
	*env
	environment []string
	gathered    map[string][]byte
	open        []string // deliveries that are not final yet
}

func (w *collector) add(name string, text []byte) {
	w.gathered[name] = append(w.gathered[name], text...)
}

func (w *collector) message(name string, m proto.Message) {
	w.t.Helper()
	text, err := proto.Marshal(m) // it contains payloads and strings verbatim
	require.NoError(w.t, err)
	w.add(name, text)
}

// settled waits until each call has the expected number of deliveries and none is in flight, and collects what
// Temporal describes meanwhile.
func (w *collector) settled(calls []string, each int) {
	w.t.Helper()
	w.eventually(3*time.Minute, "all is delivered, parked or waiting behind what is parked", func() bool {
		executions := w.executions(calls)
		for _, id := range executions {
			w.describe(id)
		}
		w.open = w.unsettled(calls, each)
		return len(w.open) == 0
	})
}

// unsettled lists the deliveries that are not in a final state.
func (w *collector) unsettled(calls []string, each int) (list []string) {
	deliveries, err := query[[]contract.DeliveryRecord](w.env, "c1", contract.QueryDeliveries)
	if err != nil || len(deliveries) < each*len(calls) {
		return []string{fmt.Sprintf("%d deliveries of %d, %v", len(deliveries), each*len(calls), err)}
	}
	for _, d := range deliveries {
		switch d.Status {
		case contract.StatusDelivered, contract.StatusParked, contract.StatusDiscarded:
			continue
		case contract.StatusInLane:
			if w.rests(d.Call) {
				continue
			}
		}
		list = append(list, fmt.Sprintf("%s %d: %s %s", d.Call, d.Sequence, d.Status, d.Class))
	}
	return list
}

// rests reports whether a lane waits for an operator.
func (w *collector) rests(call string) bool {
	var records []contract.DeliveryRecord
	value, err := w.client.QueryWorkflow(w.t.Context(), w.lane(call), "", contract.QueryDeliveries)
	if err != nil || value.Get(&records) != nil {
		return false
	}
	return slices.ContainsFunc(records, func(d contract.DeliveryRecord) bool { return d.Status == contract.StatusParked }) ||
		!slices.ContainsFunc(records, func(d contract.DeliveryRecord) bool {
			return d.Status == contract.StatusWaiting || d.Status == contract.StatusAttempting
		})
}

func (w *collector) lane(call string) string {
	return contract.DeliveryWorkflowID(contract.Owner{ContactCenter: w.name, Interaction: "c1"}, call)
}

// executions returns the ids of all workflows that may exist.
func (w *collector) executions(calls []string) []string {
	ids := []string{w.workflowID("c1")}
	for _, call := range calls {
		ids = append(ids, w.lane(call))
	}
	return ids
}

func (w *collector) describe(id string) bool {
	answer, err := w.client.WorkflowService().DescribeWorkflowExecution(w.t.Context(), &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: "default", Execution: &commonpb.WorkflowExecution{WorkflowId: id}})
	if err != nil {
		return false // a lane that never failed
	}
	w.message("description", answer)
	return true
}

// gather collects from all places.
func (w *collector) gather(calls []string, file string) {
	w.t.Helper()
	w.logMu.Lock()
	w.add("log", w.log.Bytes())
	w.logMu.Unlock()
	for i, id := range w.executions(calls) {
		if !w.describe(id) {
			continue
		}
		name := "history"
		queries := []string{contract.QueryDeliveries, "__temporal_workflow_metadata", "__stack_trace"}
		if i == 0 {
			queries = append(queries, contract.QueryState, contract.QueryTimeline, contract.QueryRejected)
		} else {
			name += " of " + calls[i-1]
			w.segue("export", w.name+"/c1", "--call", calls[i-1], "--out", "-")
		}
		for _, event := range w.historyOf(id, "") {
			w.message(name, event)
		}
		for _, name := range queries {
			w.query(id, name)
		}
	}
	for _, execution := range w.listed() {
		w.message("list", execution)
	}
	w.segue("show", w.name+"/c1")
	w.segue("show", w.name+"/c1", "--json")
	w.segue("deliveries", w.name+"/c1")
	w.segue("deliveries", "--contact-center", w.name, "--json")
	w.segue("export", w.name+"/c1", "--out", "-")
	w.segue("list", "--contact-center", w.name, "--json")
	w.segue("check", file)
	w.segue("check", file, "--json")
}

func (w *collector) query(id, name string) {
	w.t.Helper()
	answer, err := w.client.WorkflowService().QueryWorkflow(w.t.Context(), &workflowservice.QueryWorkflowRequest{
		Namespace: "default", Execution: &commonpb.WorkflowExecution{WorkflowId: id}, Query: &querypb.WorkflowQuery{QueryType: name}})
	require.NoError(w.t, err, "%s of %s", name, id)
	w.message("query "+name, answer)
}

func (w *collector) listed() (all []*workflowpb.WorkflowExecutionInfo) {
	w.t.Helper()
	return w.list(fmt.Sprintf("SegueContactCenter = %q", w.name))
}

// segue runs a command and keeps its output, by name and flags.
func (w *collector) segue(args ...string) {
	w.t.Helper()
	command := exec.Command(segueBin, append(args, "--address", temporal.Address, "--task-queue", w.name)...)
	command.Env = append(os.Environ(), w.environment...)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	require.NoError(w.t, command.Run(), "segue %s: %s", strings.Join(args, " "), out.String())
	name := "segue " + args[0]
	if slices.Contains(args, "--json") {
		name += " --json"
	}
	w.add(name, out.Bytes())
}

// fetch keeps the response of a process to an HTTP request.
func (w *collector) fetch(url string) {
	w.t.Helper()
	answer, err := http.Get(url)
	require.NoError(w.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(w.t, err)
	w.add(url[strings.LastIndexByte(url, '/'):], text)
}

// servedJSON finds the address on which a worker that logs JSON serves metrics and health.
var servedJSON = regexp.MustCompile(`"msg":"serving metrics and health","address":"([^"]+)"`)

func (w *collector) metricsAddress() string {
	w.t.Helper()
	w.logMu.Lock()
	defer w.logMu.Unlock()
	found := servedJSON.FindSubmatch(w.log.Bytes())
	require.NotNil(w.t, found)
	return string(found[1])
}
