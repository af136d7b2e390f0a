package bayeux_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/e2e/cut"
)

// variant is a client that people use, with one of its transports.
type variant struct {
	client, transport string
	ack               bool
}

// eachClient runs a test with the official client of CometD and with faye, by each transport, with and without the
// acknowledgment extension.
func eachClient(t *testing.T, test func(t *testing.T, v variant)) {
	t.Helper()
	for _, client := range []string{"cometd", "faye"} {
		for _, transport := range []string{"long-polling", "websocket"} {
			for _, ack := range []bool{true, false} {
				t.Run(client+", "+transport+", ack "+strconv.FormatBool(ack), func(t *testing.T) {
					t.Parallel()
					test(t, variant{client, transport, ack})
				})
			}
		}
	}
}

// run runs the client with the key anna.
func (v variant) run(t *testing.T, address string, topics ...string) *process {
	t.Helper()
	return run(t, clientOptions{
		Client: v.client, Transport: v.transport, Ack: v.ack, Topics: topics,
		URL: "http://" + address + "/cometd", Headers: map[string]string{keyHeader: "anna"},
	})
}

// serving is an application on a TCP port.
type serving struct {
	*application
	address string
	stop    func()
}

// serve serves an application on an address, port 0 for any, until stop or the end of the test.
func serve(t *testing.T, at string) *serving {
	t.Helper()
	listener, err := net.Listen("tcp", at)
	require.NoError(t, err)
	a := newApplication(250 * time.Millisecond) // by long-polling, faye notices half an answer by its timeout alone
	server := &http.Server{Handler: a.handler(t)}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	stop := func() {
		a.server.Close()
		require.NoError(t, server.Close())
	}
	t.Cleanup(func() {
		stop()
		require.True(t, errors.Is(<-stopped, http.ErrServerClosed))
	})
	return &serving{application: a, address: listener.Addr().String(), stop: stop}
}

// publishNumbers publishes the numbers from first to last on /t/a.
func (a *application) publishNumbers(first, last int) {
	for n := first; n <= last; n++ {
		a.publish("/t/a", strconv.Itoa(n))
	}
}

// numbersUntil returns the numbers that the client receives up to one.
func (p *process) numbersUntil(t *testing.T, number int) []int {
	t.Helper()
	want := strconv.Itoa(number)
	var all []int
	for _, e := range p.until(t, "message "+want, func(e event) bool { return e.Event == "message" && string(e.Data) == want }) {
		require.NotEqual(t, "handshake", e.Event, "the session goes on")
		if e.Event == "message" {
			n, err := strconv.Atoi(string(e.Data))
			require.NoError(t, err)
			all = append(all, n)
		}
	}
	return all
}

// from returns the numbers from first to last.
func from(first, last int) []int {
	var all []int
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return all
}

// A client receives, changes its subscriptions, handshakes and subscribes again with a server that starts again and so
// knows no session, and disconnects.
func TestClients(t *testing.T) {
	eachClient(t, func(t *testing.T, v variant) {
		s := serve(t, "127.0.0.1:0")
		p := v.run(t, s.address, "/t/a")
		require.True(t, p.named(t, "handshake").Successful)
		require.True(t, p.named(t, "subscribed").Successful)
		s.publishNumbers(1, 1000)
		require.Equal(t, from(1, 1000), p.numbersUntil(t, 1000))

		p.command(t, "subscribe", "/t/c")
		denied := p.named(t, "subscribed")
		require.False(t, denied.Successful)
		require.Equal(t, "403::subscribe_denied", denied.Error)

		p.command(t, "subscribe", "/t/*")
		require.True(t, p.named(t, "subscribed").Successful)
		p.command(t, "unsubscribe", "/t/a")
		p.named(t, "unsubscribed")
		s.publish("/t/a", "1001")
		s.publish("/t/b", "1002")
		require.Equal(t, []int{1001, 1002}, p.numbersUntil(t, 1002))

		s.stop()
		again := serve(t, s.address)
		p.until(t, "a handshake", func(e event) bool { return e.Event == "handshake" && e.Successful })
		p.until(t, "a subscription", func(e event) bool { return e.Event == "subscribed" && e.Successful && e.Topic == "/t/*" })
		again.publishNumbers(1, 10)
		require.Equal(t, from(1, 10), p.numbersUntil(t, 10))

		p.command(t, "disconnect", "")
		p.named(t, "disconnected")
		require.Eventually(t, func() bool { return again.server.Sessions() == 0 }, time.Minute, time.Millisecond)
	})
}

// Connections break at random bytes while messages come. With acknowledgments each arrives once and in order; without them
// some are lost, but nothing comes twice and the session goes on.
func TestClientsOverBrokenConnections(t *testing.T) {
	const rounds = 16
	eachClient(t, func(t *testing.T, v variant) {
		s := serve(t, "127.0.0.1:0")
		proxy := cut.Before(t, s.address)
		p := v.run(t, proxy.Address(), "/t/a")
		require.True(t, p.named(t, "subscribed").Successful)
		random := rand.New(rand.NewPCG(14, 41))
		proxy.CutAfter(func() int { return 100 + random.IntN(4000) })
		published, received := 0, []int{}
		for round := range rounds {
			s.publishNumbers(published+1, published+10)
			published += 10
			if round%4 == 2 {
				proxy.Cut()
			}
			if v.ack {
				received = append(received, p.numbersUntil(t, published)...)
				continue
			}
			arrived := p.untilAny(t, s.application, &published)
			received = append(received, arrived...)
		}
		if v.ack {
			require.Equal(t, from(1, published), received)
		}
		for i := 1; i < len(received); i++ {
			require.Greater(t, received[i], received[i-1])
		}
	})
}

// untilAny publishes further numbers until one arrives that was published during the call.
func (p *process) untilAny(t *testing.T, a *application, published *int) []int {
	t.Helper()
	before, received := *published, []int{}
	for deadline := time.Now().Add(time.Minute); ; {
		require.True(t, time.Now().Before(deadline), "nothing arrives; received: %v", received)
		select {
		case e, more := <-p.Events:
			require.True(t, more, "the client ended")
			require.NotEqual(t, "handshake", e.Event, "the session goes on")
			if e.Event != "message" {
				continue
			}
			n, err := strconv.Atoi(string(e.Data))
			require.NoError(t, err)
			if received = append(received, n); n > before {
				return received
			}
		case <-time.After(10 * time.Millisecond):
			*published++
			a.publishNumbers(*published, *published)
		}
	}
}

// A client whose credential is no good does not try again.
func TestClientsThatAreDeniedStop(t *testing.T) {
	for _, client := range []string{"cometd", "faye"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "127.0.0.1:0")
			p := run(t, clientOptions{Client: client, Transport: "long-polling", URL: "http://" + s.address + "/cometd", Headers: map[string]string{}, Topics: []string{"/t/a"}})
			handshake := p.named(t, "handshake")
			require.False(t, handshake.Successful)
			require.Equal(t, "403::handshake_denied", handshake.Error)
			time.Sleep(500 * time.Millisecond) // several times the pause before another try
			s.mu.Lock()
			defer s.mu.Unlock()
			require.Len(t, s.browsers, 1)
		})
	}
}

// The credential may be in the handshake alone.
func TestClientsWithAToken(t *testing.T) {
	for _, client := range []string{"cometd", "faye"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "127.0.0.1:0")
			p := run(t, clientOptions{
				Client: client, Transport: "websocket", Ack: true, Token: goodToken, URL: "http://" + s.address + "/cometd",
				Headers: map[string]string{}, Topics: []string{"/t/a"},
			})
			require.True(t, p.named(t, "subscribed").Successful)
			s.publishNumbers(1, 10)
			require.Equal(t, from(1, 10), p.numbersUntil(t, 10))
		})
	}
}
