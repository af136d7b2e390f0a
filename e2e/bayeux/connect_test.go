package bayeux_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/gateway/cometd"
)

func TestAConnectIsHeldUntilTheTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		advice fields
		held   time.Duration
	}{
		"as advised":     {nil, 30 * time.Second},
		"timeout 0":      {fields{"timeout": 0}, 0},
		"shorter":        {fields{"timeout": 1500}, 1500 * time.Millisecond},
		"only interval":  {fields{"interval": 10}, 30 * time.Second},
		"longer":         {fields{"timeout": 3_600_000}, 30 * time.Second},
		"negative":       {fields{"timeout": -1}, -1},
		"not a number":   {fields{"timeout": "soon"}, -1},
		"beyond 64 bits": {fields{"timeout": 1e300}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				s := w.caller("anna").handshake(t)
				before := time.Now()
				more := fields{"id": "9"}
				if c.advice != nil {
					more["advice"] = c.advice
				}
				a := s.raw(t, encoded(t, []fields{s.connectMessage(more)}))
				if c.held < 0 {
					require.Contains(t, []int{http.StatusOK, http.StatusBadRequest}, a.status)
					require.LessOrEqual(t, time.Since(before), 30*time.Second)
					return
				}
				reply := only(t, a.messages)
				require.True(t, reply.ok(), "%+v", reply)
				require.Equal(t, `"9"`, string(reply.ID))
				require.Equal(t, c.held, time.Since(before))
			})
		})
	}
}

func TestAHeldConnectBringsAMessageAtOnce(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		s.subscribe(t, "/t/a")
		h := s.hold(t, nil)
		time.Sleep(10 * time.Second)
		before := time.Now()
		w.publish("/t/a", `{"n":1}`)
		messages, reply := s.received(t, h.messages(t))
		require.Equal(t, []string{`/t/a {"n":1}`}, contents(messages))
		require.True(t, reply.ok())
		require.Zero(t, time.Since(before))
		require.Empty(t, s.poll(t), "a message comes once")
	})
}

// What waits comes with the next connect, in order, and that connect is not held.
func TestMessagesWaitForAConnect(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		s.subscribe(t, "/t/a", "/t/b")
		w.publish("/t/a", "1")
		w.publish("/t/b", "2")
		w.publish("/t/a", "3")
		before := time.Now()
		messages, _ := s.connect(t, nil)
		require.Equal(t, []string{"/t/a 1", "/t/b 2", "/t/a 3"}, contents(messages))
		require.Zero(t, time.Since(before))
	})
}

func TestAConnectAmongOthersIsNotHeld(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		before := time.Now()
		replies := s.send(t, s.message("/meta/subscribe", fields{"subscription": "/t/a"}), s.connectMessage(nil))
		require.Len(t, replies, 2)
		require.Zero(t, time.Since(before))
	})
}

// Other requests are answered while a connect is held.
func TestAHeldConnectHoldsNothingElse(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		h := s.hold(t, nil)
		s.subscribe(t, "/t/a")
		require.True(t, h.waits())
		w.publish("/t/a", "1")
		messages, _ := s.received(t, h.messages(t))
		require.Equal(t, []string{"/t/a 1"}, contents(messages))
	})
}

func TestASecondConnectEndsTheFirst(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		s.subscribe(t, "/t/a")
		first := s.hold(t, nil)
		second := s.hold(t, nil)
		a := <-first.answers
		require.Equal(t, http.StatusRequestTimeout, a.status)
		w.publish("/t/a", "1")
		messages, reply := s.received(t, second.messages(t))
		require.Equal(t, []string{"/t/a 1"}, contents(messages))
		require.True(t, reply.ok())
	})
}

// A connect whose client goes away ends no session, and a message sent right then comes with the next connect.
func TestAnAbortedConnectLosesNothing(t *testing.T) {
	for name, open := range map[string]func(caller, *testing.T) *session{
		"without ack": caller.handshake, "with ack": caller.handshakeWithAck,
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				s := open(w.caller("anna"), t)
				s.subscribe(t, "/t/a")
				for range 20 {
					h := s.hold(t, nil)
					h.abort()
					require.ErrorIs(t, <-h.errors, context.Canceled)
					synctest.Wait()
					w.publish("/t/a", "1")
					require.Equal(t, []string{"/t/a 1"}, contents(s.poll(t)))
				}
			})
		})
	}
}

func TestASessionEnds60SecondsAfterItsLastConnect(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		time.Sleep(59 * time.Second)
		s.poll(t)
		time.Sleep(59 * time.Second)
		s.subscribe(t, "/t/a")
		require.Empty(t, w.end(s.id))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, cometd.EndExpired, w.end(s.id), "a subscribe is no connect")
		_, reply := s.connect(t, nil)
		reply.unsuccessful(t, "402::session_unknown")
		require.Zero(t, w.server.Sessions())
	})
}

func TestASessionWithAHeldConnectDoesNotExpire(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		for range 10 {
			_, reply := s.connect(t, nil)
			require.True(t, reply.ok())
			time.Sleep(40 * time.Second)
		}
	})
}

func TestAnAbortedConnectStartsTheTimeToExpiry(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		h := s.hold(t, nil)
		time.Sleep(20 * time.Second)
		h.abort()
		<-h.errors
		time.Sleep(59 * time.Second)
		synctest.Wait()
		require.Empty(t, w.end(s.id))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, cometd.EndExpired, w.end(s.id))
	})
}

func TestADisconnectEndsTheSessionAndItsHeldConnect(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		h := s.hold(t, nil)
		reply := only(t, s.send(t, s.message("/meta/disconnect", fields{"id": "1"})))
		require.True(t, reply.ok())
		require.Equal(t, `"1"`, string(reply.ID))
		require.Equal(t, cometd.EndDisconnect, w.end(s.id))
		synctest.Wait()
		last := only(t, h.messages(t))
		require.Equal(t, "/meta/connect", last.Channel)
		require.NotNil(t, last.Successful)
		if last.Advice != nil {
			require.Equal(t, "none", last.Advice.Reconnect, "a client that has disconnected does not come back")
		}
		only(t, s.send(t, s.message("/meta/disconnect", nil))).unsuccessful(t, "402::session_unknown")
	})
}

func TestACredentialThatEndsEndsTheSession(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		other := w.caller("boris").handshake(t)
		h := s.hold(t, nil)
		w.revokeKey("anna")
		synctest.Wait()
		require.Equal(t, cometd.EndCredential, w.end(s.id))
		only(t, h.messages(t)).unsuccessful(t, "402::session_unknown")
		other.subscribe(t, "/t/a")
	})
}

// The application stops while clients wait: they are answered at once, and told to handshake with the next process or
// to come again.
func TestHeldConnectsAreAnsweredWhenTheServerStops(t *testing.T) {
	for name, stop := range map[string]func(w *world){
		"about to stop": func(w *world) { close(w.stopping) },
		"closed":        func(w *world) { w.server.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				all := make([]held, 100)
				for i := range all {
					s := w.caller("anna").handshake(t)
					all[i] = s.hold(t, nil)
				}
				before := time.Now()
				stop(w)
				synctest.Wait()
				for _, h := range all {
					reply := only(t, h.messages(t))
					require.Equal(t, "/meta/connect", reply.Channel)
					require.True(t, reply.ok() || reply.Advice != nil && reply.Advice.Reconnect == "handshake", "%+v", reply)
				}
				require.Less(t, time.Since(before), time.Second)
			})
		})
	}
}

// A client that does not fetch its messages loses its session, not messages in the middle.
func TestAQueueThatOverrunsEndsTheSession(t *testing.T) {
	for name, c := range map[string]struct {
		size, count int
		overrun     bool
	}{
		"1,000 messages":  {10, 1000, false},
		"1,001 messages":  {10, 1001, true},
		"3 MiB":           {512 << 10, 6, false},
		"more than 4 MiB": {512 << 10, 9, true},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				s := w.caller("anna").handshakeWithAck(t)
				s.subscribe(t, "/t/a")
				data := `"` + strings.Repeat("x", c.size-2) + `"`
				for range c.count {
					w.publish("/t/a", data)
				}
				synctest.Wait()
				messages, reply := s.connect(t, nil)
				if c.overrun {
					require.Equal(t, cometd.EndOverrun, w.end(s.id))
					require.Empty(t, messages)
					reply.unsuccessful(t, "402::session_unknown")
					require.Equal(t, "handshake", reply.Advice.Reconnect)
					return
				}
				for len(messages) < c.count {
					more := s.poll(t)
					require.NotEmpty(t, more)
					messages = append(messages, more...)
				}
				require.Len(t, messages, c.count)
				require.Empty(t, s.poll(t))
			})
		})
	}
}

// What waits for all sessions together is bounded too. The largest ends first, and the others lose nothing.
func TestAllQueuesTogetherAreBounded(t *testing.T) {
	const sessions, count, size = 20, 7, 512 << 10 // 70 MiB of the 64 MiB
	inMemory(t, func(t *testing.T, w *world) {
		all := make([]*session, sessions)
		for i := range all {
			all[i] = w.caller("anna").handshakeWithAck(t)
			all[i].subscribe(t, "/t/a")
		}
		data := `"` + strings.Repeat("x", size-2) + `"`
		for range count {
			w.publish("/t/a", data)
			synctest.Wait()
		}
		ended := 0
		for _, s := range all {
			if end := w.end(s.id); end != "" {
				require.Equal(t, cometd.EndOverrun, end)
				ended++
				continue
			}
			var messages []message
			for len(messages) < count {
				more := s.poll(t)
				require.NotEmpty(t, more)
				messages = append(messages, more...)
			}
			require.Len(t, messages, count)
		}
		require.Positive(t, ended)
		require.LessOrEqual(t, ended, 4)
	})
}
