package bus_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"segue/bus"
)

func TestAnEmbeddedServerRefusesOtherMachinesWithoutProtection(t *testing.T) {
	certificate := &tls.Config{MinVersion: tls.VersionTLS12}
	cases := []struct {
		name    string
		options bus.ServerOptions
		message string
	}{
		{"nothing", bus.ServerOptions{Listen: "0.0.0.0:0"}, "needs a user, a password and TLS"},
		{"no host", bus.ServerOptions{Listen: ":4222"}, "needs a user, a password and TLS"},
		{"no TLS", bus.ServerOptions{Listen: "[::]:0", User: "u", Password: "p"}, "needs a user, a password and TLS"},
		{"no user", bus.ServerOptions{Listen: "192.0.2.1:0", TLS: certificate}, "needs a user, a password and TLS"},
		{"a name", bus.ServerOptions{Listen: "example.com:0"}, "bus.url"},
		{"no password", bus.ServerOptions{Listen: "127.0.0.1:0", User: "u"}, "a user without a password"},
		{"no port", bus.ServerOptions{Listen: "127.0.0.1"}, "give host:port"},
		{"a wrong port", bus.ServerOptions{Listen: "127.0.0.1:99999"}, "not a number up to 65535"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := bus.Embed(c.options)
			require.ErrorContains(t, err, "bus.listen")
			require.ErrorContains(t, err, c.message)
		})
	}
}

func TestAPortInUseIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, err = bus.Embed(bus.ServerOptions{Listen: listener.Addr().String()})
	require.ErrorContains(t, err, "address already in use")
}

func TestAWorkerMayPublishAndReadAcksAlone(t *testing.T) {
	for _, name := range []string{"with a password", "without credentials"} {
		t.Run(name, func(t *testing.T) {
			o := bus.ServerOptions{Listen: "127.0.0.1:0"}
			var credentials []nats.Option
			if name == "with a password" {
				o.User, o.Password = "worker", "w"
				credentials = append(credentials, nats.UserInfo(o.User, o.Password))
			}
			server := embed(t, o)
			g := gateway(t, bus.Options{Server: server})
			refused := make(chan error, 100)
			nc, err := nats.Connect(server.URL(), append(credentials, nats.NoReconnect(),
				nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))...)
			require.NoError(t, err)
			defer nc.Close()

			for _, subject := range []string{"segue.live.>", "segue.due.>", ">", "_INBOX.>", "segue.*", "$JS.EVENT.>"} {
				_, err := nc.SubscribeSync(subject)
				require.NoError(t, err)
				requireRefused(t, refused, subject)
			}
			for _, subject := range []string{"$JS.API.STREAM.PURGE.SEGUE_LIVE", "$JS.API.STREAM.INFO.SEGUE_LIVE", "segue.agents.acme.ann", "_INBOX.x", "segue.acks.x", "other"} {
				require.NoError(t, nc.Publish(subject, nil))
				requireRefused(t, refused, subject)
			}

			w := connect(t, bus.Options{URL: server.URL(), User: o.User, Password: o.Password})
			p := publisher(t, w)
			l := read(t, g, ready(t, g))
			p.Publish(notice("one", 1))
			l.waitRevision(t, "one", 1)
			require.NoError(t, p.Close(t.Context()))
		})
	}
}

func requireRefused(t *testing.T, refused <-chan error, subject string) {
	t.Helper()
	select {
	case err := <-refused:
		require.ErrorIs(t, err, nats.ErrPermissionViolation)
	case <-time.After(patience):
		t.Fatalf("%s is not refused", subject)
	}
}

func TestWrongCredentialsDoNotConnect(t *testing.T) {
	server, _ := listening(t)
	for _, o := range []bus.Options{{URL: server.URL()}, {URL: server.URL(), User: "worker", Password: "wrong"}} {
		nc, err := nats.Connect(o.URL, nats.UserInfo(o.User, o.Password))
		if nc != nil {
			nc.Close()
		}
		require.True(t, errors.Is(err, nats.ErrAuthorization), "%v", err)
	}
}

func TestOptionsThatAreWrong(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:4222", "http://127.0.0.1:4222", "nats://", "nats://a:4222,", "nats://user:se%cret@a"} {
		_, err := bus.Connect(bus.Options{URL: url})
		require.ErrorContains(t, err, "bus.url", url)
		require.NotContains(t, err.Error(), "cret")
	}
}

func TestTLSWithClientCertificates(t *testing.T) {
	authority, key := newAuthority(t)
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	server := embed(t, bus.ServerOptions{Listen: "127.0.0.1:0", User: "worker", Password: "w", TLS: &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{issue(t, authority, key)},
		ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}})
	require.Contains(t, server.URL(), "tls://")
	g := gateway(t, bus.Options{Server: server})
	l := read(t, g, ready(t, g))

	with := asWorker(server.URL())
	with.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, Certificates: []tls.Certificate{issue(t, authority, key)}}
	p := publisher(t, connect(t, with))
	p.Publish(notice("one", 1))
	l.waitRevision(t, "one", 1)

	for name, config := range map[string]*tls.Config{
		"no certificate":  {MinVersion: tls.VersionTLS12, RootCAs: pool},
		"other authority": {MinVersion: tls.VersionTLS12, Certificates: with.TLS.Certificates},
	} {
		nc, err := nats.Connect(server.URL(), nats.UserInfo("worker", "w"), nats.Secure(config))
		if nc != nil {
			nc.Close()
		}
		require.Error(t, err, name)
	}
}

func newAuthority(t *testing.T) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return certificate, key
}

func issue(t *testing.T, authority *x509.Certificate, by *ecdsa.PrivateKey) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, key.Public(), by)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// workerURL makes the test binary a worker process that publishes to this server.
const workerURL = "SEGUE_TEST_BUS_WORKER"

// publishAsProcess is the worker process: it publishes 100 notices.
func publishAsProcess(url string) error {
	c, err := bus.Connect(asWorker(url))
	if err != nil {
		return err
	}
	defer c.Close()
	p := bus.NewPublisher(c)
	p.Publish(notice("process", 1))
	for p.Stats().Published == 0 {
		time.Sleep(time.Millisecond)
	}
	for revision := int64(2); revision <= 100; revision++ {
		p.Publish(notice("process", revision))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.Close(ctx)
}

func TestAnotherProcessPublishes(t *testing.T) {
	server, _ := listening(t)
	g := gateway(t, bus.Options{Server: server})
	l := read(t, g, ready(t, g))
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), workerURL+"="+server.URL())
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	l.waitRevision(t, "process", 100)
	require.Equal(t, upTo(100), l.revisions("process"))
}

func TestForeignMessagesStopNoReader(t *testing.T) {
	server, _ := listening(t)
	g := gateway(t, bus.Options{Server: server})
	l := read(t, g, ready(t, g))
	nc, err := nats.Connect(server.URL(), nats.UserInfo("worker", "w"))
	require.NoError(t, err)
	defer nc.Close()
	bodies := [][]byte{nil, []byte("{}"), {0xff, 0xff}, make([]byte, 1<<20)}
	for _, body := range bodies {
		require.NoError(t, nc.Publish("segue.live.acme.one%2Etwo", body))
		require.NoError(t, nc.Publish("segue.live.a.b.c.%zz", body))
		require.NoError(t, nc.Publish("segue.due.acme", body))
	}
	require.NoError(t, nc.Flush())
	got := l.wait(t, 2*len(bodies))
	for i, m := range got {
		require.Zero(t, m.Notice.Revision)
		if i%2 == 0 {
			require.Equal(t, "one.two", m.Notice.Interaction)
		}
	}
	require.NoError(t, g.PublishNow(t.Context(), notice("one", 1)))
	l.waitRevision(t, "one", 1)
}

func TestMain(m *testing.M) {
	if url := os.Getenv(workerURL); url != "" {
		if err := publishAsProcess(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	verify(m)
}
