package delivery

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

const (
	// stagger is how long one address is tried alone before the next one is tried
	// beside it, as RFC 8305 has it.
	stagger = 250 * time.Millisecond
	// maxAddresses bounds how many addresses of one name are tried.
	maxAddresses = 8
)

// dialer opens the connections of the process. It resolves names itself, so that
// what the guard has judged is what is dialled: between the two there is no second
// question to a name server that could answer differently.
type dialer struct {
	net      net.Dialer
	resolver *net.Resolver // nil: the system's
	guard    func() *Guard
}

func newDialer(guard func() *Guard, resolver *net.Resolver) *dialer {
	return &dialer{net: net.Dialer{KeepAlive: 30 * time.Second}, resolver: resolver, guard: guard}
}

// dial connects to a host and port, directly or through the proxy. It ends with the
// attempt's time, also when the receiver or the proxy says nothing.
func (d *dialer) dial(ctx context.Context, _, address string) (net.Conn, error) {
	ctx, cancel := withAttemptDeadline(ctx)
	defer cancel()
	conn, err := d.dialReceiver(ctx, address)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn}, nil
}

// dialTLS is dial, and the handshake within the same time.
func (d *dialer) dialTLS(ctx context.Context, network, address string, trust *tls.Config) (net.Conn, error) {
	ctx, cancel := withAttemptDeadline(ctx)
	defer cancel()
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if trust.ServerName == "" {
		trust = trust.Clone()
		trust.ServerName, _, _ = net.SplitHostPort(address) // dial has split it
	}
	secured := tls.Client(conn, trust)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// dialReceiver connects to a host and port, directly or through the proxy.
func (d *dialer) dialReceiver(ctx context.Context, address string) (net.Conn, error) {
	guard := d.guard()
	host, targets, err := d.targets(ctx, guard, address)
	if err != nil {
		return nil, err
	}
	return race(ctx, targets, func(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
		if guard.proxy != nil && guard.isOutside(target.Addr()) {
			return d.tunnel(ctx, guard.proxy, target)
		}
		return d.connect(ctx, guard, host, target)
	})
}

// targets are the addresses of a host that the guard lets through. Those that it
// does not are passed over; when none is left, the host is blocked.
func (d *dialer) targets(ctx context.Context, guard *Guard, address string) (host string, targets []netip.AddrPort, err error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return "", nil, fmt.Errorf("%q is no port: %w", service, err)
	}
	addresses, err := d.resolve(ctx, host)
	if err != nil {
		return "", nil, err
	}
	var blocked error
	for _, addr := range addresses {
		target := netip.AddrPortFrom(addr.Unmap(), uint16(port))
		switch err := guard.Check(host, target); {
		case err != nil:
			blocked = err
		case len(targets) < maxAddresses:
			targets = append(targets, target)
		}
	}
	if len(targets) == 0 {
		return "", nil, blocked
	}
	return host, targets, nil
}

func (d *dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	if endsInNumber(host) {
		return nil, &blockedError{}
	}
	resolver := d.resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	addresses, err := resolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(addresses) == 0 {
		err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	return addresses, err
}

// connect dials one address. The guard is asked once more, by the operating system's
// own word for what is dialled.
func (d *dialer) connect(ctx context.Context, guard *Guard, host string, target netip.AddrPort) (net.Conn, error) {
	last := d.net
	last.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
		dialled, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("the dial guard does not understand what is dialled: %w", &blockedError{kind: kindReserved})
		}
		return guard.Check(host, dialled)
	}
	return last.DialContext(ctx, "tcp", target.String())
}

// race dials the addresses in their order, each a moment after the one before or as
// soon as that fails, and gives the first connection. When all fail, it is the first
// address's error.
func race(ctx context.Context, targets []netip.AddrPort, dial func(context.Context, netip.AddrPort) (net.Conn, error)) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		conn net.Conn
		err  error
		i    int
	}
	results := make(chan result, len(targets))
	errs := make([]error, len(targets))
	started := 0
	next := func() {
		if i := started; i < len(targets) {
			started++
			go func() {
				conn, err := dial(ctx, targets[i])
				results <- result{conn, err, i}
			}()
		}
	}
	next()
	timer := time.NewTicker(stagger)
	defer timer.Stop()
	for ended := 0; ended < len(targets); {
		select {
		case <-timer.C:
			next()
		case r := <-results:
			ended++
			if r.err != nil {
				errs[r.i] = r.err
				next()
				continue
			}
			go func(others int) {
				for range others {
					if late := <-results; late.conn != nil {
						late.conn.Close()
					}
				}
			}(started - ended)
			return r.conn, nil
		}
	}
	return nil, errs[0]
}
