package delivery_test

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"segue/contract"
	"segue/delivery"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http says there what hostile receivers do
	goleak.VerifyTestMain(m)
}

// newSender returns a sender that may dial this machine; it is closed with the test.
func newSender(t *testing.T, roots ...*x509.Certificate) *delivery.Sender {
	t.Helper()
	guard, err := delivery.NewGuard([]string{"127.0.0.0/8", "::1"})
	require.NoError(t, err)
	options := delivery.Options{Guard: guard, Slots: 10_000}
	if len(roots) > 0 {
		options.Roots = x509.NewCertPool()
		for _, root := range roots {
			options.Roots.AddCert(root)
		}
	}
	sender := delivery.New(options)
	t.Cleanup(func() { require.NoError(t, sender.Close(context.Background())) })
	return sender
}

func newPolicy() delivery.Policy {
	return delivery.Policy{
		Call: "crm", Timeout: 5 * time.Second, Idempotent: true, Order: delivery.OrderBlock,
		Retry: delivery.Retry{Schedule: []time.Duration{5 * time.Second, time.Minute}, Retention: time.Hour},
	}
}

func newRequest(url string) contract.Request {
	return contract.Request{
		ID: "msg_1", Call: "crm", Moment: "interaction_starts", Sequence: 1, Method: http.MethodPost, URL: url,
		Headers: []contract.Header{{Name: "Content-Type", Value: "application/json"}}, Body: `{"id":"i-1"}`,
	}
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// serveRaw answers each connection by hand, after its request has been read.
func serveRaw(t *testing.T, answer func(*net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 64<<10)
			_, _ = conn.Read(buffer)
			answer(conn.(*net.TCPConn))
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return "http://" + listener.Addr().String()
}

func answer(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}
