package boards_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/client"
	"segue/config"
	"segue/embedded"
	"segue/gateway/board"
	"segue/gateway/index"
	"segue/worker/local"
)

const (
	patience  = time.Minute
	pollEvery = 50 * time.Millisecond
)

var quiet = slog.New(slog.DiscardHandler)

// world is a Segue with two workers and two replicas.
type world struct {
	*testing.T
	segue    *local.Segue
	workers  [2]*local.Worker
	replicas [2]*board.Board
	// broken is the answer of the receiver that fails; 0 is success.
	broken atomic.Int64
}

func newWorld(t *testing.T) *world {
	w := &world{T: t}
	w.broken.Store(http.StatusServiceUnavailable)
	receiver := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/slow":
			time.Sleep(200 * time.Millisecond)
		case r.URL.Path == "/failing" && w.broken.Load() != 0:
			answer.WriteHeader(int(w.broken.Load()))
		}
	}))
	t.Cleanup(receiver.Close)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, nobody.Close())
	set, err := config.Parse("boards.yaml", fmt.Appendf(nil, `
calls:
  - {name: fast, method: POST, url: "%[1]s/fast"}
  - {name: slow, method: POST, url: "%[1]s/slow"}
  - {name: failing, method: POST, url: "%[1]s/failing", retry: {schedule: [100ms]}}
  - {name: down, method: POST, url: "http://%[2]s/down"}
  - {name: idle, method: POST, url: "%[1]s/idle"}
triggers:
  - {when: inbound.dtmf, call: fast}
  - {when: inbound.dtmf, call: slow}
  - {when: inbound.dtmf, call: failing}
  - {when: inbound.dtmf, call: down}
  - {when: inbound.queue_event, call: fast}
queues: [{name: sales}]
timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 0s, late_events: 0s}}
`, receiver.URL, nobody.Addr()))
	require.NoError(t, err)

	server, err := bus.Embed(bus.ServerOptions{Listen: "127.0.0.1:0", Log: quiet})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	publisher := bus.NewPublisher(w.connect(bus.Options{URL: server.URL()}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, publisher.Close(ctx))
	})
	w.segue, err = local.Start(t.Context(), local.Options{
		Server: embedded.Options{UIPort: embedded.NoUI, Progress: func(text string) { fmt.Fprintln(os.Stderr, text) }}, Notices: publisher, Log: quiet,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.segue.Stop()) })
	store := config.NewStore(set)
	for i := range w.workers {
		w.workers[i], err = w.segue.StartWorker(local.WorkerOptions{
			Config: store, Allow: []string{"127.0.0.0/8"}, Bus: w.connect(bus.Options{URL: server.URL()}),
		})
		require.NoError(t, err)
	}
	for i := range w.replicas {
		w.replicas[i] = w.replica(server, store)
	}
	return w
}

func (w *world) connect(o bus.Options) *bus.Conn {
	o.Log = quiet
	conn, err := bus.Connect(o)
	require.NoError(w, err)
	w.Cleanup(conn.Close)
	return conn
}

// replica starts an index and a board.
func (w *world) replica(server *bus.Server, store *config.Store) *board.Board {
	conn := w.connect(bus.Options{Server: server, Creates: true})
	x := index.New(index.Options{Client: w.segue.Client, Bus: conn, Log: quiet})
	b := board.New(board.Options{Config: store, Client: w.segue.Client, Index: x, Bus: conn, Log: quiet})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- x.Run(ctx) }()
	go func() { ended <- b.Run(ctx) }()
	w.Cleanup(func() {
		cancel()
		require.NoError(w, <-ended)
		require.NoError(w, <-ended)
	})
	require.Eventually(w, func() bool { return x.Health().Complete }, patience, pollEvery)
	return b
}

func (w *world) start(contactCenter, id string) client.Name {
	n := client.Name{ContactCenter: contactCenter, ID: id}
	_, err := w.segue.Client.Start(w.Context(), n, fmt.Appendf(nil, `{"id":%q,"contact_center":%q,"channel":"inbound"}`, id, contactCenter), false)
	require.NoError(w, err)
	return n
}

func (w *world) do(n client.Name, command, payload string) {
	_, err := w.segue.Client.Update(w.Context(), n, command, "", json.RawMessage(payload))
	require.NoError(w, err)
}

func (w *world) receiver(b *board.Board, contactCenter, call string) board.Receiver {
	for _, r := range b.Receivers(w.Context(), contactCenter) {
		if r.Call == call {
			return r
		}
	}
	return board.Receiver{}
}

func (w *world) eventually(condition func() bool, about string) {
	w.Helper()
	require.Eventually(w, condition, patience, pollEvery, about)
}

func TestTheBoardsShowWhatHappens(t *testing.T) {
	w := newWorld(t)
	for _, b := range w.replicas {
		w.eventually(func() bool { return w.receiver(b, "acme", "idle").State == "healthy" }, "the workers report")
	}
	for i := range 6 {
		n := w.start("acme", fmt.Sprintf("call-%d", i))
		w.do(n, "place_in_queue", `{"queue":"sales"}`)
		w.do(n, "dtmf", `{"digits":"1"}`)
		switch i {
		case 0, 1:
			w.do(n, "accept", `{"agent":{"id":"ann","name":"Ann"}}`)
			w.do(n, "complete", `{}`)
		case 2:
			w.do(n, "abandon", `{}`)
		case 3:
			w.do(n, "accept", `{"agent":"bob"}`)
		}
	}
	for _, b := range w.replicas {
		w.eventually(func() bool {
			q := b.Queues("acme")[0]
			q.Oldest = 0
			return q == board.Queue{Name: "sales", Waiting: 2, Handling: 1, Handled: 2, Abandoned: 1, Left: 4, InTime: 3}
		}, "the figures of the queue")
		require.Equal(t, []board.Queue{{Name: "sales"}}, b.Queues("umbrella"))
		agents := b.Agents("acme")
		require.Len(t, agents, 2)
		require.Equal(t, board.Idle, agents[0].State)
		require.Equal(t, "Ann", agents[0].Name)
		require.Equal(t, "handling", agents[1].State)
		require.False(t, agents[1].Since.IsZero())
		require.Empty(t, b.Agents("umbrella"))
	}
	require.Equal(t, w.replicas[0].Agents("acme"), w.replicas[1].Agents("acme"))

	busy := w.start("acme", "busy")
	for _, b := range w.replicas {
		w.eventually(func() bool {
			r := w.receiver(b, "acme", "slow")
			return r.State == "slow" && r.P95 >= 200
		}, "slow")
		w.eventually(func() bool {
			r := w.receiver(b, "acme", "failing")
			return r.State == "failing" && r.Parked == 6 && r.Waiting == 0 && r.Oldest > 0
		}, "failing, and parked after the second attempt")
		w.eventually(func() bool {
			r := w.receiver(b, "acme", "down")
			return r.State == "breaker_open" && r.Waiting == 6 && r.Parked == 0
		}, "nobody is there")
		w.eventually(func() bool {
			r := w.receiver(b, "acme", "fast")
			if r.State == "slow" { // on a busy machine the first requests may be; later ones outnumber them
				w.do(busy, "queue_event", `{"event":"PLAY"}`)
			}
			return r.State == "healthy" && r.P95 > 0 && r.Counted && r.Waiting == 0
		}, "fast")
		r := w.receiver(b, "umbrella", "failing")
		require.Equal(t, "failing", r.State, "receivers are of the installation")
		require.Zero(t, r.Waiting+r.Parked, "deliveries are not")
	}

	w.broken.Store(0)
	w.eventually(func() bool { // until both workers have sent to it
		n := w.start("acme", fmt.Sprintf("later-%d", time.Now().UnixNano()))
		w.do(n, "dtmf", `{"digits":"2"}`)
		w.do(n, "complete", `{}`)
		return w.receiver(w.replicas[0], "acme", "failing").State == "healthy"
	}, "the receiver has recovered")

	for _, worker := range w.workers {
		require.NoError(t, worker.Stop())
	}
	for _, b := range w.replicas {
		w.eventually(func() bool { return w.receiver(b, "acme", "slow").State == board.StateUnknown }, "15 seconds without a report")
	}
}
