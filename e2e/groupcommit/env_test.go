package groupcommit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"

	"segue/client"
	"segue/contract"
	"segue/e2e/replayed"
	"segue/e2e/stack"
	"segue/gateway/commands"
	"segue/worker/local"
)

// segue is the stack that all tests share.
var segue *stack.Stack

func TestMain(m *testing.M) { stack.Main(m, stack.Options{WithoutBus: true}, prepare) }

// prepare starts a worker. At the end every history replays.
func prepare(s *stack.Stack) error {
	segue = s
	store, err := stack.Parse("timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 0s}}\n")
	if err != nil {
		return err
	}
	worker, err := s.StartWorker(local.WorkerOptions{Config: store})
	if err != nil {
		return err
	}
	s.AtEnd(func() error {
		if err := worker.Stop(); err != nil {
			return err
		}
		_, err := replayed.All(context.Background(), s.Client.Temporal, nil)
		return err
	})
	return nil
}

// env is one test: a sender, and an interaction.
type env struct {
	*testing.T
	*commands.Sender
	name    client.Name
	updates atomic.Int64 // that the sender has sent
}

var tests atomic.Int64

func newEnv(t *testing.T) *env {
	e := &env{T: t, name: client.Name{ContactCenter: "cc", ID: fmt.Sprintf("%s-%d", strings.NewReplacer("/", "-", "#", "-").Replace(t.Name()), tests.Add(1))}}
	e.Sender = commands.New(commands.Options{Client: segue.Client, Observe: func(int) { e.updates.Add(1) }})
	return e
}

// startOf returns a start; more is further JSON fields.
func (e *env) startOf(eventID, more string) json.RawMessage {
	return fmt.Appendf(nil, `{"id":%q,"contact_center":"cc","channel":"inbound","event_id":%q%s}`, e.name.ID, eventID, more)
}

func (e *env) start() commands.Started {
	e.Helper()
	started, err := e.Start(e.Context(), e.name, e.startOf("start", ""), nil)
	require.NoError(e, err)
	return started
}

// send sends a command, which the interaction must apply.
func (e *env) send(command, payload string) commands.Answer {
	e.Helper()
	answer, err := e.Send(e.Context(), e.name, command, json.RawMessage(payload))
	require.NoError(e, err)
	return answer
}

func (e *env) state() contract.State {
	e.Helper()
	state, err := segue.Client.State(e.Context(), e.name)
	require.NoError(e, err)
	return state
}

// events returns the events of one run.
func (e *env) events(runID string) []*historypb.HistoryEvent {
	e.Helper()
	history, err := segue.Client.History(e.Context(), e.name, e.name.WorkflowID(), runID)
	require.NoError(e, err)
	return history.GetEvents()
}

// acceptedUpdates counts the updates in the history of one run.
func (e *env) acceptedUpdates(runID string) int {
	count := 0
	for _, event := range e.events(runID) {
		if event.GetWorkflowExecutionUpdateAcceptedEventAttributes() != nil {
			count++
		}
	}
	return count
}

func dtmf(id string) string { return fmt.Sprintf(`{"digits":"1","event_id":%q}`, id) }

// requireRefused returns the refusal of a command.
func requireRefused(t *testing.T, err error) *client.RefusedError {
	t.Helper()
	var refused *client.RefusedError
	require.ErrorAs(t, err, &refused)
	return refused
}
