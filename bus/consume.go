package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"segue/contract"
)

// Message is one notice in the stream.
type Message struct {
	// Sequence is its place in the stream, from 1.
	Sequence uint64
	// At is when the stream got it.
	At time.Time
	// Notice is never nil. One that cannot be decoded has the contact center and the interaction of
	// its subject and revision 0: what it told is lost.
	Notice *contract.Notice
}

// ErrLost reports that the stream no longer has all messages after a place.
var ErrLost = errors.New("the stream no longer has these messages")

const (
	// Of what the server sends ahead, at most this waits in memory.
	aheadMessages, aheadBytes = 512, 16 << 20

	consumerHeartbeat = 5 * time.Second
	consumerExpiry    = 30 * time.Second
	// A consumer whose reader is gone is removed by the server after this.
	consumerInactive = time.Minute
)

// Consume reads the stream in order, starting after the given place, and gives every message to
// handle, one at a time, until the context ends. It goes on after a lost connection. It returns
// ErrLost if messages after the place are gone, or the stream was made again: then the caller starts
// over. It calls began each time that it has begun to read: from then on a message comes as soon as
// the stream has it.
func (c *Conn) Consume(ctx context.Context, after Position, handle func(Message), began ...func()) error {
	r := &reader{conn: c, epoch: after.Epoch, next: after.Sequence + 1, handle: handle, began: began}
	return c.keepReading(ctx, "live notices", func() (isProgress bool, err error) {
		before := r.next
		err = r.read(ctx)
		return r.next > before, err
	})
}

// keepReading calls read whenever it has ended, until the context or the connection does, or it returns
// ErrLost. It pauses after an error, longer after each in a row without progress.
func (c *Conn) keepReading(ctx context.Context, what string, read func() (isProgress bool, err error)) error {
	for attempts := 1; ; attempts++ {
		isProgress, err := read()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case c.ctx.Err() != nil:
			return ErrAway
		case errors.Is(err, ErrLost):
			return err
		case err == nil:
			attempts = 0
			continue
		case isProgress:
			attempts = 1
		}
		c.log.Debug("The bus is read again", "what", what, "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ctx.Done():
			return ErrAway
		case <-time.After(backoff(attempts)):
		}
	}
}

// messagesOf begins to read what a consumer has.
func messagesOf(consumer jetstream.Consumer) (jetstream.MessagesContext, error) {
	return consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(aheadMessages, aheadBytes),
		jetstream.PullHeartbeat(consumerHeartbeat), jetstream.PullExpiry(consumerExpiry),
		jetstream.WithMessagesErrOnMissingHeartbeat(true))
}

// ofOneReader completes the configuration of a consumer of one reader: it needs no acks, and its reader makes
// another one if the server has lost it.
func ofOneReader(config jetstream.ConsumerConfig) jetstream.ConsumerConfig {
	config.AckPolicy, config.MaxDeliver, config.MemoryStorage, config.Replicas = jetstream.AckNonePolicy, 1, true, 1
	config.InactiveThreshold = consumerInactive
	return config
}

// reader reads the stream, by one consumer after the other.
type reader struct {
	conn   *Conn
	epoch  string
	next   uint64
	handle func(Message)
	began  []func()
	// jumped is the place where the stream went on at a later one: once may be a message that the
	// network lost, twice is a message that the stream lost.
	jumped uint64
}

// read reads until something fails.
func (r *reader) read(ctx context.Context) error {
	s, err := r.conn.await(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()

	consumer, err := r.consumer(ctx, s)
	if err != nil {
		return err
	}
	// The consumer belongs to the stream that existed at its creation. If the stream that is found
	// after it is the expected one, so was that.
	if err := r.check(ctx); err != nil {
		return err
	}
	messages, err := messagesOf(consumer)
	if err != nil {
		return fmt.Errorf("read the stream: %w", err)
	}
	defer messages.Stop()
	for _, report := range r.began {
		report()
	}
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("read the stream: %w", err)
		}
		if err := r.take(msg); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func (r *reader) consumer(ctx context.Context, s *session) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	consumer, err := s.js.CreateConsumer(ctx, StreamName, ofOneReader(jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.next,
	}))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		// Asking for the stream creates it again, where this connection may.
		if _, err := r.conn.First(ctx); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the stream: %w", err)
	}
	return consumer, nil
}

// check returns ErrLost if the stream is another one or lacks the next message.
func (r *reader) check(ctx context.Context) error {
	e, err := r.conn.info.get(ctx, r.conn)
	if err != nil {
		return err
	}
	if r.epoch == "" {
		r.epoch = e.epoch
	}
	switch {
	case e.epoch != r.epoch:
		return fmt.Errorf("the stream was made again: %w", ErrLost)
	case e.first > r.next:
		return fmt.Errorf("the stream begins at %d, the reader was at %d: %w", e.first, r.next, ErrLost)
	case e.last+1 < r.next:
		return fmt.Errorf("the stream ends at %d, the reader was at %d: %w", e.last, r.next, ErrLost)
	}
	return nil
}

// take gives one message to the handler.
func (r *reader) take(msg jetstream.Msg) error {
	meta, err := msg.Metadata()
	if err != nil {
		return fmt.Errorf("read the stream: %w", err)
	}
	if meta.Sequence.Stream != r.next {
		if r.jumped == r.next {
			return fmt.Errorf("the stream has %d after %d: %w", meta.Sequence.Stream, r.next-1, ErrLost)
		}
		r.jumped = r.next
		return fmt.Errorf("the stream sent %d instead of %d", meta.Sequence.Stream, r.next)
	}
	notice, err := decode(r.conn.codec, msg.Subject(), msg.Data())
	if err != nil {
		r.conn.log.Warn("A live notice cannot be decoded", "error", err)
		notice = &contract.Notice{}
		if cc, interaction, err := idsOf(livePrefix, msg.Subject()); err == nil {
			notice.ContactCenter, notice.Interaction = cc, interaction
		}
	}
	r.next++
	r.handle(Message{Sequence: meta.Sequence.Stream, At: meta.Timestamp, Notice: notice})
	return nil
}

// dueBuffer bounds the pings that wait for a slow handler. NATS drops those beyond it.
const dueBuffer = 16384

// Dues gives every announced notice to handle, one at a time, until the context ends. It goes on
// after a lost connection.
func (c *Conn) Dues(ctx context.Context, handle func(contract.Due)) error {
	return c.subscribe(ctx, duePrefix+">", func(msg *nats.Msg) {
		d, err := decodeDue(msg.Subject, msg.Data)
		if err != nil {
			c.log.Warn("A ping cannot be decoded", "error", err)
			return
		}
		handle(d)
	})
}

// subscribe gives the messages of a subject to handle until the context ends. The client subscribes
// again whenever it connects again.
func (c *Conn) subscribe(ctx context.Context, subject string, handle func(*nats.Msg)) error {
	s, err := c.await(ctx)
	if err != nil {
		return err
	}
	messages := make(chan *nats.Msg, dueBuffer)
	subscription, err := s.nats.ChanSubscribe(subject, messages)
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	// Unsubscribing fails only if the connection is closed, which ends the subscription too.
	defer func() { _ = subscription.Unsubscribe() }()
	for {
		select {
		case msg := <-messages:
			if msg != nil {
				handle(msg)
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ctx.Done():
			return ErrAway
		}
	}
}
