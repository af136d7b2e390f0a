package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/sdk/client"

	"segue/contract"
	"segue/interaction"
)

// configuration has one call for each path of the receiver; %[1]s is the receiver's URL, %[2]s the schedule of /down.
const configuration = `
calls:
  - name: crm
    method: POST
    url: %[1]s/ok
    json: {id: "${interaction.id}", when: "${event.when}", sequence: "${event.sequence}"}
  - name: flaky
    method: POST
    url: %[1]s/flaky
    json: {id: "${interaction.id}", code: "${disposition.code}"}
    retry: {schedule: [100ms, 100ms, 100ms]}
  - name: gone
    method: POST
    url: %[1]s/gone
    json: {id: "${interaction.id}"}
  - name: down
    method: POST
    url: %[1]s/down
    json: {id: "${interaction.id}"}
    retry: {schedule: [%[2]s]}
  - name: bulk
    method: POST
    url: %[1]s/gone
    text: "${user_data.large}"
  - name: pager
    method: POST
    url: %[1]s/ok
    json: {when: "${event.when}", call: "${event.call}"}
triggers:
  - {when: [interaction_starts, interaction_ends, internal_transfer], call: crm}
  - {when: segment_change, segments: [handling.agent, missed], call: crm}
  - {when: inbound.disposition, call: flaky}
  - {when: inbound.queue_event, call: gone}
  - {when: [inbound.dtmf, script_signal], call: crm}
  - {when: survey, call: down}
  - {when: user_data_changed, channels: [sms], call: bulk}
  - {when: [fault, operator.delivery_failing, operator.delivery_parked, operator.receiver_recovered], call: pager}
engagement: {backend: "%[1]s"}
alerts: {failing_after: 200ms, recovered_after: 200ms}
timeouts: {default: {late_events: 1s, orphan: 1s}, channels: {chat: {offer: 1s, wrap_up: 1s}}}
queues:
  - {name: billing, overflow: backup, max_misses: 3, timeouts: {queue: 1s}}
  - {name: backup, timeouts: {queue: 1s}}
guard: {allow: ["127.0.0.0/8"]}
`

// scenario is one path. Histories are those to export: file name to workflow id.
type scenario struct {
	name      string
	histories map[string]string
	play      func(ctx context.Context, r *recorder) error
}

// simple is a scenario of one interaction, from its start to its end.
func simple(name, channel string, commands ...string) scenario {
	return scenario{
		name:      name,
		histories: map[string]string{name: interactionID(name)},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, name, channel, ""); err != nil {
				return err
			}
			if err := r.updates(ctx, name, commands...); err != nil {
				return err
			}
			return r.awaitEnd(ctx, interactionID(name))
		},
	}
}

const (
	inQueue  = `{"queue":"sales"}`
	agentOne = `{"agent":{"id":"a1","name":"Ada"}}`
	none     = `{}`
)

// scenarios are all paths; those that need versioned workers come last.
var scenarios = slices.Concat(lives, pauses, lanes, versions)

var lives = []scenario{
	simple("handled", "inbound", "place_in_queue", inQueue, "offer", agentOne, "accept", agentOne, "disconnect", none,
		"set_disposition", `{"code":"SOLD"}`, "complete", none),
	simple("abandoned", "inbound", "place_in_queue", inQueue, "abandon", none),
	simple("timed_out", "inbound", "place_in_queue", `{"queue":"billing"}`), // overflows to backup, and times out there too
	{
		name:      "orphan",
		histories: map[string]string{"orphan": interactionID("orphan")},
		play: func(ctx context.Context, r *recorder) error {
			input := json.RawMessage(fmt.Sprintf(`{"id":"orphan","contact_center":%q,"channel":"inbound"}`, contactCenter))
			options := client.StartWorkflowOptions{ID: interactionID("orphan"), TaskQueue: taskQueue}
			if _, err := r.client.SignalWithStartWorkflow(ctx, options.ID, "hold", json.RawMessage(none), options, contract.WorkflowInteraction, input); err != nil {
				return err
			}
			return r.awaitEnd(ctx, options.ID)
		},
	},
	simple("missed", "inbound", "place_in_queue", inQueue, "offer", agentOne,
		"segment_change", `{"segment":"missed","agent":{"id":"a1"}}`, "abandon", none),
	simple("transferred", "inbound", "place_in_queue", inQueue, "offer", agentOne, "accept", agentOne,
		"transfer", `{"to":{"agent":{"id":"a2"}},"by":{"id":"a1","role":"agent"}}`,
		"transfer", `{"to":{"queue":"backup"},"by":{"id":"a2","role":"agent"}}`, "complete", none),
	simple("engaged", "web", "engage", `{"ixnProfile":{"visitID":"v1"}}`,
		"engagement_result", `{"result":"accepted","queue":"chat"}`, "abandon", none),
	simple("not_engaged", "web", "engage", `{"ixnProfile":{"visitID":"v2"}}`, "noengage", `{"cancelData":{"reason":"capacity"}}`),
	{
		name:      "canceled",
		histories: map[string]string{"canceled": interactionID("canceled")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "canceled", "inbound", ""); err != nil {
				return err
			}
			if err := r.updates(ctx, "canceled", "offer", agentOne, "accept", agentOne); err != nil {
				return err
			}
			options := client.CancelWorkflowOptions{WorkflowID: interactionID("canceled"), Reason: "the connection was lost"}
			if err := r.client.CancelWorkflowWithOptions(ctx, options); err != nil {
				return err
			}
			return r.awaitEnd(ctx, interactionID("canceled"))
		},
	},
	{
		name:      "retried_delivery",
		histories: map[string]string{"retried_delivery": interactionID("retried"), "lane_retried": laneID("retried", "flaky")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "retried", "inbound", ""); err != nil {
				return err
			}
			if err := r.updates(ctx, "retried", "offer", agentOne, "accept", agentOne, "set_disposition", `{"code":"SOLD"}`); err != nil {
				return err
			}
			if err := r.awaitDeliveries(ctx, interactionID("retried"), has(contract.StatusDelivered, "flaky")); err != nil {
				return err
			}
			if err := r.updates(ctx, "retried", "complete", none); err != nil {
				return err
			}
			return r.awaitEnd(ctx, interactionID("retried"))
		},
	},
	{
		name: "parked",
		histories: map[string]string{
			"parked": interactionID("parked"), "lane_parked": laneID("parked", "gone"), "receiver_parked": receiverID("gone"),
		},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "parked", "inbound", ""); err != nil {
				return err
			}
			if err := r.updates(ctx, "parked", "queue_event", `{"event":"PLAY"}`, "queue_event", `{"event":"STOP"}`); err != nil {
				return err
			}
			if err := r.awaitDeliveries(ctx, laneID("parked", "gone"), has(contract.StatusParked, "gone")); err != nil {
				return err
			}
			if err := r.awaitAlert(ctx, "gone", interaction.MomentDeliveryParked); err != nil {
				return err
			}
			if err := r.updates(ctx, "parked", "abandon", none); err != nil {
				return err
			}
			return r.awaitEnd(ctx, interactionID("parked"))
		},
	},
	{
		name:      "receiver_recovered",
		histories: map[string]string{"receiver_recovered": receiverID("down"), "lane_alert": alertID("down", "pager")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "surveyed", "inbound", ""); err != nil {
				return err
			}
			if err := r.updates(ctx, "surveyed", "survey", `{"answers":{"q1":5}}`); err != nil {
				return err
			}
			if err := r.awaitAlert(ctx, "down", interaction.MomentDeliveryFailing); err != nil {
				return err
			}
			r.receiver.up.Store(true)
			if err := r.awaitEnd(ctx, receiverID("down")); err != nil {
				return err
			}
			return r.updates(ctx, "surveyed", "abandon", none)
		},
	},
	{
		name:      "rejected_input",
		histories: map[string]string{"rejected_input": interactionID("rejected")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "rejected", "inbound", ""); err != nil {
				return err
			}
			if err := r.signals(ctx, "rejected", "accept", `{"agent":7}`, "teleport", none, "hold", none,
				"place_in_queue", `{"queue":"sales","event_id":"e1"}`, "place_in_queue", `{"queue":"sales","event_id":"e1"}`, "abandon", none); err != nil {
				return err
			}
			return r.awaitEnd(ctx, interactionID("rejected"))
		},
	},
	{
		name:      "burst",
		histories: map[string]string{"burst": interactionID("burst")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.pause(); err != nil {
				return err
			}
			if err := r.start(ctx, "burst", "inbound", ""); err != nil {
				return err
			}
			if err := r.signals(ctx, "burst", "place_in_queue", inQueue, "offer", agentOne, "accept", agentOne,
				"dtmf", `{"digits":"1"}`, "dtmf", `{"digits":"2"}`, "set_disposition", `{"code":"SOLD"}`, "complete", none); err != nil {
				return err
			}
			r.resume()
			return r.awaitEnd(ctx, interactionID("burst"))
		},
	},
	{
		name:      "disorder",
		histories: map[string]string{"disorder": interactionID("disorder")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "disorder", "inbound", ""); err != nil {
				return err
			}
			if err := r.signals(ctx, "disorder", "dtmf", `{"digits":"2","source_sequence":2}`); err != nil {
				return err
			}
			ahead, err := r.sendUpdate(ctx, "disorder", "place_in_queue", `{"queue":"sales","source_sequence":3}`)
			if err != nil {
				return err
			}
			if err := r.signals(ctx, "disorder", "dtmf", `{"digits":"1","source_sequence":1}`); err != nil {
				return err
			}
			if err := ahead.Get(ctx, nil); err != nil {
				return err
			}
			// 4 is missing: the update is judged when its wait has timed out, and 4 arrives late.
			if err := r.updates(ctx, "disorder", "offer", `{"agent":"a1","source_sequence":5}`); err != nil {
				return err
			}
			if err := r.signals(ctx, "disorder", "dtmf", `{"digits":"4","source_sequence":4}`, "abandon", `{"source_sequence":6}`); err != nil {
				return err
			}
			return r.awaitEnd(ctx, interactionID("disorder"))
		},
	},
	{
		name:      "continue_as_new",
		histories: map[string]string{"continue_as_new": interactionID("long")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "long", "inbound", ""); err != nil {
				return err
			}
			sent := 0
			err := r.flood(ctx, interactionID("long"), "script_signal", func() any {
				sent++
				return json.RawMessage(fmt.Sprintf(`{"p1":"%d","event_id":"e%d"}`, sent, sent))
			})
			return errors.Join(err, r.signals(ctx, "long", "abandon", none), r.awaitEnd(ctx, interactionID("long")))
		},
	},
}

// has returns a condition: a delivery of a call has a status.
func has(status contract.DeliveryStatus, call string) func([]contract.DeliveryRecord) bool {
	return func(records []contract.DeliveryRecord) bool {
		for _, record := range records {
			if record.Call == call && record.Status == status {
				return true
			}
		}
		return false
	}
}
