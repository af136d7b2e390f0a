// Command goclient plays one phone call against a running Segue (`segue dev`): it starts an
// interaction, sends commands as signals and updates, handles a refusal, and reads the state.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	sdkclient "go.temporal.io/sdk/client"

	"segue/client"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal("goclient: ", err)
	}
}

func run(ctx context.Context) error {
	address := os.Getenv("SEGUE_TEMPORAL_ADDRESS") // empty is 127.0.0.1:7233
	temporal, err := sdkclient.Dial(sdkclient.Options{HostPort: address, Namespace: "default"})
	if err != nil {
		return fmt.Errorf("connect to Temporal at %q: %w; set SEGUE_TEMPORAL_ADDRESS", address, err)
	}
	defer temporal.Close()

	segue := &client.Client{Temporal: temporal, TaskQueue: "segue"}
	return play(ctx, segue, client.Name{ContactCenter: "default", ID: fmt.Sprintf("go-%d", time.Now().UnixNano())})
}

// play plays a call that an agent accepts, and prints what happens.
func play(ctx context.Context, segue *client.Client, call client.Name) error {
	start, err := json.Marshal(map[string]string{
		"id": call.ID, "contact_center": call.ContactCenter, "channel": "inbound", "ani": "+4930123456",
	})
	if err != nil {
		return err
	}
	if _, err := segue.Start(ctx, call, start, false); err != nil {
		return err
	}
	fmt.Println("started", call)

	// Temporal stores a signal; the interaction applies it later.
	if err := segue.Signal(ctx, call, "place_in_queue", json.RawMessage(`{"event_id":"acd-1","queue":"sales"}`)); err != nil {
		return err
	}

	// An update returns the interaction's answer. Its event id makes a repeat harmless.
	for _, command := range []struct{ name, eventID, payload string }{
		{"offer", "acd-2", `{"event_id":"acd-2","agent":{"id":"ada","name":"Ada"}}`},
		{"accept", "acd-3", `{"event_id":"acd-3","agent":"ada"}`},
		{"connect", "acd-4", `{"event_id":"acd-4"}`}, // refused: the call is connected already
		{"disconnect", "acd-5", `{"event_id":"acd-5"}`},
		{"complete", "acd-6", `{"event_id":"acd-6"}`},
	} {
		answer, err := segue.Update(ctx, call, command.name, command.eventID, json.RawMessage(command.payload))
		var refused *client.RefusedError
		switch {
		case errors.As(err, &refused):
			fmt.Printf("%s was refused (%s): %s\n", command.name, refused.Type, refused.Message)
		case err != nil:
			return err
		default:
			fmt.Printf("%s: %s\n", command.name, answer.State) // answer.Capabilities lists what is legal next
		}
	}

	state, err := segue.State(ctx, call)
	if err != nil {
		return err
	}
	fmt.Printf("%s after %d events: %s\n", state.State, state.Sequence, state.Outcome)
	return nil
}
