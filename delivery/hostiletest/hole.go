package hostiletest

import (
	"net"
	"testing"
	"time"
)

// Refuse is an address at which nobody listens, nor will: it is the near end of a
// connection, so that no other test is given its port meanwhile.
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
