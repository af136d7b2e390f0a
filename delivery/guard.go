package delivery

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Guard decides which addresses may be dialled. It is asked after name
// resolution, for every address and every dial, so a name that resolves
// differently the second time gains nothing.
type Guard struct {
	allowed []allowEntry
	proxy   *proxy // nil: receivers are dialled directly
}

// NewGuard makes a guard that lets public addresses through and, beside them, what
// allow lists: CIDR ranges, single addresses and host names, each with a port or a
// range of ports behind a colon, or with all.
//
// Metadata services of clouds are let through by an entry that is their address
// alone: a wide range or a name opens them to nobody.
func NewGuard(allow []string) (*Guard, error) {
	g := &Guard{}
	for _, entry := range allow {
		r, err := parseAllowEntry(entry)
		if err != nil {
			return nil, fmt.Errorf("guard.allow: %w", err)
		}
		g.allowed = append(g.allowed, r)
	}
	return g, nil
}

// Check says why an address that a host name resolved to may not be dialled.
func (g *Guard) Check(host string, target netip.AddrPort) error {
	addr := unmapped(target.Addr())
	kind, err := g.kindOf(addr)
	if err != nil || kind == "" {
		return err
	}
	for _, r := range g.allowed {
		if !r.allows(host, addr, target.Port(), kind) {
			continue
		}
		if inner, ok := behindNAT64(addr); ok {
			return g.Check(host, netip.AddrPortFrom(inner, target.Port()))
		}
		return nil
	}
	return &blockedError{kind: kind}
}

// kindOf is why an address is not dialled, also because of the machine we are on.
func (g *Guard) kindOf(addr netip.Addr) (AddressKind, error) {
	kind := kindOf(addr)
	if kind != "" {
		return kind, nil
	}
	if own, err := isOwn(addr); err != nil {
		return "", err
	} else if own {
		return kindOwn, nil
	}
	return "", nil
}

// isOutside tells whether an address is of the internet, not of this machine or its
// network.
func (g *Guard) isOutside(addr netip.Addr) bool {
	kind, err := g.kindOf(unmapped(addr))
	return err == nil && kind == ""
}

// blockedError names the kind but not the address: whoever configures a URL must
// not learn from it what an internal name resolves to.
type blockedError struct{ kind AddressKind }

func (e *blockedError) Error() string {
	if e.kind == "" {
		return "the URL's host is a number that is read as different addresses; write it as 192.0.2.7"
	}
	return "the receiver's address is " + string(e.kind) + ", which guard.allow does not list"
}

// allowEntry is an entry of the allow-list.
type allowEntry struct {
	prefix   netip.Prefix // of addresses, or
	host     string       // a name
	from, to uint16       // ports
}

func (r allowEntry) allows(host string, addr netip.Addr, port uint16, kind AddressKind) bool {
	switch {
	case port < r.from || port > r.to:
		return false
	case r.host != "":
		return r.host == normalHost(host) && kind != kindMetadata
	}
	return r.prefix.Contains(addr) && (kind != kindMetadata || r.prefix.IsSingleIP())
}

// parseAllowEntry reads an entry: 10.0.0.0/8, 192.0.2.7:443, crm.internal:8000-8999,
// [fd00::/8]:443.
func parseAllowEntry(entry string) (allowEntry, error) {
	text, ports, ok := splitPorts(entry)
	r, err := parsePorts(ports)
	if !ok || err != nil {
		return allowEntry{}, fmt.Errorf("%q does not end in a port from 1 to 65535 or a range of them", entry)
	}
	switch r.prefix, err = parsePrefix(text); {
	case err == nil:
		return r, nil
	case !hostName.MatchString(text) || endsInNumber(text):
		return allowEntry{}, fmt.Errorf("%q is no CIDR range, address or host name", entry)
	}
	r.host = normalHost(text)
	return r, nil
}

// splitPorts splits an entry at the colon before its ports. An IPv6 address with
// ports stands in brackets.
func splitPorts(entry string) (target, ports string, ok bool) {
	if inside, bracketed := strings.CutPrefix(entry, "["); bracketed {
		target, rest, closed := strings.Cut(inside, "]")
		ports, colon := strings.CutPrefix(rest, ":")
		return target, ports, closed && strings.Contains(target, ":") && (rest == "" || colon && ports != "")
	}
	if strings.Count(entry, ":") != 1 {
		return entry, "", true
	}
	target, ports, _ = strings.Cut(entry, ":")
	return target, ports, ports != ""
}

func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err == nil && prefix.Addr().Is4In6() {
		err = errors.New("an IPv4 range in IPv6 clothes")
	}
	return prefix.Masked(), err
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// parsePorts reads 443, 8000-8999 or nothing, which is all.
func parsePorts(text string) (allowEntry, error) {
	if text == "" {
		return allowEntry{from: 1, to: 65535}, nil
	}
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	from, errFrom := strconv.ParseUint(first, 10, 16)
	to, errTo := strconv.ParseUint(last, 10, 16)
	if errFrom != nil || errTo != nil || from == 0 || from > to {
		return allowEntry{}, fmt.Errorf("%q is no port and no range of ports", text)
	}
	return allowEntry{from: uint16(from), to: uint16(to)}, nil
}

func normalHost(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }
