package commands

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"segue/client"
	"segue/contract"
)

// Options configure a sender.
type Options struct {
	Client *client.Client
	// Observe is called with the number of commands of every update that is sent; nil for none.
	Observe func(commands int)
}

// Sender sends commands to interactions. It keeps one update in flight for each interaction, and
// sends what arrives meanwhile together as the next. It is safe for concurrent use.
type Sender struct{}

// New returns a sender.
func New(_ Options) *Sender { return &Sender{} }

// Answer is the answer of one command.
type Answer struct {
	contract.Answer
	// RunID is the run that has answered.
	RunID string
}

// Send sends one command and waits for the answer until the context ends. The payload has its
// event_id and its by. It returns the errors of client.Client: a *client.RefusedError if the command
// is refused, client.ErrUnreachable and client.ErrNoWorker if the outcome is open.
func (s *Sender) Send(_ context.Context, _ client.Name, _ string, _ json.RawMessage) (Answer, error) {
	return Answer{}, errors.New("not built yet")
}

// Result is the outcome of one element of an array: an answer, or an error as Send returns it.
type Result struct {
	Answer Answer
	Err    error
}

// SendAll sends an array of commands, each with its "command", its event_id and its by. They stay
// together and in order; a refused one stops nothing. The error is about the array as a whole.
func (s *Sender) SendAll(_ context.Context, _ client.Name, _ []json.RawMessage) ([]Result, error) {
	return nil, errors.New("not built yet")
}

// Started is the outcome of a start.
type Started struct {
	RunID string
	// Duplicate reports that the interaction was started before with the same event_id.
	Duplicate bool
	Answer    Answer
	Results   []Result
}

// Start starts an interaction together with its first commands. It returns a *client.ExistsError if
// the id is taken by another start.
func (s *Sender) Start(_ context.Context, _ client.Name, _ json.RawMessage, _ []json.RawMessage) (Started, error) {
	return Started{}, errors.New("not built yet")
}

// Limits of one update, and how long the next one waits for it.
const (
	GroupLimit = 200
	GroupBytes = 256 << 10
	GroupWait  = 30 * time.Second
)
