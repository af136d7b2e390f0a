package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// AgentsStream is the JetStream stream of agents' presence: the last messages of each agent.
	AgentsStream = "SEGUE_AGENTS"

	agentPrefix = "segue.agents."

	// AgentMaxAge is how long the presence of an agent is kept after its last change.
	AgentMaxAge = 24 * time.Hour
	// AgentMaxSize bounds one presence, and agentsMaxBytes all of them: 20,000 agents with all messages
	// that are kept of each, of 800 bytes. A full stream takes no change of anybody.
	AgentMaxSize   = 16 << 10
	agentsMaxBytes = 64 << 20
	// agentsHistory is how many messages of an agent are kept: the last one counts, those before are for
	// readers that have not had them yet.
	agentsHistory = 4

	// agentsReread is how often readers read all again: the stream does not report what it removes.
	agentsReread = 10 * time.Minute
)

// ErrChanged reports that the presence of an agent has changed since it was read.
var ErrChanged = errors.New("the presence of the agent has changed meanwhile")

// AgentEntry is the presence of an agent as the stream has it.
type AgentEntry struct {
	ContactCenter, Agent string
	// Revision is its place in the stream; 0 for an agent without presence.
	Revision uint64
	// At is when the stream got it.
	At time.Time
	// Value is what was written. Another program may have written anything.
	Value []byte
}

func agentsConfig(storage jetstream.StorageType) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: AgentsStream, Description: "Presence of agents of Segue", Subjects: []string{agentPrefix + ">"},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, Storage: storage, MaxMsgsPerSubject: agentsHistory,
		MaxBytes: agentsMaxBytes, MaxMsgSize: AgentMaxSize, MaxAge: AgentMaxAge, Replicas: 1,
	}
}

// ensureAgents creates the stream of agents' presence if it does not exist.
func (c *Conn) ensureAgents(ctx context.Context, s *session) error {
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	_, err := s.js.Stream(ctx, AgentsStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return c.create(ctx, s, agentsConfig)
	}
	return err
}

// ReadAgent asks for the presence of an agent. It fails with ErrAway at once if the bus is away.
func (c *Conn) ReadAgent(ctx context.Context, contactCenter, agent string) (AgentEntry, error) {
	s, _ := c.session()
	if s == nil {
		return AgentEntry{}, ErrAway
	}
	name, err := subject(agentPrefix, contactCenter, agent)
	if err != nil {
		return AgentEntry{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	entry := AgentEntry{ContactCenter: contactCenter, Agent: agent}
	stream, err := s.js.Stream(ctx, AgentsStream)
	if err != nil {
		return entry, c.failed("read the presence of an agent", s, err)
	}
	msg, err := stream.GetLastMsgForSubject(ctx, name)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return entry, nil
	}
	if err != nil {
		return entry, c.failed("read the presence of an agent", s, err)
	}
	entry.Revision, entry.At, entry.Value = msg.Sequence, msg.Time, msg.Data
	return entry, nil
}

// WriteAgent writes the presence of an agent if its revision is still the given one, 0 for none, and
// returns the new one. It fails with ErrChanged if it is not, and with ErrAway at once if the bus is
// away. After another error the write may have happened.
func (c *Conn) WriteAgent(ctx context.Context, contactCenter, agent string, value []byte, revision uint64) (uint64, error) {
	s, _ := c.session()
	if s == nil {
		return 0, ErrAway
	}
	name, err := subject(agentPrefix, contactCenter, agent)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	ack, err := s.js.Publish(ctx, name, value,
		jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithExpectStream(AgentsStream), jetstream.WithRetryAttempts(0))
	var refused *jetstream.APIError
	if errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return 0, ErrChanged
	}
	if err != nil {
		return 0, c.failed("write the presence of an agent", s, err)
	}
	return ack.Sequence, nil
}

// failed returns an error of a request, ErrAway if the session ended meanwhile.
func (c *Conn) failed(what string, s *session, err error) error {
	if s.ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, ErrAway)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Agents reads the presence of all agents until the context ends: it gives what exists to all, then each
// change to changed, one at a time. It begins again with all after a lost connection, and every few
// minutes, because what the stream removes makes no change.
func (c *Conn) Agents(ctx context.Context, all func([]AgentEntry), changed func(AgentEntry)) error {
	return c.keepReading(ctx, "the presence of agents", func() (isProgress bool, err error) {
		return c.readAgents(ctx, all, changed)
	})
}

// readAgents reads all presence, then changes, until something fails or it is time to read all again. It
// reports whether it has given all.
func (c *Conn) readAgents(ctx context.Context, all func([]AgentEntry), changed func(AgentEntry)) (complete bool, err error) {
	s, err := c.await(ctx)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	consumer, err := c.agentsConsumer(ctx, s)
	if err != nil {
		return false, err
	}
	messages, err := messagesOf(consumer)
	if err != nil {
		return false, fmt.Errorf("read the presence of agents: %w", err)
	}
	defer messages.Stop()
	existing, err := c.existingAgents(ctx, messages, consumer.CachedInfo().NumPending)
	if err != nil {
		return false, err
	}
	all(existing)
	until, end := context.WithTimeout(ctx, agentsReread)
	defer end()
	for {
		entry, _, err := c.nextAgent(until, messages)
		switch {
		case err == nil:
			changed(entry)
		case ctx.Err() == nil && until.Err() != nil:
			return true, nil
		default:
			return true, err
		}
	}
}

func (c *Conn) agentsConsumer(ctx context.Context, s *session) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	if c.options.Creates {
		if err := c.ensureAgents(ctx, s); err != nil {
			return nil, fmt.Errorf("create the stream %s: %w", AgentsStream, err)
		}
	}
	consumer, err := s.js.CreateConsumer(ctx, AgentsStream, ofOneReader(jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, FilterSubject: agentPrefix + ">",
	}))
	if err != nil {
		return nil, fmt.Errorf("read the presence of agents: %w", err)
	}
	return consumer, nil
}

// existingAgents reads the presence that the stream had when the reader began.
func (c *Conn) existingAgents(ctx context.Context, messages jetstream.MessagesContext, pending uint64) ([]AgentEntry, error) {
	var list []AgentEntry
	for pending > 0 && uint64(len(list)) < pending {
		// One that is removed before it is sent never comes: then the reader begins again.
		waiting, cancel := context.WithTimeout(ctx, 2*requestTimeout)
		entry, left, err := c.nextAgent(waiting, messages)
		cancel()
		if err != nil {
			return nil, err
		}
		list = append(list, entry)
		if left == 0 {
			break
		}
	}
	return list, nil
}

// nextAgent waits for the next presence, and returns how many more the stream has.
func (c *Conn) nextAgent(ctx context.Context, messages jetstream.MessagesContext) (AgentEntry, uint64, error) {
	msg, err := messages.Next(jetstream.NextContext(ctx))
	if err != nil {
		return AgentEntry{}, 0, fmt.Errorf("read the presence of agents: %w", err)
	}
	meta, err := msg.Metadata()
	if err != nil {
		return AgentEntry{}, 0, fmt.Errorf("read the presence of agents: %w", err)
	}
	entry := AgentEntry{Revision: meta.Sequence.Stream, At: meta.Timestamp, Value: msg.Data()}
	entry.ContactCenter, entry.Agent, err = idsOf(agentPrefix, msg.Subject())
	if err != nil {
		c.log.Warn("The subject of an agent's presence is invalid", "error", err)
	}
	return entry, meta.NumPending, nil
}
