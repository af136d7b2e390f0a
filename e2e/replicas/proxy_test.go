package replicas_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// delayed returns the address of a proxy before a server, which passes on what the server sends after
// a delay.
func delayed(t *testing.T, target string, delay time.Duration) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				_ = client.Close()
				continue
			}
			mu.Lock()
			conns = append(conns, client, server)
			mu.Unlock()
			running.Go(func() { pass(client, server, 0) })
			running.Go(func() { pass(server, client, delay) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return listener.Addr().String()
}

// piece is what came at once.
type piece struct {
	at   time.Time
	data []byte
}

// pass passes on what comes, each piece after the delay.
func pass(from, to net.Conn, delay time.Duration) {
	defer to.Close()
	pieces := make(chan piece, 4096)
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() {
		defer close(pieces)
		for {
			buffer := make([]byte, 32<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				pieces <- piece{at: time.Now(), data: buffer[:n]}
			}
			if err != nil {
				return
			}
		}
	})
	failed := false
	for p := range pieces {
		time.Sleep(time.Until(p.at.Add(delay)))
		if !failed {
			_, err := to.Write(p.data)
			failed = err != nil
		}
	}
}
