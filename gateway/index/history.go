package index

import (
	"sync"
	"time"

	"segue/bus"
	"segue/contract"
)

// historyLimit bounds the changes whose place is known. Notices of the older ones are in the stream
// alone.
const historyLimit = 1 << 18

// messagesLimit bounds the messages whose place is known, also if one of them waits forever.
const messagesLimit = 4 * historyLimit

// span is a range of revisions without notices.
type span struct{ from, to int64 }

// change is one change in the history; notice is nil once it is only in the stream.
type change struct {
	sequence uint64
	at       int64 // nanoseconds since 1970
	notice   *contract.Notice
	weight   int64
	gap      *span
}

// history is the changes of all interactions in the order in which streams show them. That is the
// order of the stream of notices, but for notices that arrived before their predecessors.
type history struct {
	limit int64

	mu      sync.Mutex
	epoch   string
	changes deque[change]
	// first is the number of changes.at(0), light that of the first one in memory. bytes is the
	// weight of those in memory.
	first, light uint64
	bytes        int64
	// next has, for each message of the stream from start on, the number of the change with which
	// streams go on after it; pending if that is open.
	next  deque[uint64]
	start uint64
	// tail is the message of the last change.
	tail   uint64
	over   bool
	grown  chan struct{}
	wanted bool // somebody waits for grown
}

const pending = ^uint64(0)

// newHistory returns an empty history after a position of the stream.
func newHistory(after bus.Position, limit int64) *history {
	s := &history{limit: limit, epoch: after.Epoch, start: after.Sequence, tail: after.Sequence, grown: make(chan struct{})}
	s.next.push(0)
	return s
}

func (s *history) end() uint64 { return s.first + uint64(s.changes.len()) }

// reach makes room for a message. Messages that were passed over are gone from the stream.
func (s *history) reach(sequence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := s.start + uint64(s.next.len()); at < sequence; at++ {
		s.next.push(s.end())
	}
	s.next.push(pending)
}

// skip records that a message is no change.
func (s *history) skip(sequence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resolve(sequence)
}

func (s *history) resolve(sequence uint64) {
	if sequence >= s.start {
		*s.next.at(int(sequence - s.start)) = s.end()
	}
	s.announce()
}

func (s *history) announce() {
	if s.wanted {
		close(s.grown)
		s.grown, s.wanted = make(chan struct{}), false
	}
}

// add appends the change of a message.
func (s *history) add(sequence uint64, at time.Time, n *contract.Notice, gap *span) {
	weight := weigh(n)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes.push(change{sequence: sequence, at: at.UnixNano(), notice: n, weight: weight, gap: gap})
	s.bytes += weight
	s.tail = sequence
	s.resolve(sequence)
	s.trim(at)
}

// trim bounds the notices in memory and the changes altogether.
func (s *history) trim(now time.Time) {
	s.light = max(s.light, s.first)
	for s.bytes > s.limit && s.light+1 < s.end() {
		c := s.changes.at(int(s.light - s.first))
		c.notice, s.bytes = nil, s.bytes-c.weight
		s.light++
	}
	oldest := now.Add(-bus.MaxAge).UnixNano()
	for s.changes.len() > 1 && (s.changes.len() > historyLimit || s.changes.at(0).at < oldest) {
		if c := s.changes.at(0); c.notice != nil {
			s.bytes -= c.weight
		}
		s.changes.drop()
		s.first++
	}
	isOld := func(number uint64) bool { return number != pending && number < s.first }
	for s.next.len() > 1 && (isOld(s.next.front()) || s.next.len() > messagesLimit) {
		s.next.drop()
		s.start++
	}
}

// finish ends the history; its readers start over.
func (s *history) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.announce()
}

func (s *history) position() bus.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bus.Position{Epoch: s.epoch, Sequence: s.tail}
}

// beginning returns the first position from which find still finds a change.
func (s *history) beginning() bus.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bus.Position{Epoch: s.epoch, Sequence: s.start}
}

// find returns the number of the change that follows a position. If that is open, it returns a
// channel that is closed when it may be known.
func (s *history) find(p bus.Position) (number uint64, wait <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over || p.Epoch != s.epoch:
		return 0, nil, ErrResync
	case p.Sequence == s.tail:
		return s.end(), nil, nil
	case p.Sequence < s.start:
		return 0, nil, ErrResync
	}
	if after := p.Sequence - s.start; after < uint64(s.next.len()) {
		if number := *s.next.at(int(after)); number != pending {
			if number < s.first {
				return 0, nil, ErrResync
			}
			return number, nil, nil
		}
	}
	s.wanted = true
	return 0, s.grown, nil
}

// findAt returns the number of the change at a position.
func (s *history) findAt(p bus.Position) (number uint64, wait <-chan struct{}, err error) {
	number, wait, err = s.find(p)
	if err != nil || wait != nil {
		return number, wait, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if number <= s.first || s.changes.at(int(number-1-s.first)).sequence != p.Sequence {
		return 0, nil, ErrResync
	}
	return number - 1, nil, nil
}

// batchWeight bounds what a reader takes at once.
const batchWeight = 64 << 10

// read copies changes from a number on into a batch. If there is none yet, it returns a channel that
// is closed when there may be.
func (s *history) read(number uint64, batch []change) (n int, wait <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || number < s.first {
		return 0, nil, ErrResync
	}
	var weight int64
	for n < len(batch) && number+uint64(n) < s.end() && (n == 0 || weight < batchWeight) {
		batch[n] = *s.changes.at(int(number + uint64(n) - s.first))
		weight += batch[n].weight
		n++
	}
	if n == 0 {
		s.wanted = true
		return 0, s.grown, nil
	}
	return n, nil, nil
}
