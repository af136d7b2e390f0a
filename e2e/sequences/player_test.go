package sequences_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"

	"segue/client"
	"segue/contract"
)

// commands are those that the sequences send. They lead an inbound call through every state; whether one is legal
// depends on the state.
var commands = []string{
	`place_in_queue {"queue":"sales"}`, `place_in_queue {"queue":"backup"}`, `offer {"agent":"a1"}`, `offer {"agents":["a1","a2"]}`,
	`accept {"agent":"a1"}`, `accept {"agent":"a2"}`, `reject {"agent":"a1"}`, `hold`, `retrieve`, `dial`, `connect`, `disconnect`,
	`consult {"to":{"agent":"a3"}}`, `conference {"agent":"a3"}`, `leave {"agent":"a3"}`, `transfer {"to":{"agent":"a3"}}`,
	`transfer {"to":{"queue":"sales"},"wrap_up":true}`, `place_in_workbin {"workbin":"w"}`, `set_disposition {"code":"SOLD"}`,
	`attach_user_data {"user_data":{"a":{"b":1}}}`, `update_user_data {"user_data":{"a":{"c":2}}}`, `delete_user_data {"keys":["a"]}`,
	`set_attributes {"ani":"+9"}`, `survey {"answers":{"q":1}}`, `queue_event {"event":"e"}`, `dtmf {"digits":"1"}`, `script_signal {"p1":"x"}`,
	`signal_added {"name":"s"}`, `signal_removed {"name":"s"}`, `complete`, `abandon`, `teleport`,
}

var queries = []string{contract.QueryState, contract.QueryTimeline, contract.QueryDeliveries, contract.QueryRejected}

// sequence is one interaction, the commands that it gets, and its answers.
type sequence struct {
	ctx    context.Context
	client *client.Client
	name   client.Name
	random *rand.Rand

	mu    sync.Mutex
	legal map[string]bool // by the last answer of the interaction
	log   []string        // the commands, for the log of a failure

	number                    int64 // the last source_sequence
	signals, updates, refused int
	asked                     []asked
	repeated                  int // queries that were not answered in time
}

// asked is one query and its answer.
type asked struct{ query, answer string }

// play starts an interaction, sends commands to it while another goroutine queries it, and ends it. It returns the id
// of its first run, and the first error of either.
func (s *sequence) play(steps int) (runID string, err error) {
	start := json.RawMessage(fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":"inbound"}`, s.name.ID, s.name.ContactCenter))
	runID, err = s.client.Start(s.ctx, s.name, start, false)
	if err != nil {
		return "", err
	}
	over := make(chan struct{})
	var asking sync.WaitGroup
	var askErr error
	questions := rand.New(rand.NewPCG(s.random.Uint64(), 1))
	asking.Go(func() { askErr = s.ask(over, questions) })
	err = s.command(steps)
	close(over)
	asking.Wait()
	if err = errors.Join(err, askErr); err != nil {
		return "", err
	}
	if err := s.client.Temporal.CancelWorkflow(s.ctx, s.name.WorkflowID(), ""); err != nil && !isOver(err) {
		return "", err
	}
	return runID, s.client.Temporal.GetWorkflow(s.ctx, s.name.WorkflowID(), runID).Get(s.ctx, nil)
}

// command sends random commands, as signals and as updates, with random pauses.
func (s *sequence) command(steps int) error {
	for range steps {
		s.pause()
		if s.random.IntN(5) == 0 {
			if err := s.burst(); err != nil {
				if errors.Is(err, client.ErrCompleted) {
					return nil
				}
				return err
			}
			continue
		}
		name, payload, _ := strings.Cut(s.draw(), " ")
		if payload == "" {
			payload = "{}"
		}
		var err error
		if s.random.IntN(2) == 0 {
			s.note("signal %s %s", name, payload)
			s.signals++
			err = s.client.Signal(s.ctx, s.name, name, json.RawMessage(payload))
		} else {
			s.note("update %s %s", name, payload)
			s.updates++
			err = s.update(name, payload)
		}
		if errors.Is(err, client.ErrCompleted) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", name, payload, err)
		}
	}
	return nil
}

// pause lets time pass, often none.
func (s *sequence) pause() {
	longest := []time.Duration{0, 0, 5, 50, 500, 1500}[s.random.IntN(6)] * time.Millisecond
	if longest > 0 {
		d := time.Duration(s.random.Int64N(int64(longest)))
		s.note("pause %s", d)
		time.Sleep(d)
	}
}

// draw chooses a command; two of three are legal in the last known state.
func (s *sequence) draw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	pool := commands
	if s.random.IntN(3) > 0 {
		pool = nil
		for _, line := range commands {
			name, _, _ := strings.Cut(line, " ")
			if s.legal[name] && name != "complete" && name != "abandon" {
				pool = append(pool, line)
			}
		}
	}
	if len(pool) == 0 {
		pool = commands
	}
	return pool[s.random.IntN(len(pool))]
}

func (s *sequence) update(name, payload string) error {
	got, err := s.client.Update(s.ctx, s.name, name, "", json.RawMessage(payload))
	var refusal *client.RefusedError
	if errors.As(err, &refusal) {
		s.note("  refused: %s", refusal.Message)
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
		return nil
	}
	if err == nil {
		s.learn(got.Capabilities)
	}
	return err
}

// ask queries again and again until the commands are sent.
func (s *sequence) ask(over <-chan struct{}, random *rand.Rand) error {
	for {
		select {
		case <-over:
			return nil
		case <-time.After(time.Duration(random.Int64N(int64(20 * time.Millisecond)))):
		}
		if err := s.query(queries[random.IntN(len(queries))]); err != nil {
			return err
		}
	}
}

// query repeats a query that was not answered in time, as the command line does.
func (s *sequence) query(name string) error {
	value, err := s.client.Temporal.QueryWorkflow(s.ctx, s.name.WorkflowID(), "", name)
	if serviceerror.ToStatus(err).Code() == codes.DeadlineExceeded {
		s.repeated++
		value, err = s.client.Temporal.QueryWorkflow(s.ctx, s.name.WorkflowID(), "", name)
	}
	if err != nil {
		return fmt.Errorf("query %s: %w", name, err)
	}
	var got json.RawMessage
	if err := value.Get(&got); err != nil {
		return fmt.Errorf("query %s: %w", name, err)
	}
	s.mu.Lock()
	s.asked = append(s.asked, asked{name, string(got)})
	s.log = append(s.log, fmt.Sprintf("query %s: %.200s", name, got))
	s.mu.Unlock()
	if name == contract.QueryState {
		var state struct{ Capabilities []string }
		if err := json.Unmarshal(got, &state); err != nil {
			return fmt.Errorf("query %s: %w", name, err)
		}
		s.learn(state.Capabilities)
	}
	return nil
}

func (s *sequence) learn(capabilities []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.legal = map[string]bool{}
	for _, name := range capabilities {
		s.legal[name] = true
	}
}

func (s *sequence) note(format string, values ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf(format, values...))
}
