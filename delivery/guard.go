package delivery

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// Guard decides which addresses may be dialled. It is asked after name
// resolution, for every address and every dial, so a name that resolves
// differently the second time gains nothing.
type Guard struct {
	prefixes []netip.Prefix
	hosts    map[string]bool
}

// NewGuard makes a guard that lets public addresses through and, beside them, what
// allow lists: CIDR ranges, single addresses and host names.
func NewGuard(allow []string) (*Guard, error) {
	g := &Guard{hosts: map[string]bool{}}
	for _, entry := range allow {
		switch prefix, addr, err := parseAllowed(entry); {
		case err != nil:
			return nil, err
		case prefix.IsValid():
			g.prefixes = append(g.prefixes, prefix)
		case addr.IsValid():
			g.prefixes = append(g.prefixes, netip.PrefixFrom(addr, addr.BitLen()))
		default:
			g.hosts[normalHost(entry)] = true
		}
	}
	return g, nil
}

func parseAllowed(entry string) (netip.Prefix, netip.Addr, error) {
	if strings.Contains(entry, "/") {
		prefix, err := netip.ParsePrefix(entry)
		if err != nil {
			return netip.Prefix{}, netip.Addr{}, fmt.Errorf("guard.allow: %q is no CIDR range: %w", entry, err)
		}
		return prefix.Masked(), netip.Addr{}, nil
	}
	if addr, err := netip.ParseAddr(entry); err == nil {
		return netip.Prefix{}, addr.Unmap(), nil
	}
	if entry == "" || strings.ContainsAny(entry, ": *\t") {
		return netip.Prefix{}, netip.Addr{}, fmt.Errorf("guard.allow: %q is no CIDR range, address or host name", entry)
	}
	return netip.Prefix{}, netip.Addr{}, nil
}

// AddressKind is why an address is not dialled, in words that fit a message.
// Empty means it is an ordinary public one.
type AddressKind string

// The kinds of address that are not dialled unless allowed.
const (
	kindUnspecified AddressKind = "unspecified"
	kindLoopback    AddressKind = "loopback"
	kindPrivate     AddressKind = "private"
	kindLinkLocal   AddressKind = "link-local"
	kindMetadata    AddressKind = "cloud metadata"
	kindShared      AddressKind = "carrier-grade NAT"
	kindMulticast   AddressKind = "multicast"
	kindReserved    AddressKind = "reserved"
	kindTunnel      AddressKind = "tunnelled IPv4"
)

// special lists what netip has no predicate for, the narrower before the wider.
var special = []struct {
	prefix netip.Prefix
	kind   AddressKind
}{
	{netip.MustParsePrefix("169.254.169.254/32"), kindMetadata},
	{netip.MustParsePrefix("169.254.170.2/32"), kindMetadata},   // AWS container credentials
	{netip.MustParsePrefix("100.100.100.200/32"), kindMetadata}, // Alibaba
	{netip.MustParsePrefix("192.0.0.192/32"), kindMetadata},     // Oracle
	{netip.MustParsePrefix("168.63.129.16/32"), kindMetadata},   // Azure
	{netip.MustParsePrefix("fd00:ec2::254/128"), kindMetadata},
	{netip.MustParsePrefix("0.0.0.0/8"), kindUnspecified},
	{netip.MustParsePrefix("100.64.0.0/10"), kindShared},
	{netip.MustParsePrefix("192.0.0.0/24"), kindReserved},
	{netip.MustParsePrefix("192.0.2.0/24"), kindReserved},
	{netip.MustParsePrefix("192.88.99.0/24"), kindTunnel}, // 6to4 relays
	{netip.MustParsePrefix("198.18.0.0/15"), kindReserved},
	{netip.MustParsePrefix("198.51.100.0/24"), kindReserved},
	{netip.MustParsePrefix("203.0.113.0/24"), kindReserved},
	{netip.MustParsePrefix("240.0.0.0/4"), kindReserved}, // and broadcast
	{netip.MustParsePrefix("::/96"), kindTunnel},         // IPv4-compatible
	{netip.MustParsePrefix("64:ff9b::/96"), kindTunnel},  // NAT64
	{netip.MustParsePrefix("64:ff9b:1::/48"), kindTunnel},
	{netip.MustParsePrefix("100::/64"), kindReserved}, // discard
	{netip.MustParsePrefix("2001::/23"), kindTunnel},  // Teredo, ORCHID and other protocols
	{netip.MustParsePrefix("2001:db8::/32"), kindReserved},
	{netip.MustParsePrefix("2002::/16"), kindTunnel}, // 6to4
	{netip.MustParsePrefix("3fff::/20"), kindReserved},
	{netip.MustParsePrefix("5f00::/16"), kindReserved},
	{netip.MustParsePrefix("fec0::/10"), kindPrivate}, // site-local
}

// kindOf classifies an address; an IPv4 address in IPv6 clothes counts as itself.
func kindOf(addr netip.Addr) AddressKind {
	addr = addr.Unmap().WithZone("")
	switch {
	case addr.IsUnspecified():
		return kindUnspecified
	case addr.IsLoopback():
		return kindLoopback
	}
	for _, s := range special {
		if s.prefix.Contains(addr) {
			return s.kind
		}
	}
	switch {
	case addr.IsPrivate():
		return kindPrivate
	case addr.IsLinkLocalUnicast():
		return kindLinkLocal
	case addr.IsMulticast():
		return kindMulticast
	case !addr.IsGlobalUnicast():
		return kindReserved
	}
	return ""
}

// Check says why an address that a host name resolved to may not be dialled.
func (g *Guard) Check(host string, addr netip.Addr) error {
	kind := kindOf(addr)
	if kind == "" || g.hosts[normalHost(host)] {
		return nil
	}
	plain := addr.Unmap().WithZone("")
	for _, prefix := range g.prefixes {
		if prefix.Contains(plain) {
			return nil
		}
	}
	return &blockedError{kind: kind}
}

// blockedError names the kind but not the address: whoever configures a URL must
// not learn from it what an internal name resolves to.
type blockedError struct{ kind AddressKind }

func (e *blockedError) Error() string {
	return "the receiver's address is " + string(e.kind) + ", which guard.allow does not list"
}

type hostKey struct{}

// guarded makes a dialer ask the guard in force, each time it opens a connection.
func guarded(d net.Dialer, guard func() *Guard) func(ctx context.Context, network, address string) (net.Conn, error) {
	d.ControlContext = func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		host, _ := ctx.Value(hostKey{}).(string)
		target, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("the dial guard does not understand the address: %w", &blockedError{kind: kindReserved})
		}
		return guard().Check(host, target.Addr())
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return d.DialContext(context.WithValue(ctx, hostKey{}, host), network, address)
	}
}

func normalHost(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }
