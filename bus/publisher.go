package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"segue/contract"
)

const (
	// ackTimeout is how long a notice waits for its ack before it is sent again.
	ackTimeout = 5 * time.Second
	// After this many failed rounds the bus counts as away, though it is connected.
	awayAfter = 2
	// Losses are announced this long after the bus is back: gateways reconnect within maxBackoff, and
	// a ping before that would be lost.
	lossDelay = maxBackoff + time.Second
)

// Publisher publishes the notices of one worker process. No method but Close waits.
type Publisher struct {
	conn *Conn
	wake chan struct{}
	stop chan struct{}
	done chan struct{}

	mu       sync.Mutex
	queue    *queue
	pause    pause
	closing  bool
	stopped  bool
	finished Stats

	// Of the goroutine alone.
	nats *nats.Conn
	js   jetstream.JetStream
}

// Stats are the counts of a publisher since its start, and what waits now.
type Stats struct {
	// Published counts acknowledged notices; Repeated those that were sent again; Dropped those that
	// made place for a later one of their interaction, or for which a ping was sent.
	Published, Repeated, Dropped int64
	// Waiting are the notices without an ack; WaitingBytes the size of those that are encoded.
	Waiting, WaitingBytes int64
}

// NewPublisher starts a publisher on a connection. Close it before the connection.
func NewPublisher(c *Conn) *Publisher {
	p := &Publisher{
		conn: c, queue: newQueue(),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go p.run()
	return p
}

// Publish publishes a notice, and again until the bus has acknowledged it. While the bus is away it
// keeps the last notice of each interaction, within 32 MiB; of others it announces the loss with Due
// once the bus is back. The notice is encoded later: nobody may change it after the call.
func (p *Publisher) Publish(n *contract.Notice) {
	p.mu.Lock()
	if !p.closing {
		p.queue.put(n)
	}
	p.mu.Unlock()
	p.signal()
}

// Due announces a notice. It is lost if the bus is away.
func (p *Publisher) Due(d contract.Due) {
	p.mu.Lock()
	if !p.closing && !p.queue.away && len(p.queue.dues) < maxDues {
		p.queue.dues = append(p.queue.dues, d)
	}
	p.mu.Unlock()
	p.signal()
}

// Stats returns the counts of the publisher.
func (p *Publisher) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.finished
	s.Dropped, s.Waiting, s.WaitingBytes = p.queue.dropped, int64(p.queue.count), int64(p.queue.bytes)
	return s
}

// Close publishes what waits, until the context ends. It reports an error if notices are left.
func (p *Publisher) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	p.signal()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped {
		p.stopped = true
		close(p.stop)
	}
	if p.queue.idle() {
		return nil
	}
	return fmt.Errorf("%d live notices are not published: %w", p.queue.count+len(p.queue.losses), ctx.Err())
}

func (p *Publisher) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run sends what waits, until Close.
func (p *Publisher) run() {
	defer close(p.done)
	defer func() {
		if p.js != nil {
			p.js.CleanupPublisher()
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		s, changed := p.conn.session()
		p.adopt(s)
		select {
		case <-p.stop:
			return
		default:
		}
		if p.step(s) {
			continue
		}
		if p.isFinished() {
			p.flush(s)
			return
		}
		var resume <-chan time.Time
		if wait := p.rest(s); wait > 0 {
			timer.Reset(wait)
			resume = timer.C
		}
		select {
		case <-p.wake:
		case <-changed:
		case <-resume:
		case <-p.stop:
			return
		}
	}
}

func (p *Publisher) isFinished() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closing && p.queue.idle()
}

// rest returns after what time there may be something to do, 0 if only an event brings it.
func (p *Publisher) rest(s *session) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := time.Until(p.pause.until)
	if s != nil && len(p.queue.losses) > 0 {
		if losses := time.Until(s.began.Add(lossDelay)); wait <= 0 || losses < wait {
			wait = max(losses, time.Millisecond)
		}
	}
	return wait
}

// flush waits until the server has the last pings.
func (p *Publisher) flush(s *session) {
	if s == nil {
		return
	}
	if err := s.nats.FlushTimeout(requestTimeout); err != nil {
		p.conn.log.Debug("The last pings may be lost", "error", err)
	}
}

// adopt takes over the state of the connection.
func (p *Publisher) adopt(s *session) {
	p.mu.Lock()
	p.queue.goAway(s == nil || p.pause.failures >= awayAfter)
	if s == nil {
		p.queue.dues = nil
	}
	p.mu.Unlock()
	if s == nil || s.nats == p.nats {
		return
	}
	js, err := jetstream.New(s.nats, jetstream.WithPublishAsyncMaxPending(2*maxInFlight),
		jetstream.WithPublishAsyncTimeout(ackTimeout),
		jetstream.WithPublishAsyncAckHandler(func(_ jetstream.JetStream, msg *nats.Msg, _ *jetstream.PubAck) { p.acked(msg) }),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, msg *nats.Msg, err error) { p.failed(msg, err) }))
	if err != nil {
		p.conn.log.Error("Live notices cannot be published", "error", err)
		return
	}
	p.nats, p.js = s.nats, js
}

// step does one piece of work and reports whether there was any.
func (p *Publisher) step(s *session) bool {
	if s != nil && p.js != nil {
		if d, found := p.nextDue(s); found {
			p.sendDue(s, d)
			return true
		}
		p.mu.Lock()
		it := p.queue.nextToSend(p.pause.limit(time.Now()))
		p.mu.Unlock()
		if it != nil {
			p.send(it)
			return true
		}
	}
	p.mu.Lock()
	it := p.queue.nextToEncode()
	p.mu.Unlock()
	if it != nil {
		p.encode(it)
	}
	return it != nil
}

func (p *Publisher) nextDue(s *session) (contract.Due, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.nextDue(p.closing || time.Since(s.began) >= lossDelay)
}

func (p *Publisher) sendDue(s *session, d contract.Due) {
	msg, err := dueMessage(d)
	if err == nil {
		err = s.nats.PublishMsg(msg)
	}
	if err != nil {
		p.conn.log.Debug("A ping is lost", "error", err)
	}
}

// encode encodes a notice; one that cannot be encoded is lost.
func (p *Publisher) encode(it *item) bool {
	p.mu.Lock()
	notice, encoded := it.notice, it.msg != nil
	p.mu.Unlock()
	if notice == nil {
		return encoded
	}
	msg, err := message(p.conn.codec, notice, int(p.conn.maxPayload.Load()))
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.conn.log.Warn("A live notice cannot be encoded; its state is queried instead", "error", err)
		p.giveUp(it)
		return false
	}
	p.queue.encoded(it, msg)
	return !it.dropped
}

// giveUp loses a notice, whether it waits or is the one that its lane sends.
func (p *Publisher) giveUp(it *item) {
	if it.lane.sending == it {
		p.queue.settled(it, lost)
	} else {
		p.queue.lose(it)
	}
}

// send sends the notice that its lane has taken.
func (p *Publisher) send(it *item) {
	if !p.encode(it) {
		return
	}
	p.mu.Lock()
	if it.sent {
		p.finished.Repeated++
	}
	msg := it.msg
	p.queue.leave(it)
	p.mu.Unlock()
	if _, err := p.js.PublishMsgAsync(msg); err != nil {
		p.failed(msg, err)
	}
}

// acked notes that the stream has a notice. The library calls it, in part under its own lock.
func (p *Publisher) acked(msg *nats.Msg) {
	p.mu.Lock()
	if it := p.queue.inFlight[msg]; it != nil {
		p.queue.settled(it, published)
		p.finished.Published++
		p.pause.succeeded()
	}
	p.mu.Unlock()
	p.signal()
}

// failed notes that a notice has no ack: it is sent again, unless the bus will never take it.
func (p *Publisher) failed(msg *nats.Msg, err error) {
	p.mu.Lock()
	it := p.queue.inFlight[msg]
	if it == nil {
		p.mu.Unlock()
		return
	}
	switch {
	case isFinal(err):
		p.queue.settled(it, lost)
	default:
		p.queue.settled(it, again)
		if !errors.Is(err, nats.ErrDisconnected) {
			p.pause.failed(time.Now())
		}
	}
	p.mu.Unlock()
	p.conn.log.Debug("A live notice has no ack", "error", err)
	p.signal()
}

// isFinal reports that the bus refuses a message for what it is.
func isFinal(err error) bool {
	var refusal *jetstream.APIError
	return errors.Is(err, nats.ErrMaxPayload) || (errors.As(err, &refusal) && refusal.Code >= 400 && refusal.Code < 500)
}
