package bayeux_test

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// TestConcurrentUse lets several requests and sockets use the same sessions at once, in any order, while messages come and
// credentials end. Nothing blocks, nothing panics, and no session is left.
func TestConcurrentUse(t *testing.T) {
	for seed := range uint64(8) {
		inMemory(t, func(t *testing.T, w *world) {
			sessions := make([]*session, 6)
			for i := range sessions {
				if i%2 == 0 {
					sessions[i] = w.caller("anna").handshake(t)
				} else {
					sessions[i] = w.caller("boris").handshakeWithAck(t)
				}
			}
			var users sync.WaitGroup
			for user := range uint64(8) {
				random := rand.New(rand.NewPCG(seed, user))
				users.Go(func() { useAtRandom(t, w, sessions, random) })
			}
			users.Wait()
			w.revokeKey("anna")
			time.Sleep(2 * time.Minute)
			require.Zero(t, w.server.Sessions())
			for _, s := range sessions {
				require.NotEmpty(t, w.end(s.id))
			}
			fresh := w.caller("clara").handshakeWithAck(t)
			fresh.subscribe(t, "/t/a")
			w.publish("/t/a", "1")
			require.Equal(t, []int{1}, numbers(t, fresh.poll(t)))
		})
	}
}

func useAtRandom(t *testing.T, w *world, sessions []*session, random *rand.Rand) {
	transport := &http.Transport{DialContext: w.network.dial, DisableKeepAlives: true}
	for range 60 {
		s := sessions[random.IntN(len(sessions))]
		message := []fields{
			s.message("/meta/connect", fields{"connectionType": "long-polling", "advice": fields{"timeout": random.IntN(400)}, "ext": fields{"ack": random.IntN(20)}}),
			s.message("/meta/subscribe", fields{"subscription": []string{"/t/a", "/t/b"}}),
			s.message("/meta/unsubscribe", fields{"subscription": "/t/a"}),
			s.message("/t/a", nil),
		}[random.IntN(4)]
		if random.IntN(200) == 0 {
			message = s.message("/meta/disconnect", nil)
		}
		body := encoded(t, []fields{message})
		switch random.IntN(4) {
		case 0:
			w.publish("/t/a", "1")
		case 1:
			conn, err := s.dialSocket(t.Context(), transport)
			if err != nil {
				t.Errorf("socket: %v", err)
				return
			}
			_ = conn.Write(t.Context(), websocket.MessageText, []byte(body))
			time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
			_ = conn.CloseNow()
		default:
			a, err := s.post(t.Context(), "/cometd", body)
			if err != nil || a.status >= http.StatusInternalServerError {
				t.Errorf("%d %s: %v", a.status, a.body, err)
				return
			}
		}
	}
}
