package bayeux_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An older ack gets everything after it again, in the same order, with what has come since.
func TestAnOlderAckGetsItsMessagesAgain(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshakeWithAck(t)
		s.subscribe(t, "/t/a")
		w.publish("/t/a", "1")
		require.Equal(t, []int{1}, numbers(t, s.poll(t)))
		first := *s.ack

		w.publish("/t/a", "2")
		w.publish("/t/a", "3")
		require.Equal(t, []int{2, 3}, numbers(t, s.poll(t)))
		*s.ack = first
		w.publish("/t/a", "4")
		require.Equal(t, []int{2, 3, 4}, numbers(t, s.poll(t)))
		*s.ack = first
		require.Equal(t, []int{2, 3, 4}, numbers(t, s.poll(t)))
		require.Empty(t, s.poll(t))
	})
}

// A connect that repeats an ack because its answer was lost is not held while there is something to send again.
func TestARepeatedAckIsNotHeld(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshakeWithAck(t)
		s.subscribe(t, "/t/a")
		before := *s.ack
		w.publish("/t/a", "1")
		s.poll(t)
		*s.ack = before
		start := time.Now()
		messages, _ := s.connect(t, nil)
		require.Equal(t, []int{1}, numbers(t, messages))
		require.Zero(t, time.Since(start))
	})
}

// What an ack says is checked: nonsense neither loses messages nor ends the session.
func TestAcksThatWereNeverSent(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshakeWithAck(t)
		s.subscribe(t, "/t/a")
		w.publish("/t/a", "1")
		for _, ack := range []any{-1, "x", nil, fields{}, true, 0.5} {
			a := s.raw(t, encoded(t, []fields{s.connectMessage(fields{"ext": fields{"ack": ack}, "advice": fields{"timeout": 0}})}))
			require.Less(t, a.status, 500)
		}
		require.Equal(t, []int{1}, numbers(t, s.poll(t)))
	})
}

func TestEachReplyHasTheNextBatch(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshakeWithAck(t)
		s.subscribe(t, "/t/a")
		last := *s.ack
		for range 10 {
			w.publish("/t/a", "1")
			s.poll(t)
			require.Greater(t, *s.ack, last)
			last = *s.ack
		}
	})
}
