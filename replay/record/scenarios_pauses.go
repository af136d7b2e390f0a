package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"segue/contract"
	"segue/interaction"
)

// silence is longer than the timers of a chat. A recording of a few milliseconds would not show by which clock a command
// was judged.
const silence = 1500 * time.Millisecond

// pauses are paths with pauses between the commands.
var pauses = []scenario{
	{
		name:      "paused",
		histories: map[string]string{"paused": interactionID("paused")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "paused", "chat", ""); err != nil {
				return err
			}
			time.Sleep(silence)
			if err := r.signals(ctx, "paused", "offer", agentOne, "accept", agentOne); err != nil {
				return err
			}
			time.Sleep(silence)
			if err := r.signals(ctx, "paused", "dtmf", `{"digits":"2","source_sequence":2}`); err != nil {
				return err
			}
			time.Sleep(silence / 5)
			if err := r.signals(ctx, "paused", "disconnect", `{"source_sequence":1,"by":{"id":"a1","role":"agent"}}`); err != nil {
				return err
			}
			return r.awaitEnd(ctx, interactionID("paused")) // the timers of wrap-up and of late events fire
		},
	},
	{
		name:      "refused_update",
		histories: map[string]string{"refused_update": interactionID("refused")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "refused", "chat", ""); err != nil {
				return err
			}
			time.Sleep(silence)
			if err := r.updates(ctx, "refused", "hold", none); err == nil {
				return errors.New("hold was not refused")
			}
			time.Sleep(silence / 2) // the offer has timed out by the clock of the start, but not by that of the refusal
			if err := r.signals(ctx, "refused", "offer", agentOne); err != nil {
				return err
			}
			if err := r.awaitState(ctx, "refused", interaction.StateOffered); err != nil {
				return err
			}
			if err := r.signals(ctx, "refused", "accept", agentOne, "complete", none); err != nil {
				return err
			}
			return r.awaitEnd(ctx, interactionID("refused"))
		},
	},
	{
		name:      "commands",
		histories: map[string]string{"commands": interactionID("commands")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "commands", "inbound", ""); err != nil {
				return err
			}
			return errors.Join(
				r.updates(ctx, "commands", contract.UpdateCommands, `[{"command":"place_in_queue","queue":"sales"},{"command":"hold"},{"command":"offer","agent":"a1"}]`),
				r.signals(ctx, "commands", "accept", agentOne),
				r.updates(ctx, "commands", contract.UpdateCommands, `[{"command":"set_disposition","code":"SOLD"},{"command":"complete"}]`),
				r.awaitEnd(ctx, interactionID("commands")))
		},
	},
	{
		name:      "commands_signal",
		histories: map[string]string{"commands_signal": interactionID("arrays")},
		play: func(ctx context.Context, r *recorder) error {
			first := contract.FirstCommands{Commands: json.RawMessage(`[{"command":"hold"},{"command":"place_in_queue","queue":"sales","event_id":"e1"}]`)}
			if err := r.startWith(ctx, "arrays", "inbound", "", first); err != nil {
				return err
			}
			if err := r.awaitState(ctx, "arrays", interaction.StateQueued); err != nil {
				return err
			}
			time.Sleep(silence)
			return errors.Join(
				r.signals(ctx, "arrays", contract.SignalCommands,
					`[{"command":"place_in_queue","queue":"sales","event_id":"e1"},{"command":"offer","agent":"a1"},{"command":"hold"},{"command":"accept","agent":"a1"}]`),
				r.signals(ctx, "arrays", contract.SignalCommands, `{"command":"hold"}`),
				r.updates(ctx, "arrays", "dtmf", `{"digits":"1"}`),
				r.signals(ctx, "arrays", contract.SignalCommands, `[{"command":"disconnect","source_sequence":2},{"command":"set_disposition","code":"SOLD","source_sequence":1},{"command":"complete"}]`),
				r.awaitEnd(ctx, interactionID("arrays")))
		},
	},
	{
		name:      "replied",
		histories: map[string]string{"replied": interactionID("mail"), "draft": interactionID("mail~1")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "mail", "email", ""); err != nil {
				return err
			}
			return errors.Join(
				r.updates(ctx, "mail", "accept", agentOne, "reply", `{"all":true}`),
				r.awaitState(ctx, "mail~1", interaction.StateComposing),
				r.updates(ctx, "mail~1", "complete", agentOne),
				r.updates(ctx, "mail", "complete", agentOne),
				r.awaitEnd(ctx, interactionID("mail~1")),
				r.awaitEnd(ctx, interactionID("mail")))
		},
	},
}
