package delivery

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

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
	// kindOwn is a public address of an interface of this machine: what listens there
	// may trust who comes from inside.
	kindOwn AddressKind = "this machine's own"
)

// special lists what netip has no predicate for, the narrower before the wider.
// The names are those of IANA's registries of special-purpose addresses.
var special = []struct {
	prefix netip.Prefix
	kind   AddressKind
}{
	{netip.MustParsePrefix("169.254.169.254/32"), kindMetadata},    // AWS, Azure, Google, OpenStack and others
	{netip.MustParsePrefix("169.254.170.2/32"), kindMetadata},      // AWS container credentials
	{netip.MustParsePrefix("169.254.170.23/32"), kindMetadata},     // AWS pod identity
	{netip.MustParsePrefix("169.254.42.42/32"), kindMetadata},      // Scaleway
	{netip.MustParsePrefix("169.254.0.23/32"), kindMetadata},       // Tencent
	{netip.MustParsePrefix("100.100.100.200/32"), kindMetadata},    // Alibaba
	{netip.MustParsePrefix("192.0.0.192/32"), kindMetadata},        // Oracle
	{netip.MustParsePrefix("168.63.129.16/32"), kindMetadata},      // Azure
	{netip.MustParsePrefix("fd00:ec2::254/128"), kindMetadata},     // AWS
	{netip.MustParsePrefix("fd00:ec2::23/128"), kindMetadata},      // AWS pod identity
	{netip.MustParsePrefix("fd20:ce::254/128"), kindMetadata},      // Google
	{netip.MustParsePrefix("fd00:42::42/128"), kindMetadata},       // Scaleway
	{netip.MustParsePrefix("fd00:a9fe:a9fe::1/128"), kindMetadata}, // Akamai
	{netip.MustParsePrefix("0.0.0.0/8"), kindUnspecified},
	{netip.MustParsePrefix("100.64.0.0/10"), kindShared},
	{netip.MustParsePrefix("192.0.0.0/24"), kindReserved},    // protocol assignments
	{netip.MustParsePrefix("192.0.2.0/24"), kindReserved},    // documentation
	{netip.MustParsePrefix("192.88.99.0/24"), kindTunnel},    // 6to4 relays
	{netip.MustParsePrefix("198.18.0.0/15"), kindReserved},   // benchmarks
	{netip.MustParsePrefix("198.51.100.0/24"), kindReserved}, // documentation
	{netip.MustParsePrefix("203.0.113.0/24"), kindReserved},  // documentation
	{netip.MustParsePrefix("240.0.0.0/4"), kindReserved},     // and broadcast
	{netip.MustParsePrefix("::/96"), kindTunnel},             // IPv4-compatible
	{netip.MustParsePrefix("::ffff:0:0:0/96"), kindTunnel},   // IPv4-translated
	{wellKnownNAT64, kindTunnel},
	{netip.MustParsePrefix("64:ff9b:1::/48"), kindTunnel}, // local NAT64
	{netip.MustParsePrefix("2001::/23"), kindTunnel},      // Teredo, ORCHID and other protocols
	{netip.MustParsePrefix("2001:db8::/32"), kindReserved},
	{netip.MustParsePrefix("2002::/16"), kindTunnel}, // 6to4
	{netip.MustParsePrefix("3fff::/20"), kindReserved},
	{netip.MustParsePrefix("fec0::/10"), kindPrivate}, // site-local
}

var (
	wellKnownNAT64 = netip.MustParsePrefix("64:ff9b::/96")
	// globalIPv6 is all that IANA has given to the internet at large.
	globalIPv6 = netip.MustParsePrefix("2000::/3")
)

// kindOf classifies an address; an IPv4 address in IPv6 clothes counts as itself.
func kindOf(addr netip.Addr) AddressKind {
	addr = unmapped(addr)
	switch {
	case addr.IsUnspecified():
		return kindUnspecified
	case addr.IsLoopback():
		return kindLoopback
	}
	if isMetadataInIPv6(addr) {
		return kindMetadata
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
	case !addr.IsGlobalUnicast(), addr.Is6() && !globalIPv6.Contains(addr):
		return kindReserved
	}
	return ""
}

// isMetadataInIPv6 reports whether a private or link-local address ends in
// 169.254.169.254, as those of metadata services do: Oracle's fd00:c1::a9fe:a9fe,
// OpenStack's fe80::a9fe:a9fe.
func isMetadataInIPv6(addr netip.Addr) bool {
	if !addr.Is6() || !addr.IsPrivate() && !addr.IsLinkLocalUnicast() {
		return false
	}
	b := addr.As16()
	return netip.AddrFrom4([4]byte(b[12:])) == netip.AddrFrom4([4]byte{169, 254, 169, 254})
}

// unmapped is the address itself, whatever it is written as.
func unmapped(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// behindNAT64 is the IPv4 address that a gateway of the well-known prefix would dial.
func behindNAT64(addr netip.Addr) (netip.Addr, bool) {
	if !wellKnownNAT64.Contains(addr) {
		return netip.Addr{}, false
	}
	b := addr.As16()
	return netip.AddrFrom4([4]byte(b[12:])), true
}

// isOwn tells whether an interface of this machine has the address. It asks each
// time: addresses come and go, and a dial costs more than the question.
func isOwn(addr netip.Addr) (bool, error) {
	own, err := interfaceAddrs()
	if err != nil {
		return false, fmt.Errorf("the dial guard cannot learn this machine's own addresses: %w", err)
	}
	for _, one := range own {
		if network, ok := one.(*net.IPNet); ok {
			if mine, ok := netip.AddrFromSlice(network.IP); ok && unmapped(mine) == addr {
				return true, nil
			}
		}
	}
	return false, nil
}

var interfaceAddrs = net.InterfaceAddrs

// endsInNumber tells whether a host that is no address is one for some readers:
// 2130706433, 0x7f.1, 0177.0.0.1 and 127.0.0.1. are 127.0.0.1 to many a resolver.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(strings.ToLower(last), "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
