package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// sessionPrefix begins the subjects on which replicas ask each other for an agent's session. Only those that have one
// listen, so that an ask which nobody hears is answered at once by the server.
const sessionPrefix = "segue.sessions."

// sessionWait bounds how long an ask waits for another replica.
const sessionWait = 500 * time.Millisecond

// SessionNote is what a replica tells those that have a session of an agent.
type SessionNote struct {
	// Replica is who sends it.
	Replica string `json:"replica"`
	// Override asks the others to end their sessions.
	Override bool `json:"override,omitempty"`
	// Opened is since when the sender has a session of its own; zero if it asks.
	Opened time.Time `json:"opened,omitzero"`
}

// SessionReply is what another replica has of an agent.
type SessionReply struct {
	// Has is true if it had a session.
	Has bool `json:"has"`
	// Busy is true while it answers a request of a session that it has or had.
	Busy bool `json:"busy,omitempty"`
}

// Sessions are the sessions of agents for other replicas of the gateway. It is safe for concurrent use.
type Sessions struct {
	conn     *Conn
	messages chan *nats.Msg
}

// Sessions returns the sessions of this replica, of which others hear once Run runs.
func (c *Conn) Sessions() *Sessions {
	return &Sessions{conn: c, messages: make(chan *nats.Msg, 4096)}
}

// Run gives notes of other replicas to handle, one at a time, until the context ends. handle returns what this
// replica had.
func (x *Sessions) Run(ctx context.Context, replica string, handle func(contactCenter, agent string, note SessionNote) SessionReply) error {
	for {
		select {
		case msg := <-x.messages:
			x.take(msg, replica, handle)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (x *Sessions) take(msg *nats.Msg, replica string, handle func(contactCenter, agent string, note SessionNote) SessionReply) {
	contactCenter, agent, err := idsOf(sessionPrefix, msg.Subject)
	var note SessionNote
	if err == nil {
		err = json.Unmarshal(msg.Data, &note)
	}
	if err != nil {
		x.conn.log.Warn("A note about a session cannot be decoded", "error", err)
		return
	}
	if note.Replica == replica {
		return
	}
	reply := handle(contactCenter, agent, note)
	if msg.Reply == "" {
		return
	}
	encoded, err := json.Marshal(reply)
	if err == nil {
		err = msg.Respond(encoded)
	}
	if err != nil {
		x.conn.log.Debug("A note about a session is not answered", "error", err)
	}
}

// Open has this replica hear what others tell about an agent's session, until forget is called. It fails with
// ErrAway if the bus is away.
func (x *Sessions) Open(ctx context.Context, contactCenter, agent string) (forget func(), err error) {
	s, name, err := x.on(contactCenter, agent)
	if err != nil {
		return nil, err
	}
	subscription, err := s.nats.ChanSubscribe(name, x.messages)
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, sessionWait)
	defer cancel()
	if err := s.nats.FlushWithContext(ctx); err != nil {
		_ = subscription.Unsubscribe() // it fails only if the connection is closed
		return nil, x.conn.failed("announce a session", s, err)
	}
	return func() { _ = subscription.Unsubscribe() }, nil
}

// Tell sends a note to the replicas that have a session of an agent.
func (x *Sessions) Tell(contactCenter, agent string, note SessionNote) error {
	s, name, err := x.on(contactCenter, agent)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("encode a note about a session: %w", err)
	}
	if err := s.nats.Publish(name, encoded); err != nil {
		return x.conn.failed("announce a session", s, err)
	}
	return nil
}

// Ask sends a note and returns what another replica had; nothing if none answers.
func (x *Sessions) Ask(ctx context.Context, contactCenter, agent string, note SessionNote) (SessionReply, error) {
	s, name, err := x.on(contactCenter, agent)
	var reply SessionReply
	if err != nil {
		return reply, err
	}
	encoded, err := json.Marshal(note)
	if err != nil {
		return reply, fmt.Errorf("encode a note about a session: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sessionWait)
	defer cancel()
	msg, err := s.nats.RequestWithContext(ctx, name, encoded)
	if errors.Is(err, nats.ErrNoResponders) {
		return reply, nil
	}
	if err != nil {
		return reply, x.conn.failed("ask for a session", s, err)
	}
	if err := json.Unmarshal(msg.Data, &reply); err != nil {
		return reply, fmt.Errorf("decode the answer about a session: %w", err)
	}
	return reply, nil
}

// Since is when this replica began to hear others: what they told before may not have reached it. It is zero while the
// bus is away.
func (x *Sessions) Since() time.Time {
	s, _ := x.conn.session()
	if s == nil {
		return time.Time{}
	}
	return s.began
}

func (x *Sessions) on(contactCenter, agent string) (*session, string, error) {
	s, _ := x.conn.session()
	if s == nil {
		return nil, "", ErrAway
	}
	name, err := subject(sessionPrefix, contactCenter, agent)
	return s, name, err
}
