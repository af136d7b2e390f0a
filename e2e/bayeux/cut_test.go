package bayeux_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// TestBrokenConnections sends messages over connections that break at random bytes, by both transports in turn. With the
// acknowledgment extension a client receives each message once and in order. Without it what the server had written is
// lost, but the session goes on and nothing comes twice.
func TestBrokenConnections(t *testing.T) {
	for _, ack := range []bool{true, false} {
		for _, transports := range []string{"long-polling", "websocket", "both"} {
			for seed := range uint64(12) {
				t.Run(fmt.Sprintf("ack %t, %s, seed %d", ack, transports, seed), func(t *testing.T) {
					inMemory(t, func(t *testing.T, w *world) {
						receiveOverBrokenConnections(t, w, ack, transports, rand.New(rand.NewPCG(seed, 14)))
					})
				})
			}
		}
	}
}

const published = 300

func receiveOverBrokenConnections(t *testing.T, w *world, ack bool, transports string, random *rand.Rand) {
	s := w.caller("anna").handshake(t)
	if ack {
		s = w.caller("anna").handshakeWithAck(t)
	}
	s.subscribe(t, "/t/a")
	var running sync.WaitGroup
	bursts := rand.New(rand.NewPCG(random.Uint64(), 1))
	done := make(chan struct{})
	go func() {
		defer close(done)
		publishAtRandom(t.Context(), w, bursts)
	}()
	t.Cleanup(func() { <-done })

	var mu sync.Mutex // dials run in goroutines of net/http
	limit := func() int {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(3) == 0 {
			return -1
		}
		return random.IntN(2000)
	}
	var received []int
	dial := w.network.cut(&running, limit)
	polling := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	for !finished(received) {
		before := len(received)
		mu.Lock()
		socket := transports == "websocket" || transports == "both" && random.IntN(2) == 0
		mu.Unlock()
		if socket {
			received = append(received, s.throughSocket(t, dial)...)
		} else {
			received = append(received, s.throughPolling(t, polling)...)
		}
		if !ack && len(received) == before && closed(done) {
			w.publish("/t/a", strconv.Itoa(published)) // the last is among what was lost
		}
	}
	<-done
	running.Wait()
	if ack {
		for i, n := range received {
			require.Equal(t, i+1, n, "%v", received)
		}
		require.Len(t, received, published)
		return
	}
	for i := 1; i < len(received) && received[i] < published; i++ {
		require.Greater(t, received[i], received[i-1], "%v", received)
	}
}

func finished(received []int) bool {
	return len(received) > 0 && received[len(received)-1] == published
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// publishAtRandom publishes the numbers from 1, in bursts.
func publishAtRandom(ctx context.Context, w *world, random *rand.Rand) {
	for n := 1; n <= published && ctx.Err() == nil; n++ {
		w.publish("/t/a", strconv.Itoa(n))
		if random.IntN(4) == 0 {
			time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
		}
	}
}

// throughPolling connects once and returns the numbers that arrive, none if the connection breaks.
func (s *session) throughPolling(t *testing.T, client *http.Client) []int {
	t.Helper()
	c := s.caller
	c.client = client
	a, err := c.post(t.Context(), "/cometd/connect", encoded(t, []fields{s.connectMessage(fields{"advice": fields{"timeout": 300}})}))
	if err != nil {
		return nil
	}
	require.Equal(t, http.StatusOK, a.status, a.body)
	messages, reply := s.received(t, a.messages)
	require.True(t, reply.ok(), "%+v", reply)
	return numbers(t, messages)
}

// throughSocket opens a WebSocket and returns the numbers that arrive on it until it breaks or all have come.
func (s *session) throughSocket(t *testing.T, dial func(context.Context, string, string) (net.Conn, error)) []int {
	t.Helper()
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	conn, err := s.dialSocket(t.Context(), transport)
	if err != nil {
		return nil
	}
	defer conn.CloseNow()
	var received []int
	for range 5 {
		if conn.Write(t.Context(), websocket.MessageText, []byte(encoded(t, []fields{s.connectMessage(fields{"connectionType": "websocket", "advice": fields{"timeout": 300}})}))) != nil {
			return received
		}
		for replied := false; !replied; {
			_, frame, err := conn.Read(t.Context())
			if err != nil {
				return received
			}
			var messages []message
			if err := json.Unmarshal(frame, &messages); err != nil {
				_, _, broken := conn.Read(t.Context()) // the library takes a break behind a header for the end of the frame
				require.Error(t, broken, "%s: %v", frame, err)
				return received
			}
			for _, m := range messages {
				if m.Channel == "/meta/connect" {
					require.True(t, m.ok(), "%+v", m)
					s.acknowledge(t, m)
					replied = true
					continue
				}
				received = append(received, numbers(t, []message{m})...)
			}
		}
	}
	return received
}

// dialSocket opens a WebSocket with the caller's key.
func (c caller) dialSocket(ctx context.Context, transport http.RoundTripper) (*websocket.Conn, error) {
	conn, _, err := websocket.Dial(ctx, "http://server/cometd", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, HTTPHeader: http.Header{keyHeader: {c.key}},
	})
	if err != nil {
		return nil, fmt.Errorf("opening a WebSocket: %w", err)
	}
	conn.SetReadLimit(64 << 20)
	return conn, nil
}
