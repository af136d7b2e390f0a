package desktop_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/gateway/desktop"
)

// replicas returns two replicas that share a bus, and the bus.
func replicas(t *testing.T, configure ...func(*desktop.Options)) (one, two *world) {
	t.Helper()
	shared, err := bus.Embed(bus.ServerOptions{})
	require.NoError(t, err)
	t.Cleanup(shared.Close)
	replica := func() *world {
		conn, err := bus.Connect(bus.Options{Server: shared, Creates: true})
		require.NoError(t, err)
		t.Cleanup(conn.Close)
		require.Eventually(t, conn.Connected, within, tick)
		return newWorld(t, append(configure, func(o *desktop.Options) { o.Sessions = conn.Sessions() })...)
	}
	return replica(), replica()
}

func (c *seat) prepare(name, more string) object {
	c.t.Helper()
	return c.ask("prepareSession", "", `{"agent":{"id":"`+name+`","password":"right"}`+more+`}`)
}

// TestASessionInAnotherReplicaIsConfirmedAndReplaced: a balancer may take the agent's next WebSocket elsewhere.
func TestASessionInAnotherReplicaIsConfirmedAndReplaced(t *testing.T) {
	one, two := replicas(t)
	first := one.telephone("ann")
	second := two.connect()
	for range 3 {
		require.Equal(t, "confirm", second.prepare("ann", "")["result"])
	}
	require.Equal(t, "success", second.prepare("ann", `,"override":true`)["result"])
	require.EqualValues(t, 4001, first.closed())

	third := one.connect()
	require.Equal(t, "confirm", third.prepare("ann", "")["result"], "and back")
	require.Equal(t, "success", one.connect().prepare("bob", "")["result"], "another agent")
	require.NoError(t, second.conn.CloseNow())
	require.Eventually(t, func() bool { return third.prepare("ann", "")["result"] == "success" }, within, tick, "that one has ended")
}

// TestTwoSessionsAtOnceAreOne: replicas that open sessions of one agent at the same time agree on one.
func TestTwoSessionsAtOnceAreOne(t *testing.T) {
	one, two := replicas(t)
	for round := range 10 {
		name := fmt.Sprint("agent", round)
		clients := []*seat{one.connect(), two.connect()}
		var asking sync.WaitGroup
		for n, c := range clients {
			c.send(`{"command":"prepareSession","data":{"agent":{"id":"` + name + `","password":"right"}` + []string{"", `,"override":true`}[(n+round)%2] + `}}`)
			asking.Go(func() { _, _, _ = c.conn.Read(t.Context()) }) // the answer, or the end of one that was replaced
		}
		asking.Wait()
		require.Eventually(t, func() bool {
			return one.server.HasSession(cc, name) != two.server.HasSession(cc, name)
		}, within, tick, "one of them")
		for _, c := range clients {
			_ = c.conn.CloseNow() // the server may have done it
		}
	}
}

// TestASessionWaitsForWhatTheOneInAnotherReplicaIsDoing: a balancer takes the next WebSocket of a desktop elsewhere that
// was cut off while it dials. The session begins when the call is known.
func TestASessionWaitsForWhatTheOneInAnotherReplicaIsDoing(t *testing.T) {
	sender := &slow{began: make(chan struct{}, 1), release: make(chan struct{})}
	one, two := replicas(t, func(o *desktop.Options) {
		sender.Sender = o.Sender
		o.Sender = sender
	})
	sender.Sender = one
	first := one.telephone("ann")
	first.send(`{"command":"channel.dial","target":"` + first.session + `.c-1","data":{"destination":"+1"}}`)
	<-sender.began
	require.NoError(t, first.conn.CloseNow())

	second := two.connect()
	second.send(`{"command":"prepareSession","data":{"agent":{"id":"ann","password":"right"},"override":true}}`)
	answers := make(chan object, 1)
	go func() { answers <- second.read() }()
	select {
	case early := <-answers:
		require.Fail(t, "the request of the first session is not answered yet", "%v", early)
	case <-time.After(200 * time.Millisecond):
	}
	close(sender.release)
	answer := <-answers
	require.Equal(t, "success", answer["result"], answer)
	one.mu.Lock()
	defer one.mu.Unlock()
	require.Len(t, one.interactions, 1)
}

// TestOneReplicaMissesAnAnnouncement: a replica that had lost the bus while another one opened a session of its agent
// ends its own once the bus is back.
func TestOneReplicaMissesAnAnnouncement(t *testing.T) {
	shared, err := bus.Embed(bus.ServerOptions{Listen: "127.0.0.1:0", GatewayUser: "gateway", GatewayPassword: "right"})
	require.NoError(t, err)
	t.Cleanup(shared.Close)
	address := strings.TrimPrefix(shared.URL(), "nats://")
	replica := func(address string) (*bus.Conn, *world) {
		conn, err := bus.Connect(bus.Options{URL: "nats://" + address, User: "gateway", Password: "right", Creates: true})
		require.NoError(t, err)
		t.Cleanup(conn.Close)
		require.Eventually(t, conn.Connected, within, tick)
		return conn, newWorld(t, func(o *desktop.Options) { o.Sessions = conn.Sessions() })
	}
	way := newWay(t, address)
	conn, one := replica(way.listener.Addr().String())
	_, two := replica(address)
	earlier := one.telephone("ann")
	require.Equal(t, "confirm", two.connect().prepare("ann", "")["result"])

	way.close()
	require.Eventually(t, func() bool { return !conn.Connected() }, within, tick)
	later := two.connect()
	require.Eventually(t, func() bool { return later.prepare("ann", "")["result"] == "success" }, within, tick, "nobody answers for the other replica")
	way.open()
	require.Eventually(t, conn.Connected, within, tick)
	one.server.AnnounceAll(t.Context())

	require.EqualValues(t, 4001, earlier.closed())
	require.True(t, two.server.HasSession(cc, "ann"))
	require.False(t, one.server.HasSession(cc, "ann"))
}

// way is the way of one replica to the bus.
type way struct {
	listener net.Listener
	mu       sync.Mutex
	isClosed bool
	conns    []net.Conn
}

func newWay(t *testing.T, target string) *way {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &way{listener: listener}
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			if to, isOpen := w.accept(from, target); isOpen {
				passing.Go(func() { _, _ = io.Copy(to, from) }) // until it is closed
				passing.Go(func() { _, _ = io.Copy(from, to) })
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		w.close()
		passing.Wait()
	})
	return w
}

func (w *way) accept(from net.Conn, target string) (to net.Conn, isOpen bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.isClosed {
		to, err := net.Dial("tcp", target)
		if err == nil {
			w.conns = append(w.conns, from, to)
			return to, true
		}
	}
	_ = from.Close() // the client connects again
	return nil, false
}

func (w *way) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isClosed = true
	for _, c := range w.conns {
		_ = c.Close() // it may be closed
	}
}

func (w *way) open() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isClosed = false
}

// TestTheBusIsAway: a replica that reaches nobody has its own sessions.
func TestTheBusIsAway(t *testing.T) {
	conn, err := bus.Connect(bus.Options{URL: "nats://127.0.0.1:1", Creates: true})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	w := newWorld(t, func(o *desktop.Options) { o.Sessions = conn.Sessions() })
	began := time.Now()
	c := w.telephone("ann")
	require.Equal(t, "confirm", w.connect().prepare("ann", "")["result"])
	require.Less(t, time.Since(began), within/2)
	c.succeeds("bind", "", `{}`)
}
