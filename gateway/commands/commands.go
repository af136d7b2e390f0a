package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"segue/client"
	"segue/contract"
	"segue/interaction"
)

// Options configure a sender.
type Options struct {
	Client *client.Client
	// Observe is called with the number of commands of every update that is sent; nil for none.
	Observe func(commands int)
}

// Sender sends commands to interactions. It keeps one update in flight for each interaction, and
// sends what arrives meanwhile together as the next. It is safe for concurrent use, and needs no
// end: it has goroutines only while updates are in flight.
type Sender struct {
	target  target
	observe func(commands int)
	closed  *closedRuns

	mu    sync.Mutex
	lanes map[client.Name]*lane // of interactions with an update in flight
	bytes int                   // of all commands that wait
}

// target is what a sender needs of client.Client.
type target interface {
	SendUpdate(ctx context.Context, n client.Name, m client.Message, answer any) (runID string, err error)
	Open(ctx context.Context, n client.Name, o client.Opening) (client.Opened, error)
	Received(ctx context.Context, n client.Name) (map[string]bool, error)
}

// New returns a sender.
func New(o Options) *Sender { return newSender(o.Client, o.Observe) }

func newSender(to target, observe func(int)) *Sender {
	if observe == nil {
		observe = func(int) {}
	}
	return &Sender{target: to, observe: observe, closed: newClosedRuns(), lanes: map[client.Name]*lane{}}
}

// Limits of one update, and how long the next one waits for it. An array of a client stays whole,
// and is larger if it has to: up to contract.CommandsLimit and ArrayBytes, with AddedBytes for what the
// gateway has added to each command.
const (
	GroupLimit = 200
	GroupBytes = 256 << 10
	GroupWait  = 30 * time.Second
	ArrayBytes = 1 << 20
	AddedBytes = 600
)

// Limits of what waits for the update in flight: in one interaction, and in all.
const (
	QueueLimit = 2000
	QueueBytes = 4 << 20
	TotalBytes = 64 << 20
)

// Answer is the answer of one command.
type Answer struct {
	contract.Answer
	// RunID is the run that has answered.
	RunID string
}

// Result is the outcome of one element of an array: an answer, or an error as Send returns it.
type Result struct {
	Answer Answer
	Err    error
}

// Send sends one command and waits for the answer until the context ends. The payload has its
// event_id and its by. It returns the errors of client.Client: a *client.RefusedError if the command
// is refused, client.ErrUnreachable and client.ErrNoWorker if the outcome is open.
//
// A command with a source_sequence that is ahead is not waited for: its answer has Waiting.
//
// A repeat of an applied event_id is a duplicate, also if the interaction has completed since.
func (s *Sender) Send(ctx context.Context, n client.Name, name string, payload json.RawMessage) (Answer, error) {
	c, err := oneCommand(name, payload)
	if err != nil {
		return Answer{}, err
	}
	if err := s.do(ctx, n, c); err != nil {
		return Answer{}, err
	}
	return c.results[0].Answer, c.results[0].Err
}

// SendAll sends an array of commands, each with its "command", its event_id and its by. They stay
// together and in order; a refused one stops nothing. The error is about the array as a whole.
func (s *Sender) SendAll(ctx context.Context, n client.Name, commands []json.RawMessage) ([]Result, error) {
	c, err := array(commands)
	if err != nil {
		return nil, err
	}
	if len(c.elements) == 0 {
		return c.results, nil
	}
	if err := s.do(ctx, n, c); err != nil {
		return nil, err
	}
	return c.results, nil
}

// Started is the outcome of a start.
type Started struct {
	RunID string
	// Duplicate reports that the interaction was started before with the same event_id.
	Duplicate bool
	Answer    Answer
	// Results has one element for each of the commands.
	Results []Result
}

// Start starts an interaction together with its first commands. It returns a *client.ExistsError if
// the id is taken by another start, and a *client.RefusedError if the start is malformed; then
// nothing is started. A command that is refused does not undo the start.
func (s *Sender) Start(ctx context.Context, n client.Name, start json.RawMessage, commands []json.RawMessage) (Started, error) {
	if _, err := interaction.DecodeStart(start); err != nil {
		return Started{}, client.Malformed(err)
	}
	c, err := array(commands)
	if err != nil {
		return Started{}, err
	}
	c.start, c.bytes = start, c.bytes+len(start)
	if err := s.do(ctx, n, c); err != nil {
		return Started{}, err
	}
	c.started.Results = c.results
	return c.started, nil
}

// do has a call sent, and returns when it is answered or the context ends. A call that was not sent
// by then is withdrawn.
func (s *Sender) do(ctx context.Context, n client.Name, c *call) error {
	if err := ctx.Err(); err != nil {
		return gaveUp(ctx, n, true)
	}
	l, err := s.submit(n, c)
	if err != nil {
		return err
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
	}
	withdrawn := s.withdraw(l, c)
	select {
	case <-c.done: // both at once
		return c.err
	default:
		return gaveUp(ctx, n, withdrawn)
	}
}

// gaveUp returns the error for a caller that no longer waits.
func gaveUp(ctx context.Context, n client.Name, withdrawn bool) error {
	outcome := "its outcome is open"
	if withdrawn {
		outcome = "it was not sent"
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w in time; %s", n, client.ErrNoWorker, outcome)
	}
	return fmt.Errorf("%s: %w; %s", n, context.Cause(ctx), outcome)
}
