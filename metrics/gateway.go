package metrics

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// gateway are the instruments of a gateway.
type gateway struct {
	requests  metric.Int64Counter
	requested metric.Float64Histogram
	refused   metric.Int64Counter
	dropped   metric.Int64Counter
	group     metric.Int64Histogram
	noticed   metric.Float64Histogram

	connections  metric.Int64ObservableGauge
	streams      metric.Int64ObservableGauge
	sessions     metric.Int64ObservableGauge
	waiting      metric.Int64ObservableGauge
	delivered    metric.Int64ObservableCounter
	indexed      metric.Int64ObservableGauge
	complete     metric.Int64ObservableGauge
	busConnected metric.Int64ObservableGauge
}

func (g *gateway) make(m *maker) {
	g.requests = m.counter("segue_gateway_requests_total", "{request}",
		"Requests to the gateway by route and status. A route is a pattern of paths, or none.", "route", "status")
	g.requested = m.histogram("segue_gateway_request_duration_seconds",
		"Duration of requests to the gateway, streams included.", durations, "route")
	g.refused = m.counter("segue_gateway_refusals_total", "{request}",
		"Requests that authentication refused, by the reason.", "reason")
	g.dropped = m.counter("segue_gateway_connections_refused_total", "{connection}",
		"Connections that the gateway closed because too many were open.")
	g.group = m.sizes("segue_gateway_update_commands", "{command}",
		"Commands that the gateway sent in one update.", []float64{1, 2, 5, 10, 20, 50, 100, 200})
	g.noticed = m.histogram("segue_gateway_notice_age_seconds",
		"Age of notices when the gateway applied them, from their arrival at the bus.", ages)
	g.delivered = m.observed("segue_gateway_cometd_messages_total", "{message}",
		"Messages that were queued for sessions of CometD.")
	g.connections = m.gauge("segue_gateway_connections", "{connection}", "Open connections to the gateway.")
	g.streams = m.gauge("segue_gateway_streams", "{stream}", "Open streams of live events, and sessions of CometD.")
	g.sessions = m.gauge("segue_gateway_cometd_sessions", "{session}", "Open sessions of CometD.")
	g.waiting = m.gauge("segue_gateway_cometd_waiting", "{request}", "Held connects and WebSockets of CometD.")
	g.indexed = m.gauge("segue_gateway_index_interactions", "{interaction}", "Open interactions in the index of this gateway.")
	g.complete = m.gauge("segue_gateway_index_complete", "", "1 once the index has had all open interactions.")
	g.busConnected = m.gauge("segue_gateway_bus_connected", "", "1 while the gateway is connected to the bus.")
}

// GatewayRequest records a request to the gateway.
func (i *Instruments) GatewayRequest(route string, status int, took time.Duration) {
	if i == nil {
		return
	}
	i.requests.Add(background, 1, labels("route", route, "status", strconv.Itoa(status)))
	i.requested.Record(background, took.Seconds(), labels("route", route))
}

// GatewayRefused counts a request that authentication refused.
func (i *Instruments) GatewayRefused(reason string) {
	if i != nil {
		i.refused.Add(background, 1, labels("reason", reason))
	}
}

// GatewayConnectionRefused counts a connection beyond the bound.
func (i *Instruments) GatewayConnectionRefused() {
	if i != nil {
		i.dropped.Add(background, 1)
	}
}

// GatewayUpdate records the number of commands in one update. A start without commands has none.
func (i *Instruments) GatewayUpdate(commands int) {
	if i != nil && commands > 0 {
		i.group.Record(background, int64(commands))
	}
}

// GatewayNotice records the age of a notice that the gateway has applied.
func (i *Instruments) GatewayNotice(age time.Duration) {
	if i != nil {
		i.noticed.Record(background, max(0, age.Seconds()))
	}
}

// GatewaySources give the gauges of a gateway their values. They answer from memory and at once.
type GatewaySources struct {
	Connections, Streams, Indexed func() int
	// Sessions and Waiting are those of CometD, and Delivered its messages since the start.
	Sessions, Waiting      func() int
	Delivered              func() int64
	Complete, BusConnected func() bool
	// Pages are those of visitors, and Invitations the open ones that name a visit.
	Pages, Invitations func() int
}

// ObserveGateway lets the gauges of a gateway take their values from the sources, until stop is
// called. It reports an error if the meter refuses the callback.
func (i *Instruments) ObserveGateway(s GatewaySources) (stop func() error, err error) {
	if i == nil {
		return func() error { return nil }, nil
	}
	g := &i.gateway
	registered, err := i.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(g.connections, int64(s.Connections()))
		o.ObserveInt64(g.streams, int64(s.Streams()))
		o.ObserveInt64(g.sessions, int64(s.Sessions()))
		o.ObserveInt64(g.waiting, int64(s.Waiting()))
		o.ObserveInt64(g.delivered, s.Delivered())
		o.ObserveInt64(g.indexed, int64(s.Indexed()))
		o.ObserveInt64(g.complete, one(s.Complete()))
		o.ObserveInt64(g.busConnected, one(s.BusConnected()))
		o.ObserveInt64(i.visitors.pages, int64(s.Pages()))
		o.ObserveInt64(i.visitors.open, int64(s.Invitations()))
		return nil
	}, g.connections, g.streams, g.sessions, g.waiting, g.delivered, g.indexed, g.complete, g.busConnected, i.visitors.pages, i.visitors.open)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return registered.Unregister, nil
}
