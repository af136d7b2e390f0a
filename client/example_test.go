package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	sdkclient "go.temporal.io/sdk/client"

	"segue/client"
	"segue/contract"
)

// dial stands for the Dial of go.temporal.io/sdk/client, which connects to Temporal.
func dial() sdkclient.Client { return newCenter() }

var callStart = json.RawMessage(`{"id":"ixn-1","contact_center":"default","channel":"inbound"}`)

func ExampleClient_Start() {
	ctx := context.Background()
	c := &client.Client{Temporal: dial(), TaskQueue: "segue"}
	name := client.Name{ContactCenter: "default", ID: "ixn-1"}

	if _, err := c.Start(ctx, name, callStart, false); err != nil {
		log.Fatal(err)
	}
	// A repeat changes nothing.
	_, err := c.Start(ctx, name, callStart, false)
	var exists *client.ExistsError
	fmt.Println(name, "was started before:", errors.As(err, &exists))
	// Output:
	// default/ixn-1 was started before: true
}

func ExampleClient_Update() {
	ctx := context.Background()
	c := &client.Client{Temporal: dial(), TaskQueue: "segue"}
	name := client.Name{ContactCenter: "default", ID: "ixn-1"}
	if _, err := c.Start(ctx, name, callStart, false); err != nil {
		log.Fatal(err)
	}

	// The event id makes a repeat after a lost answer harmless.
	answer, err := c.Update(ctx, name, "place_in_queue", "acd-1", json.RawMessage(`{"event_id":"acd-1","queue":"sales"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("state:", answer.State)

	_, err = c.Update(ctx, name, "hold", "acd-2", json.RawMessage(`{"event_id":"acd-2"}`))
	var refused *client.RefusedError
	switch {
	case errors.As(err, &refused):
		fmt.Println("refused:", refused.Type) // refused.Message lists what is legal instead
	case errors.Is(err, client.ErrNoWorker), errors.Is(err, client.ErrUnreachable):
		fmt.Println("send it again, with the same event id")
	case err != nil:
		log.Fatal(err)
	}
	// Output:
	// state: queued
	// refused: IllegalCommand
}

func ExampleClient_Signal() {
	ctx := context.Background()
	c := &client.Client{Temporal: dial(), TaskQueue: "segue"}
	name := client.Name{ContactCenter: "default", ID: "ixn-1"}
	if _, err := c.Start(ctx, name, callStart, false); err != nil {
		log.Fatal(err)
	}

	// A signal returns when Temporal has stored it; the interaction applies or refuses it later.
	if err := c.Signal(ctx, name, "retrieve", json.RawMessage(`{"event_id":"acd-1"}`)); err != nil {
		log.Fatal(err)
	}
	refused, err := c.Rejected(ctx, name)
	if err != nil {
		log.Fatal(err)
	}
	for _, signal := range refused {
		fmt.Println("refused:", signal.Command)
	}

	err = c.Signal(ctx, client.Name{ContactCenter: "default", ID: "call-2"}, "abandon", json.RawMessage(`{}`))
	fmt.Println("call-2 exists:", !errors.Is(err, client.ErrNotFound))
	// Output:
	// refused: retrieve
	// call-2 exists: false
}

func ExampleClient_State() {
	ctx := context.Background()
	c := &client.Client{Temporal: dial(), TaskQueue: "segue"}
	name := client.Name{ContactCenter: "default", ID: "ixn-1"}
	if _, err := c.Start(ctx, name, callStart, false); err != nil {
		log.Fatal(err)
	}
	if err := c.Signal(ctx, name, "abandon", json.RawMessage(`{}`)); err != nil {
		log.Fatal(err)
	}

	state, err := c.State(ctx, name)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(state.State, state.Outcome)
	// Output:
	// completed abandoned
}

func ExampleClient_Append() {
	c := &client.Client{Temporal: dial(), TaskQueue: "segue"}
	owner := contract.Owner{ContactCenter: "default", Interaction: "ixn-1", FirstRunID: "run-1"}
	appended, err := c.Append(context.Background(), contract.HandOver{
		Owner: owner, Call: "crm",
		Requests: []contract.Request{{ID: "msg_1", Call: "crm", Method: "POST", URL: "https://crm.example.com/calls", Body: `{"id":"ixn-1"}`}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("handed over:", appended)
	// Output:
	// delivery/default/ixn-1/crm: append 1 requests
	// handed over: 1
}
