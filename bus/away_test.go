package bus_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/contract"
)

// listening starts a server that other processes reach, and returns it with its options, by which it
// can be started again at the same address.
func listening(t *testing.T) (*bus.Server, bus.ServerOptions) {
	t.Helper()
	o := bus.ServerOptions{
		Listen: "127.0.0.1:0", User: "worker", Password: "w", GatewayUser: "gateway", GatewayPassword: "g",
	}
	s := embed(t, o)
	o.Listen = address(s)
	return s, o
}

func address(s *bus.Server) string {
	return strings.TrimPrefix(strings.TrimPrefix(s.URL(), "nats://"), "tls://")
}

func asWorker(url string) bus.Options { return bus.Options{URL: url, User: "worker", Password: "w"} }

func asGateway(url string) bus.Options {
	return bus.Options{URL: url, User: "gateway", Password: "g", Creates: true}
}

func waitAway(t *testing.T, conns ...*bus.Conn) {
	t.Helper()
	for _, c := range conns {
		require.Eventually(t, func() bool { return !c.Connected() }, patience, 5*time.Millisecond)
	}
}

func TestALostBusBeginsAgain(t *testing.T) {
	server, options := listening(t)
	g := gateway(t, asGateway(server.URL()))
	w := connect(t, asWorker(server.URL()))
	p := publisher(t, w)
	began := ready(t, g)
	l := read(t, g, began)
	// What is published before the first connection is shortened, too.
	p.Publish(notice("one", 1))
	l.waitRevision(t, "one", 1)
	for revision := int64(2); revision <= 10; revision++ {
		p.Publish(notice("one", revision))
	}
	l.waitRevision(t, "one", 10)
	require.Eventually(t, func() bool { return p.Stats().Published == 10 }, patience, time.Millisecond)

	server.Close()
	waitAway(t, g, w)
	_, err := g.Last(t.Context())
	require.ErrorIs(t, err, bus.ErrAway)
	require.ErrorIs(t, g.PublishNow(t.Context(), notice("one", 11)), bus.ErrAway)
	for revision := int64(11); revision <= 20; revision++ {
		p.Publish(notice("one", revision))
		p.Publish(notice("two", revision))
	}
	require.Eventually(t, func() bool { return p.Stats().Waiting == 2 }, patience, time.Millisecond)
	require.Equal(t, int64(18), p.Stats().Dropped)

	server = embed(t, options)
	require.ErrorIs(t, <-l.ended, bus.ErrLost)
	again := ready(t, g)
	require.NotEqual(t, began.Epoch, again.Epoch)
	l = read(t, g, bus.Position{Epoch: again.Epoch})
	l.wait(t, 2)
	require.Equal(t, []int64{20}, l.revisions("one"))
	require.Equal(t, []int64{20}, l.revisions("two"))
	p.Publish(notice("one", 21))
	l.waitRevision(t, "one", 21)
	require.NoError(t, p.Close(t.Context()))
	require.Equal(t, int64(13), p.Stats().Published)
	server.Close()
}

func TestAReaderGoesOnAfterALostConnection(t *testing.T) {
	server, _ := listening(t)
	proxy := newProxy(t, address(server))
	local := gateway(t, bus.Options{Server: server})
	remote := gateway(t, asGateway("nats://"+proxy.address()))
	l := read(t, remote, ready(t, remote))
	require.NoError(t, local.PublishNow(t.Context(), notice("one", 1)))
	l.waitRevision(t, "one", 1)
	proxy.cut()
	for revision := int64(2); revision <= 50; revision++ {
		require.NoError(t, local.PublishNow(t.Context(), notice("one", revision)))
	}
	l.waitRevision(t, "one", 50)
	require.Equal(t, upTo(50), l.revisions("one"))
}

func TestANoticeWithoutAnAckIsSentAgain(t *testing.T) {
	server, _ := listening(t)
	proxy := newProxy(t, address(server))
	g := gateway(t, bus.Options{Server: server})
	w := connect(t, asWorker("nats://"+proxy.address()))
	p := publisher(t, w)
	l := read(t, g, ready(t, g))
	p.Publish(notice("one", 1))
	l.waitRevision(t, "one", 1)

	proxy.holdAnswers(true)
	p.Publish(notice("one", 2))
	l.waitRevision(t, "one", 2)
	require.NotZero(t, p.Stats().Waiting)
	proxy.cut()
	proxy.holdAnswers(false)
	require.NoError(t, p.Close(t.Context()))
	require.NotZero(t, p.Stats().Repeated)
	require.NoError(t, g.PublishNow(t.Context(), notice("one", 3)))
	l.waitRevision(t, "one", 3)
	require.Equal(t, upTo(3), l.revisions("one"), "the repeat got into the stream")
}

func TestMoreThanThePublisherKeepsIsAnnounced(t *testing.T) {
	server, options := listening(t)
	g := gateway(t, asGateway(server.URL()))
	w := connect(t, asWorker(server.URL()))
	p := publisher(t, w)
	dues := readDues(t, g)
	server.Close()
	waitAway(t, g, w)

	const interactions = 100
	for i := range interactions {
		n := notice(fmt.Sprint("i", i), 1)
		n.State = &contract.State{RunID: strings.Repeat("x", contract.NoticeStateLimit-1000)}
		p.Publish(n)
	}
	const bound = 32 << 20
	require.Eventually(t, func() bool {
		s := p.Stats()
		return s.Waiting*contract.NoticeStateLimit <= bound
	}, patience, 5*time.Millisecond)
	require.LessOrEqual(t, p.Stats().WaitingBytes, int64(bound))
	require.Greater(t, p.Stats().WaitingBytes, int64(bound-(1<<20)))
	kept := p.Stats().Waiting
	require.Equal(t, int64(interactions), kept+p.Stats().Dropped)

	embed(t, options)
	l := read(t, g, bus.Position{Epoch: ready(t, g).Epoch})
	l.wait(t, int(kept))
	require.Eventually(t, func() bool { return dues.count() == interactions-int(kept) }, patience, 5*time.Millisecond)
	for _, m := range l.all() {
		require.False(t, dues.has(contract.Due{ContactCenter: "acme", Interaction: m.Notice.Interaction, RunID: m.Notice.RunID, Revision: 1}))
	}
}

func TestAServerThatSaysNothingHoldsNobodyUp(t *testing.T) {
	c, err := bus.Connect(bus.Options{URL: "nats://" + silent(t)})
	require.NoError(t, err)
	p := bus.NewPublisher(c)
	within(t, patience, func() {
		for revision := int64(1); revision <= 10_000; revision++ {
			p.Publish(notice("one", revision))
			p.Due(contract.Due{ContactCenter: "acme", Interaction: "one", Revision: revision})
		}
		_ = c.Connected()
	})
	within(t, patience, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, p.Close(ctx), context.DeadlineExceeded)
	})
	within(t, patience, c.Close)
}

func TestAConnectionThatStallsHoldsNobodyUp(t *testing.T) {
	server, _ := listening(t)
	proxy := newProxy(t, address(server))
	gateway(t, bus.Options{Server: server})
	c, err := bus.Connect(asWorker("nats://" + proxy.address()))
	require.NoError(t, err)
	require.Eventually(t, c.Connected, patience, time.Millisecond)
	p := bus.NewPublisher(c)
	proxy.stall()
	within(t, patience, func() {
		for i := range 200 {
			n := notice(fmt.Sprint("i", i), 1)
			n.State = &contract.State{RunID: strings.Repeat("x", 100<<10)}
			p.Publish(n)
		}
	})
	require.Equal(t, int64(200), p.Stats().Waiting)
	within(t, patience, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, p.Close(ctx), context.DeadlineExceeded)
	})
	within(t, patience, c.Close)
}

// silent returns the address of a server that accepts connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

func within(t *testing.T, limit time.Duration, do func()) {
	t.Helper()
	began := time.Now()
	do()
	require.Less(t, time.Since(began), limit)
}
