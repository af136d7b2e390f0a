package bayeux_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// breaking is a TCP proxy whose connections break.
type breaking struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	random *rand.Rand // connections break after so many bytes; nil: they do not break by themselves
	conns  map[net.Conn]bool
}

func newBreaking(t *testing.T, target string) *breaking {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &breaking{listener: listener, target: target, conns: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { b.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		b.breakAll()
		running.Wait()
	})
	return b
}

func (b *breaking) address() string { return b.listener.Addr().String() }

// breakAtRandom makes new connections break after a random number of bytes, until it is called with nil.
func (b *breaking) breakAtRandom(random *rand.Rand) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.random = random
}

// breakAll breaks all connections there are.
func (b *breaking) breakAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn := range b.conns {
		_ = conn.Close()
	}
}

func (b *breaking) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", b.target)
	if err != nil {
		return
	}
	defer server.Close()
	limit := b.add(client, server)
	defer b.remove(client, server)
	var both sync.WaitGroup
	both.Go(func() { copyAtMost(client, server, limit) })
	both.Go(func() { copyAtMost(server, client, -1) })
	both.Wait()
}

// add returns how many bytes of the server the connection passes on.
func (b *breaking) add(conns ...net.Conn) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range conns {
		b.conns[conn] = true
	}
	if b.random == nil {
		return -1
	}
	return 100 + b.random.Int64N(4000)
}

func (b *breaking) remove(conns ...net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range conns {
		delete(b.conns, conn)
	}
}

// copyAtMost copies until an end, an error or the limit, and then breaks both connections.
func copyAtMost(to, from net.Conn, limit int64) {
	defer to.Close()
	defer from.Close()
	if limit < 0 {
		_, _ = io.Copy(to, from)
		return
	}
	if _, err := io.CopyN(to, from, limit); err != nil && !errors.Is(err, io.EOF) {
		return
	}
}
