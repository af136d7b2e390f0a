package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"segue/config"
	"segue/delivery"
	"segue/gateway"
)

// files are those of a certificate.
type files struct {
	t           *testing.T
	certificate string
	key         string
}

func newFiles(t *testing.T) *files {
	folder := t.TempDir()
	f := &files{t: t, certificate: filepath.Join(folder, "c.pem"), key: filepath.Join(folder, "k.pem")}
	f.write(1)
	return f
}

func (f *files) config() config.GatewayTLS {
	return config.GatewayTLS{Certificate: delivery.SecretRef("file:" + f.certificate), Key: delivery.SecretRef("file:" + f.key)}
}

// write writes a new certificate for localhost with that serial number.
func (f *files) write(serial int64) {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(f.t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(f.t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(f.t, err)
	require.NoError(f.t, os.WriteFile(f.certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(f.t, os.WriteFile(f.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// serialOf returns the serial number of the certificate that a server shows now.
func serialOf(t *testing.T, s *served) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", s.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the test looks at the certificate
	require.NoError(t, err)
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func secured(t *testing.T, f *files) *served {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true} //nolint:gosec // a certificate of the test
	return startTLS(t, faces(), gateway.Bounds{}, f.config(), transport)
}

func TestANewCertificateIsUsedWithoutARestart(t *testing.T) {
	f := newFiles(t)
	s := secured(t, f)
	require.Equal(t, int64(1), serialOf(t, s))
	f.write(2)
	require.Eventually(t, func() bool { return serialOf(t, s) == 2 }, time.Minute, 10*time.Millisecond)
	require.NoError(t, os.WriteFile(f.key, []byte("no key"), 0o600))
	require.Eventually(t, func() bool { return len(s.log.String()) > 0 && contains(s, "the current one stays active") }, time.Minute, 10*time.Millisecond)
	require.Equal(t, int64(2), serialOf(t, s), "a certificate that cannot be used changes nothing")
	f.write(3)
	require.Eventually(t, func() bool { return serialOf(t, s) == 3 }, time.Minute, 10*time.Millisecond)
}

func TestTLSIsModernAndSpeaksHTTP2(t *testing.T) {
	s := secured(t, newFiles(t))
	response, err := s.http.Get("https://" + s.Listener.Addr().String() + "/v1/interactions/c1")
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, []any{2, 200, "state of c1"}, []any{response.ProtoMajor, response.StatusCode, string(body)})
	_, err = tls.Dial("tcp", s.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}) //nolint:gosec // it must be refused
	require.Error(t, err)
	require.Equal(t, []int{400}, s.answersTo("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "plain text")
}

func TestACertificateThatCannotBeReadIsNamed(t *testing.T) {
	f := newFiles(t)
	require.NoError(t, os.Remove(f.key))
	_, err := gateway.Start(faces(), gateway.Bounds{}, f.config(), time.Second, slog.New(slog.DiscardHandler), nil)
	require.EqualError(t, err, "gateway.tls.key: secret file:"+f.key+" cannot be read")
}

// A client that opens and resets streams as fast as it can must neither pile up handlers nor disturb
// others.
func TestStreamsThatAreResetAtOnceDoNotDisturbOthers(t *testing.T) {
	s := secured(t, newFiles(t))
	conn, err := tls.Dial("tcp", s.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}) //nolint:gosec // a certificate of the test
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	flood(t, conn)
	for range 20 {
		response, err := s.http.Get("https://" + s.Listener.Addr().String() + "/v1/interactions/c1")
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, 200, response.StatusCode)
	}
}

// flood opens and resets 5,000 streams, or as many as the server takes before it ends the connection.
func flood(t *testing.T, conn net.Conn) {
	t.Helper()
	_, err := io.WriteString(conn, http2.ClientPreface)
	require.NoError(t, err)
	framer := http2.NewFramer(conn, conn)
	require.NoError(t, framer.WriteSettings())
	go func() {
		_, _ = io.Copy(io.Discard, conn) // the test ends it
	}()
	var block writer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":path", "/v1/interactions/c1"}, {":authority", "localhost"}} {
		require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}))
	}
	for i := range uint32(5000) {
		id := 2*i + 1
		headers := http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndStream: true, EndHeaders: true}
		if framer.WriteHeaders(headers) != nil || framer.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			return
		}
	}
}

type writer []byte

func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}
