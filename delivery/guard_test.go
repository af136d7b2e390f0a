package delivery_test

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/delivery"
	"segue/dispatch"
)

func TestGuardRefusesWhatIsNotPublic(t *testing.T) {
	guard, err := delivery.NewGuard(nil)
	require.NoError(t, err)
	for address, kind := range map[string]string{
		"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "::": "unspecified",
		"127.0.0.1": "loopback", "127.255.255.254": "loopback", "::1": "loopback",
		"10.0.0.1": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private",
		"fc00::1": "private", "fd12:3456::1": "private", "fec0::1": "private",
		"169.254.0.1": "link-local", "fe80::1": "link-local", "fe80::1%eth0": "link-local",
		"169.254.169.254": "cloud metadata", "169.254.170.2": "cloud metadata", "100.100.100.200": "cloud metadata",
		"168.63.129.16": "cloud metadata", "fd00:ec2::254": "cloud metadata",
		"100.64.0.1": "carrier-grade NAT", "100.127.255.255": "carrier-grade NAT",
		"224.0.0.1": "multicast", "ff02::1": "multicast", "239.255.255.250": "multicast",
		"192.0.0.1": "reserved", "192.0.2.1": "reserved", "198.18.0.1": "reserved", "198.51.100.1": "reserved",
		"203.0.113.1": "reserved", "240.0.0.1": "reserved", "255.255.255.255": "reserved", "100::1": "reserved",
		"2001:db8::1": "reserved", "3fff::1": "reserved", "5f00::1": "reserved",
		// IPv4 in other clothes, public and private alike.
		"::ffff:127.0.0.1": "loopback", "::ffff:169.254.169.254": "cloud metadata", "::ffff:10.0.0.1": "private",
		"::ffff:0.0.0.0": "unspecified", "::7f00:1": "tunnelled IPv4", "64:ff9b::a00:1": "tunnelled IPv4",
		"64:ff9b::808:808": "tunnelled IPv4", "64:ff9b:1::a00:1": "tunnelled IPv4", "2002:7f00:1::": "tunnelled IPv4",
		"2002:a00:1::1": "tunnelled IPv4", "2001::1": "tunnelled IPv4", "2001:0:a00:1::": "tunnelled IPv4",
		"192.88.99.1": "tunnelled IPv4",
	} {
		err := guard.Check("receiver.example.com", netip.MustParseAddr(address))
		if assert.Error(t, err, address) {
			assert.Contains(t, err.Error(), "is "+kind, address)
			assert.NotContains(t, err.Error(), address)
		}
	}
	for _, address := range []string{"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"} {
		assert.NoError(t, guard.Check("receiver.example.com", netip.MustParseAddr(address)), address)
	}
}

func TestGuardAllows(t *testing.T) {
	guard, err := delivery.NewGuard([]string{"10.1.0.0/16", "192.168.7.7", "fd00::/8", "CRM.internal.example.com."})
	require.NoError(t, err)
	for _, tc := range []struct {
		host, address string
		allowed       bool
	}{
		{"a.example.com", "10.1.2.3", true},
		{"a.example.com", "::ffff:10.1.2.3", true},
		{"a.example.com", "10.2.0.1", false},
		{"a.example.com", "192.168.7.7", true},
		{"a.example.com", "192.168.7.8", false},
		{"a.example.com", "fd00::1", true},
		{"crm.internal.example.com", "127.0.0.1", true},
		{"crm.internal.example.com.", "10.9.9.9", true},
		{"x.crm.internal.example.com", "10.9.9.9", false},
		{"crm.internal.example.com.evil.example", "10.9.9.9", false},
	} {
		err := guard.Check(tc.host, netip.MustParseAddr(tc.address))
		assert.Equal(t, tc.allowed, err == nil, "%s %s", tc.host, tc.address)
	}
	for _, entry := range []string{"10.0.0.0/33", "*.example.com", "http://x", "", "a b", "host:80"} {
		_, err := delivery.NewGuard([]string{entry})
		assert.Error(t, err, "%q", entry)
	}
}

// However an address is written or named, it is judged when it is dialled.
func TestGuardIsAskedAtTheDial(t *testing.T) {
	var connects atomic.Int32
	server := serve(t, func(http.ResponseWriter, *http.Request) { connects.Add(1) })
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	sender := delivery.New(delivery.Options{})
	t.Cleanup(func() { require.NoError(t, sender.Close(context.Background())) })
	for i, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "[::]"} {
		o := sender.Send(context.Background(), newPolicy(), newRequest("http://"+host+port), i+1)
		assert.Equal(t, "blocked", o.Class, "%s: %s", host, o.Message)
		assert.Equal(t, dispatch.VerdictFinal, o.Verdict)
	}
	for i, host := range []string{"localhost.", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"} { // names to Go, and to some resolvers addresses
		o := sender.Send(context.Background(), newPolicy(), newRequest("http://"+host+port), i+100)
		assert.Contains(t, []string{"blocked", "dns"}, o.Class, "%s: %s", host, o.Message)
	}
	assert.Zero(t, connects.Load())
}

func TestGuardIsReplaced(t *testing.T) {
	server := serve(t, answer(200))
	sender := newSender(t)
	assert.Equal(t, "ok", sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 1).Class)
	sender.SetGuard(nil)
	assert.Equal(t, "blocked", sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 2).Class, "also on a kept connection")
}
