package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/contract"
	"segue/metrics/metricstest"
)

// process is a worker that serves metrics and health, and whose configuration file the test changes.
type process struct {
	*env
	command *exec.Cmd
	file    string
	address string // of its metrics and health
}

// served finds the address on which a worker serves metrics and health.
var served = regexp.MustCompile(`msg="serving metrics and health" address=(\S+)`)

// startProcess runs a worker with a log of its own until the test ends.
func startProcess(e *env, yaml string) *process {
	e.t.Helper()
	p := &process{env: &env{t: e.t, client: e.client, name: e.name}, file: filepath.Join(e.t.TempDir(), "segue.yaml")}
	p.write(yaml)
	p.command = exec.Command(workBin, "--config", p.file, "--metrics-address", "127.0.0.1:0")
	p.command.Env = append(os.Environ(), "SEGUE_TEMPORAL_ADDRESS="+temporal.Address, "SEGUE_TEMPORAL_TASK_QUEUE="+e.name, "SEGUE_TEST_GONE=")
	p.command.Stdout, p.command.Stderr = p, p
	require.NoError(e.t, p.command.Start())
	e.t.Cleanup(func() {
		_ = p.command.Process.Kill() // it may have ended
		_ = p.command.Wait()
		if e.t.Failed() {
			e.t.Logf("worker:\n%.20000s", p.said())
		}
	})
	p.eventually(time.Minute, "the worker says where it serves metrics and health", func() bool {
		found := served.FindStringSubmatch(p.said())
		if found != nil {
			p.address = found[1]
		}
		return found != nil
	})
	return p
}

func (p *process) said() string {
	p.logMu.Lock()
	defer p.logMu.Unlock()
	return p.log.String()
}

// write replaces the configuration file atomically, as careful programs do.
func (p *process) write(yaml string) {
	p.t.Helper()
	require.NoError(p.t, os.WriteFile(p.file+".new", []byte(yaml), 0o600))
	require.NoError(p.t, os.Rename(p.file+".new", p.file))
}

func (p *process) get(path string) (int, string) {
	p.t.Helper()
	response, err := http.Get("http://" + p.address + path)
	require.NoError(p.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	return response.StatusCode, string(body)
}

// ready is the part of /readyz that these tests check.
type ready struct {
	Ready         bool
	Temporal      struct{ Connected bool }
	Configuration struct {
		Version    string
		LastReload struct {
			Outcome string
			Errors  []struct {
				Line          int
				Path, Problem string
			}
		} `json:"last_reload"`
		MissingSecrets []struct{ Line int } `json:"missing_secrets"`
		NeedsRestart   []string             `json:"needs_restart"`
	}
}

func (p *process) ready() (code int, r ready) {
	p.t.Helper()
	code, body := p.get("/readyz")
	require.NoError(p.t, json.Unmarshal([]byte(body), &r))
	return code, r
}

// awaits waits until /readyz fulfils a condition.
func (p *process) awaits(what string, condition func(ready) bool) ready {
	p.t.Helper()
	var r ready
	p.eventually(time.Minute, what, func() bool {
		_, r = p.ready()
		return condition(r)
	})
	return r
}

// scrape reads the metrics as Prometheus does.
func (p *process) scrape() map[string]*dto.MetricFamily {
	p.t.Helper()
	code, body := p.get("/metrics")
	require.Equal(p.t, 200, code)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	require.NoError(p.t, err)
	return families
}

func (p *process) values(name string) map[string]float64 {
	p.t.Helper()
	return metricstest.Values(p.scrape()[name])
}

// versioned returns a configuration whose requests contain its number.
func versioned(url, word string) string {
	return strings.Replace(probeConfig(url, "interaction_starts", "script_signal"), `when: "${event.when}"`, `when: "${event.when}", config: `+word, 1)
}

func TestAnOpenInteractionFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	receiver := newReceiver(t, func(arrival) int { return 200 })
	e := newEnv(t)
	p := startProcess(e, versioned(receiver.URL, "one"))
	first := p.awaits("ready", func(r ready) bool { return r.Ready }).Configuration.Version
	e.start("r1", "inbound")
	arrived := func(number int, word string) {
		t.Helper()
		e.eventually(time.Minute, fmt.Sprintf("request %d", number), func() bool { return len(receiver.seen()) == number })
		require.Contains(t, receiver.seen()[number-1].Body, `"config":"`+word+`"`)
	}
	arrived(1, "one")

	p.write(versioned(receiver.URL, "two"))
	second := p.awaits("the second configuration", func(r ready) bool { return r.Configuration.Version != first }).Configuration.Version
	e.signal("r1", "script_signal", `{"p1":"x"}`)
	arrived(2, "two")

	// A bad file changes nothing but the health report.
	p.write(strings.Replace(versioned(receiver.URL, "three"), "method: POST", "methud: POST", 1))
	r := p.awaits("the bad one is refused", func(r ready) bool { return r.Configuration.LastReload.Outcome == "rejected" })
	code, _ := p.get("/readyz")
	require.Equal(t, 200, code)
	require.Equal(t, second, r.Configuration.Version)
	mistake := r.Configuration.LastReload.Errors[1] // the first one is about the missing method
	require.Equal(t, []any{4, "calls[0].methud", "there is no such key"}, []any{mistake.Line, mistake.Path, mistake.Problem})
	require.Equal(t, map[string]float64{"": 0}, p.values("segue_config_last_reload_successful"))
	e.signal("r1", "script_signal", `{"p1":"y"}`)
	arrived(3, "two")

	// A missing secret blocks only its own call; settings that need a restart are listed.
	last := versioned(receiver.URL, "four") + "\ntemporal: {namespace: elsewhere}\n"
	last = strings.Replace(last, "triggers:", "  - {name: other, method: GET, url: \"http://127.0.0.1:1/\", auth: {bearer: env:SEGUE_TEST_GONE}}\ntriggers:", 1)
	p.write(last)
	require.NoError(t, p.command.Process.Signal(syscall.SIGHUP))
	r = p.awaits("the last configuration", func(r ready) bool { return r.Configuration.LastReload.Outcome != "rejected" })
	require.True(t, r.Ready)
	require.Len(t, r.Configuration.MissingSecrets, 1)
	require.Equal(t, []string{"temporal.namespace"}, r.Configuration.NeedsRestart)
	e.signal("r1", "script_signal", `{"p1":"z"}`)
	arrived(4, "four")
	e.signal("r1", "abandon", `{}`)

	records, err := query[[]contract.DeliveryRecord](e, "r1", contract.QueryDeliveries)
	require.NoError(t, err)
	require.Len(t, records, 4)
	var versions []string
	for _, record := range records {
		versions = append(versions, record.Version)
	}
	require.Equal(t, []string{first, second, second, r.Configuration.Version}, versions, "each delivery says which one it was made with")
	require.Equal(t, map[string]float64{"version=" + r.Configuration.Version: 1}, p.values("segue_config_info"))
	require.Equal(t, 1.0, p.values("segue_config_reloads_total")["outcome=rejected"])
	require.Contains(t, p.said(), `msg="configuration rejected, the current one stays active"`)
	require.Contains(t, p.said(), `msg="a changed setting takes effect after a restart; restart the process" setting=temporal.namespace`)
}

func TestAWorkersMetrics(t *testing.T) {
	t.Parallel()
	crm := newReceiver(t, func(arrival) int { return 200 })
	e := newEnv(t)
	config := strings.Replace(probeConfig(crm.URL, "interaction_starts", "script_signal"), "triggers:", `  - {name: dead, method: POST, url: "http://127.0.0.1:1/", text: x, retry: {schedule: [1h]}}
triggers:
  - {when: script_signal, call: dead}`, 1)
	p := startProcess(e, config)
	const count = 4
	for i := range count {
		id := fmt.Sprintf("canary-interaction-%d", i)
		run, err := e.client.ExecuteWorkflow(t.Context(),
			client.StartWorkflowOptions{ID: contract.InteractionWorkflowID("canary-center", id), TaskQueue: e.name},
			contract.WorkflowInteraction, map[string]any{"id": id, "contact_center": "canary-center", "channel": "inbound", "ani": "canary-number"})
		require.NoError(t, err)
		for _, command := range [][2]string{
			{"script_signal", `{"p1":"canary-data","event_id":"e"}`}, {"script_signal", `{"p1":"canary-data","event_id":"e"}`},
			{"offer", `{"agent":{"id":"canary-agent"}}`}, {"canary-command", `{}`},
		} {
			require.NoError(t, e.client.SignalWorkflow(t.Context(), run.GetID(), "", command[0], json.RawMessage(command[1])))
		}
	}
	e.eventually(time.Minute, "all that can arrive has", func() bool {
		values := p.values("segue_delivery_attempts_total")
		return values["call=probe,class=ok"] == 2*count && p.values("segue_deliveries_handed_over_total")["call=dead"] == count
	})
	require.Equal(t, map[string]float64{
		"command=script_signal,result=applied": count, "command=script_signal,result=duplicate": count,
		"command=offer,result=applied": count, "command=unknown,result=rejected": count,
	}, p.values("segue_commands_total"))
	require.Equal(t, map[string]float64{"call=probe": 2 * count}, p.values("segue_delivery_age_seconds"))
	require.Positive(t, p.values("segue_delivery_attempts_total")["call=dead,class=refused"])
	require.Equal(t, 1.0, p.values("segue_ready")[""])

	// Lanes and interactions are counted twice a minute, by one of the processes.
	other := startProcess(e, config)
	var counts *process
	e.eventually(90*time.Second, "one process counts the lanes", func() bool {
		shown := 0
		for _, worker := range []*process{p, other} {
			if len(worker.values("segue_survey_timestamp_seconds")) > 0 {
				shown++
				counts = worker
			}
		}
		return shown == 1 && counts.values("segue_lanes_open")["call=dead"] == count && counts.values("segue_interactions_undelivered")[""] == count
	})
	lanes := counts.values("segue_lanes_open")
	require.Contains(t, lanes, "call=probe")
	require.Equal(t, 0.0, lanes["call=probe"])
	require.Positive(t, counts.values("segue_lanes_oldest_age_seconds")["call=dead"])
	require.Equal(t, map[string]float64{"": count}, counts.values("segue_interactions_open"))

	requireDocumented(t, p, other)
	for _, worker := range []*process{p, other} {
		_, text := worker.get("/metrics")
		require.NotContains(t, text, "canary", "nobody's data is in a name or a label")
	}
}

// requireDocumented compares the metrics of workers with the catalogue and with docs/metrics.md. A gateway serves those of
// the gateway; its own tests look for them.
func requireDocumented(t *testing.T, processes ...*process) {
	t.Helper()
	catalogue := map[string][]string{}
	for _, metric := range metricstest.New(t).Catalogue() {
		catalogue[metric.Name] = metric.Labels
	}
	seen := map[string]bool{}
	for _, p := range processes {
		for name, family := range p.scrape() {
			seen[name] = true
			if !strings.HasPrefix(name, "segue_") {
				continue
			}
			want, ok := catalogue[name]
			require.True(t, ok, "%s is not in the catalogue", name)
			for _, series := range family.GetMetric() {
				var labels []string
				for _, e := range series.GetLabel() {
					labels = append(labels, e.GetName())
				}
				require.ElementsMatch(t, want, labels, name)
			}
		}
	}
	for name := range catalogue {
		require.True(t, seen[name] || strings.HasPrefix(name, "segue_gateway_"), "no process serves %s", name)
	}
	text, err := os.ReadFile("../docs/metrics.md")
	require.NoError(t, err)
	documented := regexp.MustCompile("(?m)^\\| `(temporal_[a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, documented)
	for _, m := range documented {
		require.True(t, seen[m[1]], "no process serves %s", m[1])
	}
}

// TestAStoppingWorkerIsNotReady stops a worker with a delivery in flight: /readyz reports that it is stopping.
func TestAStoppingWorkerIsNotReady(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	receiver := newReceiver(t, func(arrival) int {
		<-held
		return 200
	})
	e := newEnv(t)
	p := startProcess(e, probeConfig(receiver.URL, "interaction_starts"))
	p.awaits("ready", func(r ready) bool { return r.Ready })
	probe := func() (string, error) {
		out, err := exec.CommandContext(t.Context(), workBin, "--probe", p.address).CombinedOutput()
		return string(out), err
	}
	out, err := probe()
	require.NoError(t, err, out)
	e.start("s1", "inbound")
	e.eventually(time.Minute, "a request is under way", func() bool { return len(receiver.seen()) == 1 })
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	p.awaits("not ready any more", func(r ready) bool { return !r.Ready })
	code, _ := p.get("/livez")
	require.Equal(t, 200, code)
	out, err = probe()
	require.Error(t, err)
	require.Equal(t, "worker: not ready: the process is stopping\n", out)
	close(held)
	require.NoError(t, p.command.Wait(), "a clean end")
	require.Len(t, receiver.seen(), 1)
	out, err = probe()
	require.Error(t, err)
	require.Contains(t, out, "connection refused")
}
