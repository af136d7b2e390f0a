package cometd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"segue/gateway/cometd"
)

// TestMain ignores connections of net/http that wait half a second after a body that they did not read.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// world is a server on connections in memory, so that tests can run in a bubble of synctest.
type world struct {
	t      *testing.T
	server *cometd.Server
	http   *http.Server
	client *http.Client
	dial   func() (net.Conn, error)

	mutex    sync.Mutex
	sessions []*cometd.Session
	closed   map[*cometd.Session]cometd.End
}

// newWorld starts a server, which grants all but /denied; change may change its options.
func newWorld(t *testing.T, change ...func(w *world, o *cometd.Options)) *world {
	t.Helper()
	w := &world{t: t, closed: map[*cometd.Session]cometd.End{}}
	o := cometd.Options{
		Identify: func(r *http.Request) string { return r.Header.Get("X-Key") },
		Open: func(h *cometd.Handshake) (*cometd.Peer, error) {
			return &cometd.Peer{Key: h.Request.Header.Get("X-Key"), Context: context.Background()}, nil
		},
		Grants: func(_ *cometd.Session, subscription string) bool { return subscription != "/denied" },
		Closed: w.noteClosed,
	}
	for _, c := range change {
		c(w, &o)
	}
	subscribed := o.Subscribed
	o.Subscribed = func(s *cometd.Session, subscriptions []string) {
		w.mutex.Lock()
		w.sessions = append(w.sessions, s)
		w.mutex.Unlock()
		if subscribed != nil {
			subscribed(s, subscriptions)
		}
	}
	w.server = cometd.New(o)
	listener := newPipes()
	w.dial = listener.dial
	w.http = &http.Server{Handler: w.server, ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() { defer close(served); _ = w.http.Serve(listener) }()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return listener.dial() }}
	w.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		w.server.Close()
		transport.CloseIdleConnections()
		if err := w.http.Close(); err != nil {
			t.Error(err)
		}
		<-served
	})
	return w
}

func (w *world) noteClosed(s *cometd.Session, why cometd.End) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if before, ok := w.closed[s]; ok {
		w.t.Errorf("a session ended twice: %s, %s", before, why)
	}
	w.closed[s] = why
}

func (w *world) ends() map[cometd.End]int {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	ends := map[cometd.End]int{}
	for _, why := range w.closed {
		ends[why]++
	}
	return ends
}

// session returns the session that subscribed last.
func (w *world) session() *cometd.Session {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.sessions[len(w.sessions)-1]
}

// object is a message as a client reads it.
type object = map[string]any

// answer is what a POST got.
type answer struct {
	status   int
	messages []object
	body     string
	header   http.Header
	err      error
}

// start posts a body and returns where its answer comes.
func (w *world) start(ctx context.Context, body string, header ...string) <-chan answer {
	answers := make(chan answer, 1)
	go func() { answers <- w.do(ctx, body, header...) }()
	return answers
}

func (w *world) do(ctx context.Context, body string, header ...string) (a answer) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://cometd.test/cometd", bytes.NewReader([]byte(body)))
	if err != nil {
		return answer{err: err}
	}
	r.Header.Set("Content-Type", "application/json;charset=UTF-8")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := w.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	a = answer{status: response.StatusCode, body: string(text), header: response.Header, err: err}
	if response.StatusCode == http.StatusOK && err == nil {
		a.err = json.Unmarshal(text, &a.messages)
	}
	return a
}

// post posts a body, which must be answered with 200.
func (w *world) post(body string, header ...string) []object {
	w.t.Helper()
	a := w.do(w.t.Context(), body, header...)
	if a.err != nil || a.status != http.StatusOK {
		w.t.Fatalf("post %s: %d %s, %v", body, a.status, a.body, a.err)
	}
	return a.messages
}

// handshake opens a session and returns its clientId.
func (w *world) handshake(ext string, header ...string) string {
	w.t.Helper()
	replies := w.post(handshakeText(ext), header...)
	if len(replies) != 1 || replies[0]["successful"] != true {
		w.t.Fatalf("handshake: %v", replies)
	}
	return replies[0]["clientId"].(string)
}

func handshakeText(ext string) string {
	if ext == "" {
		ext = "{}"
	}
	return `[{"id":"1","channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling","websocket"],"ext":` + ext + `}]`
}

// open opens a session with subscriptions, whose first connect is over.
func (w *world) open(ext string, subscriptions ...string) string {
	w.t.Helper()
	id := w.handshake(ext)
	if len(subscriptions) > 0 {
		list, err := json.Marshal(subscriptions)
		if err != nil {
			w.t.Fatal(err)
		}
		if replies := w.post(subscribeText(id, string(list))); replies[0]["successful"] != true {
			w.t.Fatalf("subscribe: %v", replies)
		}
	}
	if replies := w.post(connectText(id, `,"advice":{"timeout":0}`)); len(replies) != 1 || replies[0]["successful"] != true {
		w.t.Fatalf("first connect: %v", replies)
	}
	return id
}

func subscribeText(id, subscription string) string {
	return fmt.Sprintf(`[{"id":"s","channel":"/meta/subscribe","clientId":%q,"subscription":%s}]`, id, subscription)
}

func connectText(id, more string) string {
	return fmt.Sprintf(`[{"id":"c","channel":"/meta/connect","clientId":%q,"connectionType":"long-polling"%s}]`, id, more)
}

// pipes is a listener of connections in memory.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial() (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
