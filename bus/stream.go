package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"segue/contract"
)

// dedupWindow is how long the stream knows the id of a notice. A later repeat gets into the stream;
// gateways ignore a revision that they know.
const dedupWindow = 2 * time.Minute

// Position is the end of the stream: its life, which changes when a stream is made again, and the
// place of its last message.
type Position struct {
	Epoch    string
	Sequence uint64
}

// keepStream creates the streams, or adjusts their bounds, and tries again until the session ends.
func (c *Conn) keepStream(s *session) {
	for attempts := 1; ; attempts++ {
		err := errors.Join(c.ensureStream(s), c.ensureAgents(s.ctx, s))
		if err == nil || s.ctx.Err() != nil {
			return
		}
		c.log.Warn("The streams of the bus cannot be created; trying again", "streams", []string{StreamName, AgentsStream}, "error", err)
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(backoff(attempts)):
		}
	}
}

func (c *Conn) ensureStream(s *session) error {
	ctx, cancel := context.WithTimeout(s.ctx, 2*requestTimeout)
	defer cancel()
	existing, err := s.js.Stream(ctx, StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return c.createStream(ctx, s)
	}
	if err != nil {
		return err
	}
	// Storage and replicas are the operator's choice.
	had := existing.CachedInfo().Config
	if had.MaxBytes == c.maxBytes() && had.MaxAge == MaxAge {
		return nil
	}
	had.MaxBytes, had.MaxAge, had.Duplicates = c.maxBytes(), MaxAge, min(had.Duplicates, MaxAge)
	_, err = s.js.UpdateStream(ctx, had)
	return err
}

func (c *Conn) createStream(ctx context.Context, s *session) error {
	return c.create(ctx, s, func(storage jetstream.StorageType) jetstream.StreamConfig {
		return streamConfig(storage, c.maxBytes())
	})
}

// create creates a stream: in memory on an embedded server, with replicas in a cluster.
func (c *Conn) create(ctx context.Context, s *session, configOf func(jetstream.StorageType) jetstream.StreamConfig) error {
	// A stream in the memory of an external server is empty after a restart and still the same stream
	// by its creation time, so that readers would not notice.
	config := configOf(jetstream.FileStorage)
	if c.options.Server != nil {
		config.Storage = jetstream.MemoryStorage
	}
	if s.nats.ConnectedClusterName() != "" {
		config.Replicas = 3
		if _, err := s.js.CreateStream(ctx, config); err == nil {
			return nil
		}
		config.Replicas = 1
	}
	_, err := s.js.CreateStream(ctx, config)
	return err
}

func streamConfig(storage jetstream.StorageType, maxBytes int64) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: StreamName, Description: "Live notices of Segue", Subjects: []string{livePrefix + ">"},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, Storage: storage,
		MaxBytes: maxBytes, MaxAge: MaxAge, Duplicates: dedupWindow, Replicas: 1,
	}
}

func (c *Conn) maxBytes() int64 {
	switch {
	case c.options.MaxBytes != 0:
		return c.options.MaxBytes
	case c.options.Server != nil && c.options.Server.maxBytes != 0:
		return c.options.Server.maxBytes
	}
	return DefaultMaxBytes
}

// extent is what the stream has now.
type extent struct {
	epoch       string
	first, last uint64
}

// Last asks for the end of the stream. Calls that wait together share one request that began after
// all of them. It fails with ErrAway at once if the bus is away.
func (c *Conn) Last(ctx context.Context) (Position, error) {
	e, err := c.info.get(ctx, c)
	return Position{Epoch: e.epoch, Sequence: e.last}, err
}

// First asks for the place of the first message that the stream still has; that of the next one if
// it has none.
func (c *Conn) First(ctx context.Context) (Position, error) {
	e, err := c.info.get(ctx, c)
	return Position{Epoch: e.epoch, Sequence: e.first}, err
}

// extent asks for the stream's information, and creates the stream first if it is gone.
func (c *Conn) extent() (extent, error) {
	s, _ := c.session()
	if s == nil {
		return extent{}, ErrAway
	}
	ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
	defer cancel()
	stream, err := s.js.Stream(ctx, StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) && c.options.Creates {
		if err := c.createStream(ctx, s); err != nil {
			return extent{}, fmt.Errorf("create the stream %s: %w", StreamName, err)
		}
		stream, err = s.js.Stream(ctx, StreamName)
	}
	if err != nil {
		return extent{}, fmt.Errorf("ask for the stream %s: %w", StreamName, err)
	}
	info := stream.CachedInfo()
	return extent{
		epoch: info.Created.UTC().Format(time.RFC3339Nano), first: max(info.State.FirstSeq, 1), last: info.State.LastSeq,
	}, nil
}

// shared lets all calls that wait together share one request: the next one, which begins after all
// of them, because one that is in flight may have read the stream before them.
type shared struct {
	mu       sync.Mutex
	next     *request
	inFlight bool
}

type request struct {
	done   chan struct{}
	result extent
	err    error
}

func (s *shared) get(ctx context.Context, c *Conn) (extent, error) {
	s.mu.Lock()
	if s.next == nil {
		s.next = &request{done: make(chan struct{})}
	}
	mine := s.next
	if !s.inFlight {
		s.inFlight = true
		c.start(func() { s.run(c) })
	}
	s.mu.Unlock()
	select {
	case <-mine.done:
		return mine.result, mine.err
	case <-ctx.Done():
		return extent{}, ctx.Err()
	case <-c.ctx.Done():
		return extent{}, ErrAway
	}
}

func (s *shared) run(c *Conn) {
	for {
		s.mu.Lock()
		mine := s.next
		s.next = nil
		if mine == nil {
			s.inFlight = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		mine.result, mine.err = c.extent()
		close(mine.done)
	}
}

// PublishNow publishes a notice and waits for its ack. Gateways publish states that they repaired.
// It fails with ErrAway at once if the bus is away.
func (c *Conn) PublishNow(ctx context.Context, notice *contract.Notice) error {
	s, _ := c.session()
	if s == nil {
		return ErrAway
	}
	msg, err := message(c.codec, notice, int(c.maxPayload.Load()))
	if err != nil {
		return err
	}
	if _, err := s.js.PublishMsg(ctx, msg); err != nil {
		return fmt.Errorf("publish a notice: %w", err)
	}
	return nil
}
