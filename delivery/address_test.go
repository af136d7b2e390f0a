package delivery_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/delivery"
	"segue/delivery/hostiletest"
)

// notPublic4 are the ranges of IPv4 that are not public, with their first and last address,
// from IANA's registry of special-purpose addresses.
var notPublic4 = [][2]string{
	{"0.0.0.0", "0.255.255.255"}, {"10.0.0.0", "10.255.255.255"}, {"100.64.0.0", "100.127.255.255"}, {"127.0.0.0", "127.255.255.255"},
	{"168.63.129.16", "168.63.129.16"}, // Azure's metadata service: a public address only by its looks
	{"169.254.0.0", "169.254.255.255"}, {"172.16.0.0", "172.31.255.255"}, {"192.0.0.0", "192.0.0.255"}, {"192.0.2.0", "192.0.2.255"},
	{"192.88.99.0", "192.88.99.255"}, {"192.168.0.0", "192.168.255.255"}, {"198.18.0.0", "198.19.255.255"}, {"198.51.100.0", "198.51.100.255"},
	{"203.0.113.0", "203.0.113.255"}, {"224.0.0.0", "255.255.255.255"},
}

func number(address string) uint32 {
	four := netip.MustParseAddr(address).As4()
	return binary.BigEndian.Uint32(four[:])
}

func address4(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}

func isPublic4(addr netip.Addr) bool {
	for _, r := range notPublic4 {
		if n := number(addr.String()); n >= number(r[0]) && n <= number(r[1]) {
			return false
		}
	}
	return true
}

// drawn4 returns a random IPv4 address, often one at the edge of a range.
func drawn4(t *rapid.T) netip.Addr {
	if rapid.Bool().Draw(t, "anywhere") {
		return address4(rapid.Uint32().Draw(t, "address"))
	}
	edge := number(rapid.SampledFrom(notPublic4).Draw(t, "range")[rapid.IntRange(0, 1).Draw(t, "end")])
	return address4(edge + uint32(rapid.IntRange(-2, 2).Draw(t, "off")))
}

func TestIPv4AddressesArePublicOrNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := drawn4(t)
		if public := delivery.KindOf(addr) == ""; public != isPublic4(addr) {
			t.Fatalf("%s: public is %t", addr, public)
		}
	})
}

// An IPv4 address that is mapped into IPv6 counts as itself, and one that a gateway or tunnel
// would unwrap is never public.
func TestIPv4InIPv6(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := drawn4(t)
		four := addr.As4()
		mapped := netip.AddrFrom16(addr.As16())
		if kind := delivery.KindOf(mapped); kind != delivery.KindOf(addr) {
			t.Fatalf("%s is %q, %s is %q", mapped, kind, addr, delivery.KindOf(addr))
		}
		rest := rapid.Uint64().Draw(t, "rest")
		hex := fmt.Sprintf("%02x%02x:%02x%02x", four[0], four[1], four[2], four[3])
		inverted := fmt.Sprintf("%02x%02x:%02x%02x", ^four[0], ^four[1], ^four[2], ^four[3])
		for _, text := range []string{
			"::" + hex, "::ffff:0:" + hex, "64:ff9b::" + hex, "64:ff9b:1::" + hex,
			fmt.Sprintf("2002:%s::%x", hex, uint16(rest)),
			fmt.Sprintf("2001:0:%x:%x:%x:%x:%s", uint16(rest), uint16(rest>>16), uint16(rest>>32), uint16(rest>>48), inverted),
		} {
			if kind := delivery.KindOf(netip.MustParseAddr(text)); kind == "" {
				t.Fatalf("%s is public", text)
			}
		}
	})
}

// An IPv6 address is public if it is in 2000::/3 and not in a range that IANA reserves there;
// its zone changes nothing.
func TestIPv6AddressesArePublicOrNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b [16]byte
		for i := range b {
			b[i] = rapid.Byte().Draw(t, "byte")
		}
		if start := rapid.SampledFrom([]string{"", "2000::", "2001::", "2001:1ff::", "2001:200::", "2001:db7::", "2001:db8::", "2001:db9::", "2002::", "2003::",
			"3ffe:ffff::", "3fff:fff::", "3fff:1000::", "fe80::", "febf::", "fec0::", "fc00::", "fe00::", "ff02::", "100::"}).Draw(t, "start"); start != "" {
			head := netip.MustParseAddr(start).As16()
			copy(b[:4], head[:4])
		}
		addr := netip.AddrFrom16(b)
		if addr.Is4In6() {
			return
		}
		first, second := binary.BigEndian.Uint16(b[:]), binary.BigEndian.Uint16(b[2:])
		public := first>>13 == 1 &&
			!(first == 0x2001 && (second < 0x200 || second == 0xdb8)) &&
			first != 0x2002 &&
			!(first == 0x3fff && second < 0x1000)
		if kind := delivery.KindOf(addr); (kind == "") != public {
			t.Fatalf("%s is %q", addr, kind)
		}
		if kind := delivery.KindOf(addr.WithZone("eth0")); kind != delivery.KindOf(addr) {
			t.Fatalf("%s in a zone is %q", addr, kind)
		}
	})
}

// An address that an entry of the allow-list lets through is public anyway, or matches the
// entry, port included.
func TestTheGuardAllowsNoMoreThanWhatIsListed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix, err := drawn4(t).Prefix(rapid.IntRange(0, 32).Draw(t, "bits"))
		require.NoError(t, err)
		from := rapid.Uint16Range(1, 65535).Draw(t, "from")
		to := rapid.Uint16Range(from, 65535).Draw(t, "to")
		guard, err := delivery.NewGuard([]string{fmt.Sprintf("%s:%d-%d", prefix, from, to)})
		require.NoError(t, err)
		addr, port := drawn4(t), rapid.Uint16().Draw(t, "port")
		kind := delivery.KindOf(addr)
		listed := prefix.Contains(addr) && port >= from && port <= to && (kind != "cloud metadata" || prefix.IsSingleIP())
		for _, dressed := range []netip.Addr{addr, netip.AddrFrom16(addr.As16())} {
			err := guard.Check("receiver.example.com", netip.AddrPortFrom(dressed, port))
			if (err == nil) != (kind == "" || listed) {
				t.Fatalf("%s of %s at %d-%d: %v", dressed, prefix, from, to, err)
			}
		}
	})
}

// Whatever the host of a URL is, nothing reaches a listener on loopback that is not allowed.
func FuzzHostsOfURLs(f *testing.F) {
	for _, host := range append([]string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::1%25lo]", "0", "①②⑦.⓪.⓪.①", "127。0。0。1", "loop.example.com",
		"user@127.0.0.1", "a:b@localhost", "127.0.0.1#.example.com", "127.0.0.1\\@example.com", "example.com@127.0.0.1", "127.0.0.1%00.example.com", "[0:0:0:0:0:ffff:7f00:1]", "%31%32%37.0.0.1"}, numbers...) {
		f.Add(host)
	}
	target := hostiletest.Serve(f, hostiletest.OK)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(target.URL, "http://"))
	require.NoError(f, err)
	six, err := net.Listen("tcp", "[::1]:"+port)
	var other *hostiletest.Server
	if err == nil {
		other = hostiletest.ServeOn(f, six, hostiletest.OK)
	}
	names := hostiletest.ServeNames(f, func(string, int) hostiletest.Answer {
		return hostiletest.Answer{Addresses: []string{"127.0.0.1", "::1"}}
	})
	// Connections to public addresses go to a proxy that refuses all.
	wall := hostiletest.Serve(f, hostiletest.Proxy(func(*http.Request) (to, answer string) { return "", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n" }))
	guard, err := guardOf(f).Through(delivery.Proxy{URL: wall.URL})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, host string) {
		sender := senderWith(t, delivery.Options{Guard: guard, Resolver: names.Resolver()}) // whose breaker is closed
		policy := newPolicy()
		policy.Timeout = 2 * time.Second
		for i, text := range []string{"http://" + host + ":" + port + "/", "http://" + url.PathEscape(host) + ":" + port + "/", "//" + host + ":" + port} {
			r := newRequest(text)
			r.ID = fmt.Sprintf("msg_%d_%s", i, host)
			o := sender.Send(context.Background(), policy, r, 1)
			assert.Contains(t, []string{"blocked", "dns", "render", "network"}, o.Class, "%q: %s", text, o.Message)
		}
		assert.Zero(t, target.Connections())
		if other != nil {
			assert.Zero(t, other.Connections())
		}
	})
}

func FuzzAllow(f *testing.F) {
	for _, entry := range []string{"10.0.0.0/8", "crm.internal:443", "[fd00::/8]:1-2", "::1", "[::1]", "127.1", "a:b:c", "[", "]", ":", "-", "x-1.y_z."} {
		f.Add(entry)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		guard, err := delivery.NewGuard([]string{entry})
		if err != nil {
			return
		}
		// An entry that names no metadata service by its address opens none.
		if !strings.Contains(entry, "169.254.169.254") && !strings.Contains(strings.ToLower(entry), "a9fe:a9fe") {
			assert.Error(t, guard.Check(entry, at("169.254.169.254", 80)))
		}
		assert.NoError(t, guard.Check("receiver.example.com", at("8.8.8.8", 443)))
	})
}
