package hostiletest

import (
	"net"
	"testing"
	"time"
)

// Refuse returns the URL of an address at which nothing listens during the test: it is the
// near end of a connection, so that no other test gets its port.
func Refuse(t testing.TB) string {
	t.Helper()
	listener := listen(t)
	t.Cleanup(func() { listener.Close() })
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return "http://" + c.LocalAddr().String()
}

// BlackHole returns the URL of an address that neither accepts nor refuses connections: its
// accept queue is full, and the system drops further packets.
func BlackHole(t testing.TB) string {
	t.Helper()
	listener := listen(t).(*net.TCPListener)
	t.Cleanup(func() { listener.Close() })
	narrow(listener)
	address := listener.Addr().String()
	for range 64 {
		c, err := net.DialTimeout("tcp", address, 100*time.Millisecond)
		if err != nil {
			break // full
		}
		t.Cleanup(func() { c.Close() })
	}
	return "http://" + address
}
