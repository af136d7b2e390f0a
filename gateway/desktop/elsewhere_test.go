package desktop_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/gateway/desktop"
)

// replicas returns two replicas that share a bus, and the bus.
func replicas(t *testing.T) (one, two *world) {
	t.Helper()
	shared, err := bus.Embed(bus.ServerOptions{})
	require.NoError(t, err)
	t.Cleanup(shared.Close)
	replica := func() *world {
		conn, err := bus.Connect(bus.Options{Server: shared, Creates: true})
		require.NoError(t, err)
		t.Cleanup(conn.Close)
		require.Eventually(t, conn.Connected, within, tick)
		return newWorld(t, func(o *desktop.Options) { o.Sessions = conn.Sessions() })
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
