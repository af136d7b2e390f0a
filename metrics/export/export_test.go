package export_test

import (
	"errors"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.uber.org/goleak"

	"segue/metrics"
	"segue/metrics/metricstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// exercise records with every instrument, and returns the probe.
func exercise(t *testing.T) *metricstest.Probe {
	t.Helper()
	p := metricstest.New(t)
	ago := time.Now().Add(-time.Minute)
	p.Begin([]string{"crm", "bi"})
	p.Event("interaction_starts")
	p.Dispatched("crm", metrics.RouteInline)
	p.HandedOver("crm", 3)
	p.Attempted(metrics.Attempt{Call: "crm", Class: "ok", Sent: true, Took: 20 * time.Millisecond, Delivered: true, At: ago})
	p.Attempted(metrics.Attempt{Call: "crm", Class: "limited", At: ago})
	p.Reloaded(metrics.Rejected)
	p.Surveyed(errors.New("no"))
	p.Surveyed(nil)
	p.GatewayRequest("GET /readyz", 503, time.Millisecond)
	p.GatewayRefused("expired")
	p.GatewayConnectionRefused()
	p.GatewayUpdate(7)
	p.GatewayNotice(-time.Second)
	p.VisitorMessage("invitation")
	p.VisitorAnswer("accepted", "applied")
	stop, err := p.ObserveGateway(metrics.GatewaySources{
		Connections: func() int { return 3 }, Streams: func() int { return 2 }, Indexed: func() int { return 9 },
		Sessions: func() int { return 5 }, Waiting: func() int { return 4 }, Delivered: func() int64 { return 2 },
		Complete: func() bool { return true }, BusConnected: func() bool { return false },
		Pages: func() int { return 6 }, Invitations: func() int { return 8 },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stop()) })
	commandOf(t, p)
	h := p.InFlight("crm", 2, ago)
	t.Cleanup(h.Release)
	survey := &metrics.Survey{At: ago, Lanes: map[string]metrics.Lanes{}, Interactions: 7, Undelivered: 2}
	for call, parked := range map[string]int{"crm": 4, "gone": 0, "gone-too": 1} {
		lanes := survey.Lanes[call]
		lanes.Add(ago, parked)
		lanes.Add(ago.Add(-time.Hour), 0)
		survey.Lanes[call] = lanes
	}
	require.NoError(t, p.Observe(metrics.Sources{
		Calls: func() []string { return []string{"crm", "bi"} },
		Receivers: func() []metrics.Receiver {
			return []metrics.Receiver{{Call: "crm", Breaker: "open"}, {Call: "bi", Breaker: "closed", Inline: true}}
		},
		Survey: func() *metrics.Survey { return survey },
		Configuration: func() metrics.Configuration {
			return metrics.Configuration{Version: "abc", LoadedAt: ago, OK: false, MissingSecrets: 1, RestartsNeeded: 2}
		},
		Ready: func() bool { return true },
	}))
	return p
}

// commandOf counts as workflow code does, through Temporal's handler and with its labels.
func commandOf(t *testing.T, p *metricstest.Probe) {
	t.Helper()
	handler := handlerOf(t, p).WithTags(map[string]string{"namespace": "default", "workflow_type": "Interaction"})
	handler.WithTags(map[string]string{metrics.LabelCommand: "offer", metrics.LabelResult: metrics.ResultApplied}).Counter(metrics.CommandsName).Inc(1)
}

func handlerOf(t *testing.T, p *metricstest.Probe) client.MetricsHandler {
	t.Helper()
	plugin, err := p.Plugin()
	require.NoError(t, err)
	var options client.Options
	require.NoError(t, plugin.ConfigureClient(t.Context(), client.PluginConfigureClientOptions{ClientOptions: &options}))
	return options.MetricsHandler
}

func TestTheCatalogueIsWhatIsExported(t *testing.T) {
	p := exercise(t)
	kinds := map[dto.MetricType]metrics.Kind{
		dto.MetricType_COUNTER: metrics.Counter, dto.MetricType_GAUGE: metrics.Gauge, dto.MetricType_HISTOGRAM: metrics.Histogram,
	}
	exported := map[string]metrics.Entry{}
	for name, family := range p.Families() {
		if !strings.HasPrefix(name, "segue_") {
			continue
		}
		e := metrics.Entry{Name: name, Kind: kinds[family.GetType()], Help: family.GetHelp()}
		for i, series := range family.GetMetric() {
			var labels []string
			for _, l := range series.GetLabel() {
				labels = append(labels, l.GetName())
			}
			if i > 0 {
				require.Equal(t, e.Labels, labels, name)
			}
			e.Labels = labels
		}
		exported[name] = e
	}
	for _, want := range p.Catalogue() {
		got, ok := exported[want.Name]
		require.True(t, ok, "%s is not exported, or not under this name", want.Name)
		slices.Sort(want.Labels)
		require.Equal(t, want.Labels, got.Labels, want.Name)
		require.Equal(t, want.Kind, got.Kind, want.Name)
		require.Equal(t, want.Help, got.Help, want.Name)
		require.Equal(t, want.Unit == "s", strings.HasSuffix(want.Name, "_seconds"), want.Name)
		require.Equal(t, want.Kind == metrics.Counter, strings.HasSuffix(want.Name, "_total"), want.Name)
		delete(exported, want.Name)
	}
	require.Empty(t, exported, "every exported metric is in the catalogue")
}

func TestWhatIsRecordedIsExported(t *testing.T) {
	p := exercise(t)
	require.Equal(t, map[string]float64{"call=crm,class=ok": 1, "call=crm,class=limited": 1}, p.Values("segue_delivery_attempts_total"))
	require.Equal(t, map[string]float64{"call=crm": 1}, p.Values("segue_delivery_age_seconds"))
	require.Equal(t, map[string]float64{"call=crm": 1}, p.Values("segue_delivery_waiting_age_seconds"), "a delayed delivery has an age, too")
	require.Equal(t, map[string]float64{"call=crm": 1}, p.Values("segue_delivery_attempt_duration_seconds"), "only what was sent")
	require.Equal(t, 1.0, p.Values("segue_deliveries_dispatched_total")["call=crm,way=inline"])
	require.Contains(t, p.Values("segue_deliveries_dispatched_total"), "call=bi,way=lane", "zero before anything happens")
	require.Equal(t, map[string]float64{"call=crm": 3, "call=bi": 0}, p.Values("segue_deliveries_handed_over_total"))
	require.Equal(t, map[string]float64{"command=offer,result=applied": 1}, p.Values("segue_commands_total"))
	require.Equal(t, map[string]float64{"call=crm": 2, "call=bi": 0}, p.Values("segue_deliveries_in_flight"))
	require.Equal(t, map[string]float64{"call=crm": 2, "call=bi": 0, "call=(removed)": 4}, p.Values("segue_lanes_open"))
	require.Equal(t, map[string]float64{"call=crm": 1, "call=bi": 0, "call=(removed)": 1}, p.Values("segue_lanes_parked"))
	require.Equal(t, map[string]float64{"call=crm": 4, "call=bi": 0, "call=(removed)": 1}, p.Values("segue_deliveries_parked"))
	require.InDelta(t, 3660, p.Values("segue_lanes_oldest_age_seconds")["call=crm"], 5)
	require.Zero(t, p.Values("segue_lanes_oldest_age_seconds")["call=bi"])
	require.Equal(t, 1.0, p.Values("segue_breaker_state")["call=crm,state=open"])
	require.Equal(t, 0.0, p.Values("segue_breaker_state")["call=crm,state=closed"])
	require.Equal(t, map[string]float64{"version=abc": 1}, p.Values("segue_config_info"))
	require.Equal(t, map[string]float64{"": 0}, p.Values("segue_config_last_reload_successful"))
	require.Equal(t, map[string]float64{"outcome=failed": 1, "outcome=ok": 1}, p.Values("segue_surveys_total"))
	require.Equal(t, map[string]float64{"route=GET /readyz,status=503": 1}, p.Values("segue_gateway_requests_total"))
	require.Equal(t, map[string]float64{"route=GET /readyz": 1}, p.Values("segue_gateway_request_duration_seconds"))
	require.Equal(t, map[string]float64{"reason=expired": 1}, p.Values("segue_gateway_refusals_total"))
	require.Equal(t, map[string]float64{"": 1}, p.Values("segue_gateway_connections_refused_total"))
	require.Equal(t, 7.0, p.Families()["segue_gateway_update_commands"].GetMetric()[0].GetHistogram().GetSampleSum())
	require.Zero(t, p.Families()["segue_gateway_notice_age_seconds"].GetMetric()[0].GetHistogram().GetSampleSum(), "clocks differ; an age is never negative")
	require.Equal(t, map[string]float64{"kind=invitation": 1}, p.Values("segue_gateway_visitor_messages_total"))
	require.Equal(t, map[string]float64{"outcome=applied,result=accepted": 1}, p.Values("segue_gateway_visitor_answers_total"))
	for name, want := range map[string]float64{"connections": 3, "streams": 2, "index_interactions": 9, "index_complete": 1, "bus_connected": 0, "visitor_pages": 6, "visitor_invitations": 8} {
		require.Equal(t, map[string]float64{"": want}, p.Values("segue_gateway_"+name), name)
	}
}

func TestDeliveriesInFlightEndOneByOne(t *testing.T) {
	p := metricstest.New(t)
	require.NoError(t, p.Observe(metrics.Sources{
		Calls: func() []string { return nil }, Receivers: func() []metrics.Receiver { return nil },
		Survey: func() *metrics.Survey { return nil }, Configuration: func() metrics.Configuration { return metrics.Configuration{} },
		Ready: func() bool { return false },
	}))
	now := time.Now()
	first, second := p.InFlight("crm", 2, now.Add(-time.Hour)), p.InFlight("crm", 1, now.Add(-time.Minute))
	require.Equal(t, 3.0, p.Values("segue_deliveries_in_flight")["call=crm"])
	require.InDelta(t, 3600, p.Values("segue_deliveries_in_flight_oldest_age_seconds")["call=crm"], 5)
	first.Next(now)
	require.Equal(t, 2.0, p.Values("segue_deliveries_in_flight")["call=crm"])
	require.InDelta(t, 60, p.Values("segue_deliveries_in_flight_oldest_age_seconds")["call=crm"], 5)
	first.Release()
	second.Release()
	require.Empty(t, p.Values("segue_deliveries_in_flight"), "a call that is not configured and has nothing in flight is not exported")
	require.Empty(t, p.Values("segue_lanes_open"), "no lanes are exported without a survey")
}

// Without instruments nothing is recorded, and nothing breaks.
func TestNoInstruments(t *testing.T) {
	var none *metrics.Instruments
	require.NotPanics(t, func() {
		none.Begin([]string{"crm"})
		none.Event("x")
		none.Dispatched("crm", metrics.RouteLane)
		none.HandedOver("crm", 1)
		none.Attempted(metrics.Attempt{})
		none.Reloaded(metrics.Loaded)
		none.Surveyed(nil)
		none.GatewayRequest("x", 200, time.Second)
		none.GatewayRefused("x")
		none.GatewayConnectionRefused()
		none.GatewayUpdate(1)
		none.GatewayNotice(time.Second)
		none.VisitorMessage("canceled")
		none.VisitorAnswer("x", "y")
		stop, err := none.ObserveGateway(metrics.GatewaySources{})
		require.NoError(t, err)
		require.NoError(t, stop())
		h := none.InFlight("crm", 1, time.Now())
		h.Next(time.Now())
		h.Release()
	})
}

func TestAnEventOfTheFutureHasNoNegativeAge(t *testing.T) {
	p := metricstest.New(t)
	p.Attempted(metrics.Attempt{Call: "crm", Class: "ok", Delivered: true, At: time.Now().Add(time.Hour)})
	require.Zero(t, p.Families()["segue_delivery_age_seconds"].GetMetric()[0].GetHistogram().GetSampleSum())
}

// OpenTelemetry's standard buckets begin at 5, and Temporal's SDK records seconds.
func TestTemporalsOwnMetrics(t *testing.T) {
	p := metricstest.New(t)
	handler := handlerOf(t, p).WithTags(map[string]string{"operation": "PollWorkflowTaskQueue"})
	handler.Timer("temporal_request_latency").Record(3 * time.Millisecond)
	handler.Counter("temporal_request").Inc(2)
	handler.Gauge("temporal_num_pollers").Update(5)
	latency := p.Families()["temporal_request_latency_seconds"].GetMetric()[0].GetHistogram()
	require.Equal(t, 0.001, latency.GetBucket()[0].GetUpperBound())
	require.Equal(t, dto.MetricType_COUNTER, p.Families()["temporal_request_total"].GetType())
	require.Equal(t, map[string]float64{"operation=PollWorkflowTaskQueue": 5}, p.Values("temporal_num_pollers"))
	require.NotPanics(t, func() { handler.Counter("not a metric's name").Inc(1) }, "a lost metric is logged")
}

func TestAScrape(t *testing.T) {
	p := exercise(t)
	recorder := httptest.NewRecorder()
	p.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(recorder.Result().Body)
	require.NoError(t, err)
	require.Equal(t, 200, recorder.Code)
	for _, line := range []string{
		"# TYPE segue_delivery_attempts_total counter\n", `segue_delivery_attempts_total{call="crm",class="ok"} 1`, "\ngo_goroutines ", "\nprocess_start_time_seconds ",
	} {
		require.Contains(t, string(body), line)
	}
	require.NotContains(t, string(body), "otel_scope")
	require.NotContains(t, string(body), "target_info")
}
