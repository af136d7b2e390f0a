package delivery_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/delivery"
)

// openssl is a server of OpenSSL on this machine, which does what crypto/tls cannot, and the
// files of a call to it.
type openssl struct {
	url, dir string
	in       io.Writer

	mu  sync.Mutex
	out strings.Builder // what it has printed
}

// Write takes what the server prints.
func (o *openssl) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out.Write(p)
}

// await waits until the server has printed a text, and returns all that it printed.
func (o *openssl) await(t *testing.T, text string) (printed string) {
	t.Helper()
	require.Eventually(t, func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		printed = o.out.String()
		return strings.Contains(printed, text)
	}, time.Minute, 5*time.Millisecond, "openssl does not say %s", text)
	return printed
}

func (o *openssl) file(name string) delivery.SecretRef {
	return delivery.SecretRef("file:" + filepath.Join(o.dir, name))
}

func (o *openssl) say(t *testing.T, text string) {
	_, err := io.WriteString(o.in, text)
	assert.NoError(t, err)
}

// serveOpenSSL starts a server for one connection. The serial number of its certificate is
// negative, as on some appliances.
func serveOpenSSL(t *testing.T, args ...string) *openssl {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("needs openssl")
	}
	require.NoError(t, err)
	o := &openssl{dir: t.TempDir()}
	run := func(args ...string) {
		command := exec.Command(path, args...)
		command.Dir = o.dir
		out, err := command.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=CA")
	for name, extension := range map[string]string{"server": "subjectAltName=IP:127.0.0.1", "client": "extendedKeyUsage=clientAuth"} {
		require.NoError(t, os.WriteFile(filepath.Join(o.dir, name+".ext"), []byte(extension), 0o600))
		run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name+".key", "-out", name+".csr", "-subj", "/CN="+name)
		run("x509", "-req", "-in", name+".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "-7", "-out", name+".pem", "-days", "2", "-extfile", name+".ext")
	}
	server := exec.Command(path, append([]string{"s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert", "server.pem", "-key", "server.key",
		"-CAfile", "ca.pem", "-verify_return_error"}, args...)...)
	server.Dir = o.dir
	in, err := server.StdinPipe()
	require.NoError(t, err)
	server.Stdout, server.Stderr = o, o
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		assert.NoError(t, server.Process.Kill())
		_ = server.Wait() // it was killed
	})
	_, address, _ := strings.Cut(o.await(t, "ACCEPT 127.0.0.1:"), "ACCEPT ")
	o.in, o.url = in, "https://"+strings.Fields(address)[0]
	return o
}

const fineOnce = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// IIS asks for a client certificate after it has read the path of the request.
func TestAClientCertificateIsSentInARenegotiation(t *testing.T) {
	server := serveOpenSSL(t, "-tls1_2")
	p := newPolicy()
	p.Timeout = 20 * time.Second
	p.TLS.CA = server.file("ca.pem")
	p.Auth.MTLS = &delivery.MTLSAuth{Certificate: server.file("client.pem"), Key: server.file("client.key")}
	f := newSender(t).Start(p, newRequest(server.url), 1, "")
	server.await(t, `"id":"i-1"`)
	server.say(t, "R\n")               // its command for a renegotiation that asks for a certificate
	server.await(t, "verify return:1") // of the certificate
	server.say(t, fineOnce)
	<-f.Done()
	assert.Equal(t, "ok", f.Outcome().Class, f.Outcome().Message)
}

// Old servers support no key exchange but that of RSA.
func TestAServerWithOnlyRSAKeyExchangeIsSupported(t *testing.T) {
	server := serveOpenSSL(t, "-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0")
	p := newPolicy()
	p.Timeout = 20 * time.Second
	p.TLS.CA = server.file("ca.pem")
	f := newSender(t).Start(p, newRequest(server.url), 1, "")
	server.await(t, `"id":"i-1"`)
	server.say(t, fineOnce)
	<-f.Done()
	assert.Equal(t, "ok", f.Outcome().Class, f.Outcome().Message)
}
