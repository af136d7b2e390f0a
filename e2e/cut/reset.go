package cut

import "net"

// Reset breaks all connections as Cut does, but by RST: what is under way is lost, and both ends know at once.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		for _, conn := range []net.Conn{l.client, l.server} {
			if tcp, isTCP := conn.(*net.TCPConn); isTCP {
				_ = tcp.SetLinger(0) // it may be closed
			}
		}
		l.cut()
	}
}
