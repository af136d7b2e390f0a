package commands_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/contract"
	"segue/gateway/commands"
	"segue/interaction"
)

var name = client.Name{ContactCenter: "cc", ID: "i1"}

// sent is one update as the target got it.
type sent struct {
	name client.Name
	client.Message
}

// ids returns the event ids of the update's commands, in order.
func (u sent) ids() []string {
	items := []json.RawMessage{u.Payload}
	if u.Name == contract.UpdateCommands {
		items = nil
		if err := json.Unmarshal(u.Payload, &items); err != nil {
			panic(err)
		}
	}
	var ids []string
	for _, item := range items {
		ids = append(ids, eventIDOf(item))
	}
	return ids
}

func eventIDOf(item json.RawMessage) string {
	var envelope struct {
		EventID string `json:"event_id"`
	}
	if err := json.Unmarshal(item, &envelope); err != nil {
		panic(err)
	}
	return envelope.EventID
}

// target is a scripted client: answer decides about each update.
type target struct {
	mu      sync.Mutex
	updates []sent
	opened  []client.Opening
	// answer blocks as long as the update is in flight.
	answer func(ctx context.Context, u sent) error
	// refuse returns the refusal of a command; nil for none.
	refuse func(eventID string) *contract.CommandError
	reads  int // of histories
	// known are the event ids of a completed interaction.
	known map[string]bool
}

func (t *target) SendUpdate(ctx context.Context, n client.Name, m client.Message, into any) (string, error) {
	u := sent{name: n, Message: m}
	t.mu.Lock()
	t.updates = append(t.updates, u)
	t.mu.Unlock()
	if t.answer != nil {
		if err := t.answer(ctx, u); err != nil {
			return "", err
		}
	}
	var results []contract.CommandResult
	for _, id := range u.ids() {
		result := contract.CommandResult{Answer: contract.Answer{State: interaction.State(id)}}
		if t.refuse != nil {
			result.Error = t.refuse(id)
		}
		results = append(results, result)
	}
	switch into := into.(type) {
	case *contract.Answer:
		if refused := results[0].Error; refused != nil {
			return "", &client.RefusedError{Type: refused.Type, Message: refused.Message, Refusal: refused.Refusal}
		}
		*into = results[0].Answer
	case *[]contract.CommandResult:
		*into = results
	}
	return "run-1", nil
}

func (t *target) Open(_ context.Context, _ client.Name, o client.Opening) (client.Opened, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opened = append(t.opened, o)
	return client.Opened{RunID: "run-1", Outcomes: make([]client.Outcome, len(o.Commands))}, nil
}

func (t *target) Received(context.Context, client.Name) (map[string]bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads++
	return t.known, nil
}

// sentIDs returns the event ids of each update.
func (t *target) sentIDs() [][]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all [][]string
	for _, u := range t.updates {
		all = append(all, u.ids())
	}
	return all
}

// hold returns a target whose updates wait until they are released, one by one.
func hold() (*target, chan<- error) {
	release := make(chan error)
	return &target{answer: func(ctx context.Context, _ sent) error {
		select {
		case err := <-release:
			return err
		case <-ctx.Done():
			return fmt.Errorf("i1: %w", client.ErrNoWorker)
		}
	}}, release
}

// dtmf is the payload of a command with this event id.
func dtmf(id string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"digits":"1","event_id":%q}`, id))
}

// element is the same as an element of an array.
func element(id string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"command":"dtmf","digits":"1","event_id":%q}`, id))
}

// outcome is what a caller got.
type outcome struct {
	answer commands.Answer
	err    error
}

// send sends in the background.
func send(ctx context.Context, s *commands.Sender, id string) <-chan outcome {
	got := make(chan outcome, 1)
	go func() {
		answer, err := s.Send(ctx, name, "dtmf", dtmf(id))
		got <- outcome{answer, err}
	}()
	return got
}

func requireIdle(t *testing.T, s *commands.Sender) {
	t.Helper()
	lanes, waiting, bytes := s.Busy(name)
	require.Zero(t, lanes)
	require.Zero(t, waiting)
	require.Zero(t, bytes)
}
