package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"segue/config"
	"segue/gateway"
	"segue/gateway/problem"
	"segue/gateway/stopping"
	"segue/metrics/metricstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines are the logged lines.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// served is a running server of a handler.
type served struct {
	*gateway.Started
	t     *testing.T
	log   *lines
	probe *metricstest.Probe
	http  *http.Client
}

// faces is a handler with the ways in which a face can answer.
func faces() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/interactions/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "state of ", r.PathValue("id")) })
	mux.HandleFunc("POST /v1/interactions", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1000))
		var tooLarge *http.MaxBytesError
		var slow *problem.Problem
		switch {
		case errors.As(err, &tooLarge):
			problem.Write(w, problem.New(problem.TooLarge, ""))
		case errors.As(err, &slow):
			problem.Write(w, slow)
		case err != nil:
			problem.Write(w, problem.New(problem.Malformed, ""))
		default:
			fmt.Fprintf(w, "got %d bytes", len(body))
		}
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("the secret of c1") })
	mux.HandleFunc("GET /late-panic", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half")
		w.(http.Flusher).Flush()
		panic("too late")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { problem.Write(w, problem.New(problem.NotFound, "")) })
	return mux
}

func start(t *testing.T, handler http.Handler, bounds gateway.Bounds) *served {
	t.Helper()
	return startTLS(t, handler, bounds, config.GatewayTLS{}, &http.Transport{})
}

func startTLS(t *testing.T, handler http.Handler, bounds gateway.Bounds, tls config.GatewayTLS, transport *http.Transport) *served {
	t.Helper()
	s := &served{t: t, log: &lines{}, probe: metricstest.New(t), http: &http.Client{Transport: transport}}
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	s.Started, err = gateway.Start(handler, bounds, tls, 10*time.Millisecond, log, s.probe.Instruments)
	require.NoError(t, err)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		require.NoError(t, s.Stop())
	})
	return s
}

func (s *served) url(path string) string { return "http://" + s.Listener.Addr().String() + path }

// get returns the status and the body of a GET.
func (s *served) get(path string) (int, string, http.Header) {
	s.t.Helper()
	response, err := s.http.Get(s.url(path))
	require.NoError(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, string(body), response.Header
}

// raw opens a connection and writes text to it. The server may refuse the text before it has read
// all of it.
func (s *served) raw(text string) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(s.t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, _ = io.WriteString(conn, text)
	return conn
}

// answersTo writes text to a new connection and returns all answers until the server closes it.
func (s *served) answersTo(text string) []int {
	s.t.Helper()
	conn := s.raw(text)
	_ = conn.(*net.TCPConn).CloseWrite()
	return statuses(s.t, conn)
}

func statuses(t *testing.T, conn net.Conn) []int {
	t.Helper()
	var list []int
	for reader := bufio.NewReader(conn); ; {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return list
		}
		_, _ = io.Copy(io.Discard, response.Body) // the end of the last one may be a reset
		list = append(list, response.StatusCode)
	}
}

// logged returns the access log.
func (s *served) logged() []map[string]any {
	var entries []map[string]any
	for line := range strings.Lines(s.log.String()) {
		var entry map[string]any
		require.NoError(s.t, json.Unmarshal([]byte(line), &entry))
		if entry["msg"] == "request" {
			entries = append(entries, entry)
		}
	}
	return entries
}

func TestTheLogHasTheRouteAndNobodysData(t *testing.T) {
	s := start(t, faces(), gateway.Bounds{})
	request, err := http.NewRequest("GET", s.url("/v1/interactions/jane-doe?ani=%2B4930123"), nil)
	require.NoError(t, err)
	request.Header.Set("Segue-Request-Id", "from-the-switch.7")
	request.Header.Set("Authorization", "Bearer hunter2")
	response, err := s.http.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "from-the-switch.7", response.Header.Get("Segue-Request-Id"))
	require.Eventually(t, func() bool { return len(s.logged()) == 1 }, time.Minute, time.Millisecond)
	entry := s.logged()[0]
	require.Equal(t, []any{"GET", "GET /v1/interactions/{id}", 200.0, "from-the-switch.7", 17.0},
		[]any{entry["method"], entry["route"], entry["status"], entry["request_id"], entry["bytes"]})
	for _, private := range []string{"jane-doe", "4930123", "hunter2", "127.0.0.1"} {
		require.NotContains(t, s.log.String(), private)
	}
	require.Equal(t, map[string]float64{"route=GET /v1/interactions/{id},status=200": 1}, s.probe.Values("segue_gateway_requests_total"))
}

func TestAnIDThatIsNotAnIDIsReplaced(t *testing.T) {
	s := start(t, faces(), gateway.Bounds{})
	for _, given := range []string{"", "a b", "x\u00e9", strings.Repeat("x", 65), `"; DROP`} {
		request, err := http.NewRequest("GET", s.url("/nothing"), nil)
		require.NoError(t, err)
		request.Header.Set("Segue-Request-Id", given)
		response, err := s.http.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Regexp(t, `^[A-Z2-7]{26}$`, response.Header.Get("Segue-Request-Id"))
		require.Equal(t, 404, response.StatusCode)
	}
	require.Equal(t, map[string]float64{"route=none,status=404": 5}, s.probe.Values("segue_gateway_requests_total"))
}

func TestAPanicIsAnAnswerAndTheConnectionLives(t *testing.T) {
	s := start(t, faces(), gateway.Bounds{})
	conn := s.raw("GET /panic HTTP/1.1\r\nHost: h\r\n\r\nGET /v1/interactions/c1 HTTP/1.1\r\nHost: h\r\n\r\n")
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	require.Equal(t, []int{500, 200}, statuses(t, conn))
	require.Contains(t, s.log.String(), "a request panicked")
	require.Contains(t, s.log.String(), "server_test.go", "the stack")
	require.NotContains(t, s.log.String(), "the secret of c1")
	response, err := s.http.Get(s.url("/late-panic"))
	require.NoError(t, err)
	_, err = io.ReadAll(response.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "half of an answer must not look like a whole one")
	require.NoError(t, response.Body.Close())
}

func TestHeadersAreBounded(t *testing.T) {
	s := start(t, faces(), gateway.Bounds{})
	head := "GET /v1/interactions/c1 HTTP/1.1\r\nHost: h\r\nX-Big: "
	require.Equal(t, []int{200}, s.answersTo(head+strings.Repeat("x", 60<<10)+"\r\n\r\n"))
	require.Equal(t, []int{431}, s.answersTo(head+strings.Repeat("x", 65<<10)+"\r\n\r\n"))
	many := strings.Builder{}
	for i := range 4500 {
		fmt.Fprintf(&many, "X-%d: 12345678\r\n", i)
	}
	require.Equal(t, []int{431}, s.answersTo("GET / HTTP/1.1\r\nHost: h\r\n"+many.String()+"\r\n"))
}

func TestSlowHeadersEndTheConnection(t *testing.T) {
	s := start(t, faces(), gateway.Bounds{Headers: 50 * time.Millisecond})
	conn := s.raw("GET / HTTP/1.1\r\nHost: h\r\nX-Slow:")
	_, err := io.ReadAll(conn)
	require.NoError(t, err, "the server closes it")
}

func TestASlowBodyIsAnsweredAndEndsTheConnection(t *testing.T) {
	s := start(t, faces(), gateway.Bounds{Body: 50 * time.Millisecond})
	conn := s.raw("POST /v1/interactions HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
	require.Equal(t, []int{408}, statuses(t, conn))
	conn = s.raw("POST /v1/interactions HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
	require.Equal(t, []int{408}, statuses(t, conn))
}

// The deadline of a body must not end what the handler does after it has read the body.
func TestTheDeadlineOfABodyEndsWithTheBody(t *testing.T) {
	waited := make(chan error, 1)
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		if err == nil {
			select {
			case <-r.Context().Done():
				err = r.Context().Err()
			case <-time.After(1500 * time.Millisecond): // three times the deadline
			}
		}
		waited <- err
		fmt.Fprint(w, "done")
	}), gateway.Bounds{Body: 500 * time.Millisecond})
	response, err := s.http.Post(s.url("/"), "text/plain", strings.NewReader("body"))
	require.NoError(t, err)
	require.NoError(t, <-waited)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "done", string(body))
}

func TestALargeBodyIsRefused(t *testing.T) {
	s := start(t, faces(), gateway.Bounds{})
	response, err := s.http.Post(s.url("/v1/interactions"), "text/plain", strings.NewReader(strings.Repeat("x", 1001)))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, 413, response.StatusCode)
	conn := s.raw("POST /v1/interactions HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n" + strings.Repeat("x", 2000))
	require.Equal(t, []int{413}, statuses(t, conn))
}

// Whatever a proxy in front makes of these, the gateway must not read a second request out of a body.
func TestRequestsAreNotSmuggled(t *testing.T) {
	s := start(t, faces(), gateway.Bounds{Body: 100 * time.Millisecond})
	inner := "GET /v1/interactions/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
	post := "POST /v1/interactions HTTP/1.1\r\nHost: h\r\n"
	for name, request := range map[string]string{
		"content length and chunked":        post + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", 5+len(inner), inner),
		"chunked and content length":        post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n33\r\n" + inner + "\r\n0\r\n\r\n",
		"two content lengths":               post + fmt.Sprintf("Content-Length: 0\r\nContent-Length: %d\r\n\r\n%s", len(inner), inner),
		"content lengths in one":            post + fmt.Sprintf("Content-Length: 0, %d\r\n\r\n%s", len(inner), inner),
		"content length with a sign":        post + fmt.Sprintf("Content-Length: +%d\r\n\r\n%s", len(inner), inner),
		"two encodings":                     post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inner,
		"another encoding":                  post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
		"encoding with a space":             post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + inner,
		"encoding in a folded line":         post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + inner,
		"a chunk that ends with a line end": post + "Transfer-Encoding: chunked\r\n\r\n1\n" + inner,
		"a chunk with a negative size":      post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n" + inner,
		"a chunk with a large size":         post + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + inner,
		"no host":                           "POST /v1/interactions HTTP/1.1\r\n\r\n" + inner,
		"two hosts":                         "POST /v1/interactions HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + inner,
		"a null in a header":                post + "X-A: a\x00b\r\n\r\n" + inner,
		"a return in a header":              post + "X-A: a\rb\r\n\r\n" + inner,
	} {
		t.Run(name, func(t *testing.T) {
			answers := s.answersTo(request)
			require.LessOrEqual(t, len(answers), 2)
			for i, status := range answers {
				assert.False(t, i > 0 && status == 200, "a request was read out of a body: %v", answers)
			}
		})
	}
	for _, entry := range s.logged() {
		require.NotEqual(t, "GET /v1/interactions/{id}", entry["route"])
	}
}

// Slow clients must not keep good ones waiting.
func TestIdleAndSlowClientsDoNotSlowOthers(t *testing.T) {
	s := start(t, faces(), gateway.Bounds{})
	for i := range 500 {
		text := ""
		switch i % 3 {
		case 1:
			text = "GET / HTTP/1.1\r\nHost: h\r\nX-Slow:"
		case 2:
			text = "POST /v1/interactions HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\nabc"
		}
		s.raw(text)
	}
	require.Eventually(t, func() bool { return s.Open() >= 500 }, time.Minute, time.Millisecond)
	began := time.Now()
	for range 100 {
		status, _, _ := s.get("/v1/interactions/c1")
		require.Equal(t, 200, status)
	}
	require.Less(t, time.Since(began), 20*time.Second)
}

func TestConnectionsAreBounded(t *testing.T) {
	s := start(t, faces(), gateway.Bounds{Connections: 3})
	for range 3 {
		s.raw("")
	}
	require.Eventually(t, func() bool { return s.Open() == 3 }, time.Minute, time.Millisecond)
	_, err := s.http.Get(s.url("/"))
	require.Error(t, err)
	require.Equal(t, int64(3), s.Open())
	require.NotEmpty(t, s.probe.Values("segue_gateway_connections_refused_total"))
	require.Contains(t, s.log.String(), "too many are open")
}

func TestRequestsInFlightFinishAndStreamsEnd(t *testing.T) {
	begun, release := make(chan struct{}, 2), make(chan struct{})
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		if r.URL.Path == "/stream" {
			<-stopping.Done(r.Context())
			fmt.Fprint(w, "bye")
			return
		}
		<-release
		fmt.Fprint(w, "finished")
	}), gateway.Bounds{})
	answers := make(chan string, 2)
	for _, path := range []string{"/stream", "/command"} {
		go func() {
			response, err := s.http.Get(s.url(path))
			if err != nil {
				answers <- err.Error()
				return
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			answers <- string(body)
		}()
		<-begun
	}
	s.Interrupt()
	require.Equal(t, "bye", <-answers, "a stream ends at once")
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, time.Minute, time.Millisecond, "nothing more is accepted")
	close(release)
	require.Equal(t, "finished", <-answers)
}

// A request that does not end must not keep the process from ending.
func TestTheStopIsBounded(t *testing.T) {
	begun := make(chan struct{})
	s := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	}), gateway.Bounds{Stop: 50 * time.Millisecond})
	failed := make(chan error, 1)
	go func() {
		response, err := s.http.Get(s.url("/"))
		if err == nil {
			_, err = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		failed <- err
	}()
	<-begun
	s.Interrupt()
	<-failed // answered or disconnected
}

func TestAContextWithoutAServerNeverStops(t *testing.T) {
	require.Nil(t, stopping.Done(context.Background()))
}

func contains(s *served, text string) bool { return strings.Contains(s.log.String(), text) }
