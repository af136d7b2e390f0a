package main

import (
	"context"
	"fmt"
	"sync/atomic"
)

// The names of the contenders.
const (
	floor    = "floor"
	usual    = "usual"
	byUpdate = "update"
	bySignal = "signal"
	byFeed   = "feed"
)

// contactCenter is the contact center of Segue's interactions.
const contactCenter = "cost"

// command is one command of an interaction. Each fires one POST.
type command struct {
	name string
	// payload is a template for the payload, with the event id.
	payload string
	// when is Segue's trigger, as YAML.
	when string
}

var commands = []command{
	{"place_in_queue", `{"event_id":%q,"queue":"sales"}`, `when: segment_change, segments: [agent_selecting]`},
	{"offer", `{"event_id":%q,"agent":{"id":"ada","name":"Ada"}}`, `when: segment_change, segments: [offered.agent]`},
	{"accept", `{"event_id":%q,"agent":{"id":"ada"}}`, `when: inbound.agent_connect`},
	{"dtmf", `{"event_id":%q,"digits":"1"}`, `when: inbound.dtmf`},
	{"disconnect", `{"event_id":%q}`, `when: inbound.call_end`},
	{"complete", `{"event_id":%q,"disposition":{"code":"SOLD"}}`, `when: inbound.disposition`},
}

// eventID returns the id of the event of an interaction's n-th command.
func eventID(id string, n int) string { return fmt.Sprintf("%s-%d", id, n) }

// payloadOf returns the payload of an interaction's n-th command.
func payloadOf(id string, n int) []byte { return fmt.Appendf(nil, commands[n].payload, eventID(id, n)) }

// contender is one way to do the work.
type contender struct {
	name string
	// start starts an interaction.
	start func(ctx context.Context, id string) error
	// send sends the n-th command and returns when Temporal has acknowledged it.
	send func(ctx context.Context, id string, n int) error
	// feed starts the interactions and sends all their commands; a contender has either feed, or start and send.
	feed func(ctx context.Context, ids []string, parallel int) error
	// workflows returns the ids of the workflows that an interaction may have, its own first.
	workflows func(id string) []string
	started   atomic.Int64
}

// newID returns the id of a new interaction.
func (c *contender) newID(delayMS int64) string {
	return fmt.Sprintf("%s-%d-%d", c.name, delayMS, c.started.Add(1))
}
