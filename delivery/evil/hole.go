package evil

import (
	"net"
	"testing"
	"time"
)

// Refuse is an address at which nobody listens.
func Refuse(t testing.TB) string {
	t.Helper()
	listener := listen(t)
	listener.Close()
	return "http://" + listener.Addr().String()
}

// BlackHole is an address that takes no connection and refuses none: its queue of
// those waiting to be accepted is full, and what comes to it is dropped.
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
