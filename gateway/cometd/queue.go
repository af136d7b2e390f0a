package cometd

import (
	"encoding/json"
	"slices"
	"time"
)

// message is what waits for a client. data is shared by all sessions that it is delivered to.
type message struct {
	channel string
	data    json.RawMessage
	// at is when it was delivered.
	at time.Time
	// batch is the reply to a connect that had it first. It is for acknowledgment alone.
	batch int64
	// isMissed is set for what is not counted against the bounds of the session.
	isMissed bool
}

// messageOverhead is what a message needs beside its text, in bytes.
const messageOverhead = 80

func (m *message) size() int { return messageOverhead + len(m.channel) + len(m.data) }

// queue is what waits for a client, in order.
type queue struct {
	messages []message
	bytes    int
	// sent is how many at the front are sent: they wait for their acknowledgment, or are being
	// written if there is none.
	sent int
	// batch is the number of the last reply to a connect.
	batch int64
	// missed and missedBytes are what is not counted against the bounds.
	missed, missedBytes int
}

func (q *queue) unsent() int { return len(q.messages) - q.sent }

// sentBytes is the size of what is sent and not acknowledged.
func (q *queue) sentBytes() int {
	size := 0
	for i := range q.sent {
		size += q.messages[i].size()
	}
	return size
}

// add appends a message, and returns its size.
func (q *queue) add(m message) int {
	m.isMissed = m.isMissed && q.missed < maxMissed && q.missedBytes < maxMissedBytes
	q.messages = append(q.messages, m)
	q.count(&m, 1)
	return m.size()
}

// count adds a message to what the queue holds, or with -1 takes it away.
func (q *queue) count(m *message, one int) {
	q.bytes += one * m.size()
	if m.isMissed {
		q.missed += one
		q.missedBytes += one * m.size()
	}
}

func (q *queue) isOver() bool {
	return len(q.messages)-q.missed > maxQueued || q.bytes-q.missedBytes > maxQueuedBytes
}

// next returns how many messages a reply carries: all that are sent already, and as many others as
// fit, at least one.
func (q *queue) next() int {
	n, bytes := 0, 0
	for n < len(q.messages) {
		bytes += q.messages[n].size()
		if n >= q.sent && n > 0 && bytes > maxReplyBytes {
			break
		}
		n++
	}
	return n
}

// take returns messages that are about to be written without acknowledgment. It returns none while
// others are being written: if those are not, they come first.
func (q *queue) take() []message {
	if q.sent > 0 {
		return nil
	}
	q.sent = q.next()
	return slices.Clone(q.messages[:q.sent])
}

// takeBatch returns all messages that are not acknowledged, for the reply of the next number.
func (q *queue) takeBatch() []message {
	q.batch++
	n := q.next()
	for i := q.sent; i < n; i++ {
		q.messages[i].batch = q.batch
	}
	q.sent = n
	return slices.Clone(q.messages[:n])
}

// acknowledge removes what the client has, and returns its size.
func (q *queue) acknowledge(batch int64) int {
	n := 0
	for n < q.sent && q.messages[n].batch <= batch {
		n++
	}
	return q.drop(n)
}

// wrote ends the write of what take returned. It returns the size of what is removed.
func (q *queue) wrote(ok bool) int {
	n := q.sent
	q.sent = 0
	if !ok {
		return 0
	}
	q.sent = n
	return q.drop(n)
}

// drop removes n messages that are sent, and returns their size.
func (q *queue) drop(n int) int {
	size := 0
	for i := range n {
		size += q.messages[i].size()
		q.count(&q.messages[i], -1)
		q.messages[i] = message{} // the rest of the slice keeps the array
	}
	q.messages = q.messages[n:]
	if len(q.messages) == 0 {
		q.messages = nil
	}
	q.sent -= n
	return size
}

// keep removes from a place on what is no longer wanted, and returns its size.
func (q *queue) keep(from int, isWanted func(channel string) bool) int {
	kept, size, sent := q.messages[:from], 0, q.sent
	for i, m := range q.messages[from:] {
		if isWanted(m.channel) {
			kept = append(kept, m)
			continue
		}
		size += m.size()
		q.count(&m, -1)
		if from+i < sent {
			q.sent--
		}
	}
	clear(q.messages[len(kept):])
	q.messages = kept
	return size
}
