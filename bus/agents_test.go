package bus_test

import (
	"bytes"
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"segue/bus"
)

// readAgents reads the presence of agents: what there is each time that the reader begins, and changes.
func readAgents(t *testing.T, c *bus.Conn) (all chan []bus.AgentEntry, changes chan bus.AgentEntry) {
	t.Helper()
	all, changes = make(chan []bus.AgentEntry, 100), make(chan bus.AgentEntry, 10_000)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Agents(ctx, func(list []bus.AgentEntry) { all <- list }, func(e bus.AgentEntry) { changes <- e })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return all, changes
}

func TestThePresenceOfAnAgentIsReplacedByRevision(t *testing.T) {
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	all, changes := readAgents(t, c)
	require.Empty(t, <-all)
	none, err := c.ReadAgent(t.Context(), "acme", "ann")
	require.NoError(t, err)
	require.Equal(t, bus.AgentEntry{ContactCenter: "acme", Agent: "ann"}, none)

	first, err := c.WriteAgent(t.Context(), "acme", "ann", []byte("one"), 0)
	require.NoError(t, err)
	_, err = c.WriteAgent(t.Context(), "acme", "ann", []byte("other"), 0)
	require.ErrorIs(t, err, bus.ErrChanged)
	_, err = c.WriteAgent(t.Context(), "acme", "bob", []byte("bob"), 0)
	require.NoError(t, err)
	second, err := c.WriteAgent(t.Context(), "acme", "ann", []byte("two"), first)
	require.NoError(t, err)
	_, err = c.WriteAgent(t.Context(), "acme", "ann", []byte("other"), first)
	require.ErrorIs(t, err, bus.ErrChanged)

	found, err := c.ReadAgent(t.Context(), "acme", "ann")
	require.NoError(t, err)
	require.Equal(t, second, found.Revision)
	require.Equal(t, "two", string(found.Value))
	require.WithinDuration(t, time.Now(), found.At, time.Minute)
	for _, want := range []string{"one", "bob", "two"} {
		require.Equal(t, want, string((<-changes).Value))
	}
	_, err = c.WriteAgent(t.Context(), "acme", "ann", bytes.Repeat([]byte("x"), bus.AgentMaxSize+1), second)
	require.Error(t, err)
}

func TestAReaderOfAgentsBeginsWithWhatThereIs(t *testing.T) {
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	require.Eventually(t, func() bool {
		_, err := c.WriteAgent(t.Context(), "acme", "0", nil, 0)
		return err == nil
	}, patience, 10*time.Millisecond)
	const many = 1500 // more than the server sends ahead
	for i := 1; i < many; i++ {
		_, err := c.WriteAgent(t.Context(), "acme", strconv.Itoa(i), []byte(strconv.Itoa(i)), 0)
		require.NoError(t, err)
	}
	all, changes := readAgents(t, c)
	list := <-all
	require.Len(t, list, many)
	for i, e := range list {
		require.Equal(t, strconv.Itoa(i), e.Agent)
	}
	_, err := c.WriteAgent(t.Context(), "acme", "5", []byte("new"), list[5].Revision)
	require.NoError(t, err)
	require.Equal(t, "new", string((<-changes).Value))
}

func TestAReaderOfAgentsBeginsAgainAfterTheStreamIsLost(t *testing.T) {
	url := external(t)
	g := gateway(t, asGateway(url))
	all, _ := readAgents(t, g)
	require.Empty(t, <-all)
	_, err := g.WriteAgent(t.Context(), "acme", "ann", []byte("one"), 0)
	require.NoError(t, err)

	nc, err := nats.Connect(url, nats.UserInfo("gateway", "g"))
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	require.NoError(t, js.DeleteStream(t.Context(), bus.AgentsStream))
	select {
	case list := <-all:
		require.Empty(t, list)
	case <-time.After(patience):
		t.Fatal("the reader does not begin again")
	}
	_, err = g.WriteAgent(t.Context(), "acme", "ann", []byte("two"), 0)
	require.NoError(t, err)
}

// The stream has room for all that is kept of 20,000 agents, of 750 bytes each: here 1,000 agents of 20 times
// that.
func TestThereIsRoomForTheStatesOfManyAgents(t *testing.T) {
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	all, _ := readAgents(t, c)
	require.Empty(t, <-all)
	value := bytes.Repeat([]byte("x"), 20*750)
	revisions := make([]uint64, 1000)
	for range 6 {
		for n := range revisions {
			var err error
			revisions[n], err = c.WriteAgent(t.Context(), "acme", strconv.Itoa(n), value, revisions[n])
			require.NoError(t, err)
		}
	}
}
