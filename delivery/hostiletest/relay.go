package hostiletest

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Relay forwards connections to a server, and can stop forwarding without closing them, like a
// load balancer that lost a node or a NAT that dropped a flow.
type Relay struct {
	// Address is host:port.
	Address string

	pumping sync.WaitGroup
	mu      sync.Mutex
	frozen  []*atomic.Bool // of each connection
	conns   []net.Conn
}

// NewRelay starts a relay to an address on this machine. It ends with the test.
func NewRelay(t testing.TB, target string) *Relay {
	t.Helper()
	listener := listen(t)
	r := &Relay{Address: listener.Addr().String()}
	r.pumping.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			if far, err := net.Dial("tcp", target); err == nil {
				r.join(near, far)
			} else {
				near.Close()
			}
		}
	})
	t.Cleanup(func() {
		listener.Close()
		r.mu.Lock()
		for _, c := range r.conns {
			c.Close()
		}
		r.mu.Unlock()
		r.pumping.Wait()
	})
	return r
}

// Freeze drops all data on the present connections; new ones are forwarded.
func (r *Relay) Freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, frozen := range r.frozen {
		frozen.Store(true)
	}
}

func (r *Relay) join(near, far net.Conn) {
	frozen := new(atomic.Bool)
	r.mu.Lock()
	r.frozen, r.conns = append(r.frozen, frozen), append(r.conns, near, far)
	r.mu.Unlock()
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		r.pumping.Go(func() {
			buffer := make([]byte, 32<<10)
			for {
				n, err := pair[0].Read(buffer)
				if err != nil {
					pair[0].Close()
					pair[1].Close()
					return
				}
				if !frozen.Load() {
					_, _ = pair[1].Write(buffer[:n])
				}
			}
		})
	}
}
