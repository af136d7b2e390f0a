package bus

import (
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"segue/contract"
)

// The bounds of what a publisher keeps, whether the bus is away or slow.
const (
	maxWaitingBytes = 32 << 20
	maxWaiting      = 16384
	// maxUnencoded bounds the notices whose size is not known yet.
	maxUnencoded = 2048
	maxDues      = 4096
	maxLosses    = 65536

	// What is sent and not acknowledged yet.
	maxInFlight      = 256
	maxInFlightBytes = 8 << 20
)

// item is one notice on its way to the bus.
type item struct {
	lane *lane
	due  contract.Due
	// notice is nil once the notice is encoded or dropped; msg and size are those of the encoded one.
	notice  *contract.Notice
	msg     *nats.Msg
	size    int
	sent    bool
	dropped bool
}

// lane has the notices of one interaction, which are sent one after the other, so that they get into
// the stream in order.
type lane struct {
	key     key
	waiting []*item
	sending *item
	ready   bool
}

type key struct{ contactCenter, interaction string }

// queue is what a publisher has to send. Its publisher's lock guards it.
type queue struct {
	lanes map[key]*lane
	// ready are the lanes whose first notice may be sent now; unencoded the notices in the order in
	// which they came, dropped ones too.
	ready     []*lane
	unencoded []*item
	inFlight  map[*nats.Msg]*item
	dues      []contract.Due
	// losses are the interactions whose last notice was dropped.
	losses map[key]contract.Due

	// away is set while the bus takes nothing: then only the last notice of an interaction is kept.
	away          bool
	count         int
	bytes         int
	fresh         int
	inFlightBytes int
	dropped       int64
}

func newQueue() *queue {
	return &queue{lanes: map[key]*lane{}, inFlight: map[*nats.Msg]*item{}, losses: map[key]contract.Due{}}
}

// put adds a notice. If the queue is full, the notices of its interaction make place; if that does not
// suffice, its loss is announced.
func (q *queue) put(n *contract.Notice) {
	k := key{n.ContactCenter, n.Interaction}
	l := q.lanes[k]
	if l == nil {
		l = &lane{key: k}
		q.lanes[k] = l
	}
	it := &item{lane: l, notice: n, due: contract.Due{
		ContactCenter: n.ContactCenter, Interaction: n.Interaction, RunID: n.RunID, Revision: n.Revision,
	}}
	if q.away || q.full() {
		q.shorten(l, 0)
	}
	l.waiting = append(l.waiting, it)
	q.unencoded = append(q.unencoded, it)
	q.count++
	q.fresh++
	delete(q.losses, k)
	if q.count > maxWaiting || q.fresh > maxUnencoded {
		q.lose(it)
	}
	q.settle(l)
}

func (q *queue) full() bool {
	return q.count >= maxWaiting || q.fresh >= maxUnencoded || q.bytes >= maxWaitingBytes
}

// encoded notes the message of a notice, or its loss if that does not fit.
func (q *queue) encoded(it *item, msg *nats.Msg) {
	if it.dropped {
		return
	}
	it.notice, it.msg, it.size = nil, msg, len(msg.Data)+len(msg.Subject)
	q.fresh--
	q.bytes += it.size
	if it.lane.sending == it {
		return
	}
	if q.bytes > maxWaitingBytes {
		q.shorten(it.lane, 1)
	}
	if q.bytes > maxWaitingBytes && !it.dropped {
		q.lose(it)
	}
}

// shorten drops the waiting notices of a lane but the last ones.
func (q *queue) shorten(l *lane, keep int) {
	excess := max(len(l.waiting)-keep, 0)
	for _, it := range l.waiting[:excess] {
		q.forget(it)
		q.dropped++
	}
	l.waiting = slices.Delete(l.waiting, 0, excess)
}

// lose drops a notice and announces it, unless a later one of its interaction waits.
func (q *queue) lose(it *item) {
	last := len(it.lane.waiting) == 0 || it.lane.waiting[len(it.lane.waiting)-1] == it
	l := it.lane
	q.drop(it)
	if _, known := q.losses[l.key]; last && (known || len(q.losses) < maxLosses) {
		q.losses[l.key] = it.due
	}
	q.settle(l)
}

// drop removes a notice that waits.
func (q *queue) drop(it *item) {
	if i := slices.Index(it.lane.waiting, it); i >= 0 {
		it.lane.waiting = slices.Delete(it.lane.waiting, i, i+1)
		q.forget(it)
		q.dropped++
	}
}

// forget takes a notice out of the counts.
func (q *queue) forget(it *item) {
	if it.msg == nil {
		q.fresh--
	}
	q.count--
	q.bytes -= it.size
	it.dropped, it.notice, it.msg = true, nil, nil
}

// settle makes a lane ready to be sent, or removes it, as it has become.
func (q *queue) settle(l *lane) {
	switch {
	case l.sending != nil || l.ready:
	case len(l.waiting) > 0:
		l.ready = true
		q.ready = append(q.ready, l)
	default:
		delete(q.lanes, l.key)
	}
}

// nextToSend returns the notice to send next, which takes its lane until settled, nil if none may be
// sent now.
func (q *queue) nextToSend(limit int) *item {
	for len(q.ready) > 0 && len(q.inFlight) < limit && q.inFlightBytes < maxInFlightBytes {
		l := q.ready[0]
		q.ready[0], q.ready, l.ready = nil, q.ready[1:], false
		if len(l.waiting) == 0 {
			q.settle(l)
			continue
		}
		l.sending = l.waiting[0]
		l.waiting[0], l.waiting = nil, l.waiting[1:]
		return l.sending
	}
	return nil
}

// nextToEncode returns a notice that is not encoded yet.
func (q *queue) nextToEncode() *item {
	for len(q.unencoded) > 0 {
		it := q.unencoded[0]
		q.unencoded[0], q.unencoded = nil, q.unencoded[1:]
		if !it.dropped && it.msg == nil && it.notice != nil {
			return it
		}
	}
	return nil
}

// nextDue returns a ping to send: those that were asked for, then the losses if they may be announced.
func (q *queue) nextDue(losses bool) (contract.Due, bool) {
	if len(q.dues) > 0 {
		d := q.dues[0]
		q.dues = q.dues[1:]
		return d, true
	}
	if !losses {
		return contract.Due{}, false
	}
	for k, d := range q.losses {
		delete(q.losses, k)
		return d, true
	}
	return contract.Due{}, false
}

// leave notes that a notice is sent.
func (q *queue) leave(it *item) {
	q.inFlight[it.msg] = it
	q.inFlightBytes += it.size
	it.sent = true
}

// settled ends the sending of a notice: published, or to be sent again, or lost.
func (q *queue) settled(it *item, outcome outcome) {
	if q.inFlight[it.msg] == it {
		delete(q.inFlight, it.msg)
		q.inFlightBytes -= it.size
	}
	l := it.lane
	l.sending = nil
	switch outcome {
	case published:
		q.forget(it)
	case again:
		l.waiting = append([]*item{it}, l.waiting...)
		if q.away {
			q.shorten(l, 1)
		}
	case lost:
		l.waiting = append([]*item{it}, l.waiting...)
		q.lose(it)
	}
	q.settle(l)
}

type outcome int

const (
	published outcome = iota
	again
	lost
)

// goAway keeps the last notice of each interaction alone.
func (q *queue) goAway(away bool) {
	if away && !q.away {
		for _, l := range q.lanes {
			q.shorten(l, 1)
		}
	}
	q.away = away
}

// idle reports that nothing is left to do.
func (q *queue) idle() bool { return q.count == 0 && len(q.dues) == 0 && len(q.losses) == 0 }

// pause is how a publisher slows down while the bus refuses what it sends.
type pause struct {
	failures int
	until    time.Time
}

// limit is how many notices may be in flight: one tries whether the bus is well again.
func (p *pause) limit(now time.Time) int {
	switch {
	case now.Before(p.until):
		return 0
	case p.failures > 0:
		return 1
	}
	return maxInFlight
}

func (p *pause) failed(now time.Time) {
	if !now.Before(p.until) {
		p.failures++
		p.until = now.Add(backoff(p.failures))
	}
}

func (p *pause) succeeded() { *p = pause{} }
