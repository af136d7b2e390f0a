package delivery_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

func guardOf(t testing.TB, allow ...string) *delivery.Guard {
	t.Helper()
	guard, err := delivery.NewGuard(allow)
	require.NoError(t, err)
	return guard
}

func at(address string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(address), port)
}

func TestTheGuardBlocksAddressesThatAreNotPublic(t *testing.T) {
	guard := guardOf(t)
	for address, kind := range map[string]string{
		"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "::": "unspecified",
		"127.0.0.1": "loopback", "127.255.255.254": "loopback", "::1": "loopback",
		"10.0.0.1": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private",
		"fc00::1": "private", "fd12:3456::1": "private", "fec0::1": "private",
		"169.254.0.1": "link-local", "fe80::1": "link-local", "fe80::1%eth0": "link-local", "febf::1%1": "link-local",
		"169.254.169.254": "cloud metadata", "169.254.170.2": "cloud metadata", "100.100.100.200": "cloud metadata",
		"168.63.129.16": "cloud metadata", "fd00:ec2::254": "cloud metadata", "fd00:a9fe:a9fe::1": "cloud metadata",
		"fd00:c1::a9fe:a9fe": "cloud metadata", "fe80::a9fe:a9fe": "cloud metadata", "fd12:3456::a9fe:a9fe": "cloud metadata", "fe80::a9fe:a9fd": "link-local",
		"fd20:ce::254": "cloud metadata", "192.0.0.192": "cloud metadata",
		"100.64.0.1": "carrier-grade NAT", "100.127.255.255": "carrier-grade NAT",
		"224.0.0.1": "multicast", "ff02::1": "multicast", "ff02::1%eth0": "multicast", "239.255.255.250": "multicast",
		"192.0.0.1": "reserved", "192.0.2.1": "reserved", "198.18.0.1": "reserved", "198.19.255.255": "reserved", "198.51.100.1": "reserved",
		"203.0.113.1": "reserved", "240.0.0.1": "reserved", "255.255.255.255": "reserved", "100::1": "reserved",
		"2001:db8::1": "reserved", "3fff::1": "reserved", "5f00::1": "reserved", "4000::1": "reserved", "1::1": "reserved",
		// IPv4 in other clothes, public and private alike.
		"::ffff:127.0.0.1": "loopback", "::ffff:169.254.169.254": "cloud metadata", "::ffff:10.0.0.1": "private",
		"::ffff:0.0.0.0": "unspecified", "::7f00:1": "tunnelled IPv4", "::ffff:0:7f00:1": "tunnelled IPv4", "64:ff9b::a00:1": "tunnelled IPv4",
		"64:ff9b::808:808": "tunnelled IPv4", "64:ff9b:1::a00:1": "tunnelled IPv4", "2002:7f00:1::": "tunnelled IPv4",
		"2002:a00:1::1": "tunnelled IPv4", "2001::1": "tunnelled IPv4", "2001:0:a00:1::": "tunnelled IPv4",
		"192.88.99.1": "tunnelled IPv4",
	} {
		err := guard.Check("receiver.example.com", at(address, 443))
		if assert.Error(t, err, address) {
			assert.Contains(t, err.Error(), "is "+kind, address)
			assert.NotContains(t, err.Error(), address)
		}
	}
	for _, address := range []string{"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"} {
		assert.NoError(t, guard.Check("receiver.example.com", at(address, 443)), address)
	}
}

func TestTheGuardAllowsWhatIsListed(t *testing.T) {
	guard := guardOf(t, "10.1.0.0/16", "192.168.7.7", "fd00::/8", "CRM.internal.example.com.", "10.3.0.0/16:8443", "[fc00::7]:8000-8099",
		"billing.internal:443", "0.0.0.0/0:9", "169.254.170.2", "64:ff9b::/96")
	for _, tc := range []struct {
		host, address string
		port          uint16
		allowed       bool
	}{
		{"a.example.com", "10.1.2.3", 80, true},
		{"a.example.com", "::ffff:10.1.2.3", 80, true},
		{"a.example.com", "10.2.0.1", 80, false},
		{"a.example.com", "192.168.7.7", 1, true},
		{"a.example.com", "192.168.7.8", 80, false},
		{"a.example.com", "fd00::1", 65535, true},
		{"crm.internal.example.com", "127.0.0.1", 80, true},
		{"crm.internal.example.com.", "10.9.9.9", 80, true},
		{"x.crm.internal.example.com", "10.9.9.9", 80, false},
		{"crm.internal.example.com.evil.example", "10.9.9.9", 80, false},
		// Ports.
		{"a.example.com", "10.3.0.1", 8443, true},
		{"a.example.com", "10.3.0.1", 8444, false},
		{"a.example.com", "fc00::7", 8000, true},
		{"a.example.com", "fc00::7", 8099, true},
		{"a.example.com", "fc00::7", 8100, false},
		{"billing.internal", "10.9.9.9", 443, true},
		{"billing.internal", "10.9.9.9", 22, false},
		{"a.example.com", "8.8.8.8", 22, true},
		// A metadata service only by its own address, not by a range or a name.
		{"a.example.com", "10.200.0.1", 9, true},
		{"a.example.com", "169.254.169.254", 9, false},
		{"crm.internal.example.com", "169.254.169.254", 80, false},
		{"crm.internal.example.com", "100.100.100.200", 80, false},
		{"a.example.com", "169.254.170.2", 80, true},
		// Through a NAT64 gateway as far as the address behind it is let through.
		{"a.example.com", "64:ff9b::808:808", 443, true},
		{"a.example.com", "64:ff9b::a01:1", 443, true},
		{"a.example.com", "64:ff9b::a02:1", 443, false},
		{"a.example.com", "64:ff9b::a9fe:a9fe", 443, false},
	} {
		err := guard.Check(tc.host, at(tc.address, tc.port))
		assert.Equal(t, tc.allowed, err == nil, "%s %s:%d", tc.host, tc.address, tc.port)
	}
	for _, entry := range []string{
		"10.0.0.0/33", "*.example.com", "http://x", "", "a b", ":80", "host:", "host:0", "host:65536", "host:http", "host:80-", "host:90-80",
		"10.0.0.0/8:", "fd00::1:", "[fd00::1", "[fd00::1]80", "[fd00::1]:", "[host]:80", "[10.0.0.1]:80", "fe80::1%eth0", "[fe80::1%eth0]:80", "::ffff:10.0.0.0/104",
		"127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "host.0x1",
	} {
		_, err := delivery.NewGuard([]string{entry})
		assert.Error(t, err, "%q", entry)
	}
}

// A public address is not an ordinary one on the machine that has it.
func TestTheGuardBlocksTheMachinesOwnAddresses(t *testing.T) {
	own, err := net.InterfaceAddrs()
	require.NoError(t, err)
	require.NotEmpty(t, own)
	for _, one := range own {
		addr, ok := netip.AddrFromSlice(one.(*net.IPNet).IP)
		require.True(t, ok)
		assert.Error(t, guardOf(t).Check("receiver.example.com", netip.AddrPortFrom(addr, 80)), "%s", addr)
	}

	public := []string{"93.184.216.34", "2606:2800::1"}
	delivery.HaveAddresses(t, nil, public...)
	for _, address := range public {
		assert.ErrorContains(t, guardOf(t).Check("receiver.example.com", at(address, 80)), "is this machine's own")
		assert.NoError(t, guardOf(t, netip.PrefixFrom(netip.MustParseAddr(address), 16).Masked().String()).Check("receiver.example.com", at(address, 80)))
	}
	assert.Error(t, guardOf(t).Check("receiver.example.com", at("::ffff:93.184.216.34", 80)))
	assert.NoError(t, guardOf(t).Check("receiver.example.com", at("93.184.216.35", 80)), "its neighbour")

	delivery.HaveAddresses(t, errors.New("no netlink here"))
	assert.ErrorContains(t, guardOf(t).Check("receiver.example.com", at("93.184.216.34", 80)), "own addresses", "blocked while the addresses are unknown")
}

// However an address is written or named, it is checked when it is dialled.
func TestTheGuardChecksEveryDial(t *testing.T) {
	var connects atomic.Int32
	server := serve(t, func(http.ResponseWriter, *http.Request) { connects.Add(1) })
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	sender := delivery.New(delivery.Options{})
	t.Cleanup(func() { require.NoError(t, sender.Close(context.Background())) })
	hosts := []string{"127.0.0.1", "localhost", "LOCALHOST", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "[::1%25lo]", "0.0.0.0", "[::]", "127.255.255.254"}
	own, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, one := range own {
		if addr, ok := netip.AddrFromSlice(one.(*net.IPNet).IP); ok {
			hosts = append(hosts, strings.TrimSuffix(netip.AddrPortFrom(addr, 0).String(), ":0"))
		}
	}
	for i, host := range append(hosts, numbers...) {
		o := sender.Send(context.Background(), newPolicy(), newRequest("http://"+host+port), i+1)
		assert.Equal(t, "blocked", o.Class, "%s: %s", host, o.Message)
		assert.Equal(t, contract.VerdictFinal, o.Verdict)
		assertNoAddress(t, o)
	}
	// Go reads these as names, which the hosts file or name server may or may not know.
	for i, host := range []string{"localhost.", "ip6-localhost", "localhost.localdomain"} {
		o := sender.Send(context.Background(), newPolicy(), newRequest("http://"+host+port), i+1000)
		assert.Contains(t, []string{"blocked", "dns"}, o.Class, "%s: %s", host, o.Message)
	}
	assert.Zero(t, connects.Load())
}

// numbers are 127.0.0.1 to some readers of URLs and names to others.
var numbers = []string{"2130706433", "0x7f000001", "0X7F000001", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0x7f.1", "127.0.0.1.", "127.0.0.0x1", "1.2.3.4.5"}

// assertNoAddress checks that an outcome reveals no address to the person who configures the
// URL.
func assertNoAddress(t *testing.T, o contract.Outcome) {
	t.Helper()
	assert.NotRegexp(t, `\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f]*:`, strings.ReplaceAll(o.Message, "192.0.2.7", ""))
	assert.Empty(t, o.Excerpt)
}

func TestTheGuardCanBeReplaced(t *testing.T) {
	server := serve(t, answer(200))
	sender := newSender(t)
	assert.Equal(t, "ok", sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 1).Class)
	sender.SetGuard(nil)
	assert.Equal(t, "blocked", sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 2).Class, "also on a kept connection")
}

func TestAPortOfAnAllowedAddress(t *testing.T) {
	open, shut := hostiletest.Serve(t, hostiletest.OK), hostiletest.Serve(t, hostiletest.OK)
	sender := senderWith(t, delivery.Options{Guard: guardOf(t, strings.TrimPrefix(open.URL, "http://"))})
	assert.Equal(t, "ok", sender.Send(context.Background(), newPolicy(), numbered(open.URL, 1), 1).Class)
	assert.Equal(t, "blocked", sender.Send(context.Background(), newPolicy(), numbered(shut.URL, 2), 1).Class)
	assert.Zero(t, shut.Connections())
}

func senderWith(t testing.TB, o delivery.Options) *delivery.Sender {
	t.Helper()
	sender := delivery.New(o)
	t.Cleanup(func() { require.NoError(t, sender.Close(context.Background())) })
	return sender
}
