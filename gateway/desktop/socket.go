package desktop

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"segue/gateway/auth"
	"segue/gateway/limits"
	"segue/gateway/problem"
)

const (
	// MaxFrame bounds a request, in bytes. What is longer is read and refused, up to maxRead.
	MaxFrame = 64 << 10
	maxRead  = 1 << 20
	// maxQueued and maxQueuedBytes bound what waits for a client. Beyond them the session ends, and the
	// client gets all objects again with its next one.
	maxQueued      = 2000
	maxQueuedBytes = 8 << 20
	pongWithin     = 15 * time.Second // a request may take longer than a client's pong
	closeWithin    = 5 * time.Second
	// strangersRate is how many requests a second an address may send before it has a session. All clients
	// behind a proxy have its address.
	strangersRate = 200
	// controlsASecond and controlsAtOnce bound the pings and pongs of a client.
	controlsASecond = 10
	controlsAtOnce  = 50
)

// The codes with which a WebSocket is closed, besides those of the protocol.
const (
	closeReplaced websocket.StatusCode = 4001
	closeBehind   websocket.StatusCode = 4002
)

func isUpgrade(r *http.Request) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && hasToken(r.Header, "Upgrade", "websocket") &&
		hasToken(r.Header, "Connection", "upgrade") && r.Header.Get("Sec-WebSocket-Version") == "13" && err == nil && len(key) == 16
}

// hasToken reports whether a header has a word in its list.
func hasToken(header http.Header, name, word string) bool {
	for _, value := range header.Values(name) {
		for token := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(token), word) {
				return true
			}
		}
	}
	return false
}

// socket is a WebSocket. One goroutine reads requests and has them answered, one writes.
type socket struct {
	server  *Server
	conn    *websocket.Conn
	request *http.Request
	// session is the reader's own; nil while there is none.
	session *session
	// changed has room for one: the writer looks at all there is to write.
	changed chan struct{}
	// giveUp ends the reader.
	giveUp context.CancelFunc
	// controls bounds pings and pongs.
	controls *rate.Limiter
	// owed counts the pongs that the client owes: they are not the client's own.
	owed atomic.Int64
	// isConfirming is set while a ping finds out which answers have reached the client.
	isConfirming atomic.Bool

	mu sync.Mutex
	// queue is what is to be written. While a request is answered, events wait in held: the answer goes
	// out before the events that it causes.
	queue, held [][]byte
	isAnswering bool
	// answers counts the answers so far.
	answers int
	bytes   int
	// extra is how many frames wait beyond the bounds, and extraBytes their size: those of a replay.
	extra, extraBytes int
	// over is set once the WebSocket is to be closed.
	over *closing
	// watched and repeats are those of the session, for the writer; nil while there is none. sessionless is since when.
	watched     context.Context
	repeats     *repeats
	sessionless time.Time
}

// closing is how a WebSocket is closed.
type closing struct {
	code   websocket.StatusCode
	reason string
}

// serve opens a WebSocket and serves it until it ends.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		problem.Write(w, problem.New(problem.Unavailable, "The server stops."))
		return
	}
	defer s.sockets.Done()
	// A session needs a password or a token, which no browser sends by itself: any page may connect.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := &socket{server: s, request: r, changed: make(chan struct{}, 1), giveUp: cancel, sessionless: time.Now(),
		controls: rate.NewLimiter(controlsASecond, controlsAtOnce)}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
		OnPingReceived: func(context.Context, []byte) bool { return c.mayControl() },
		OnPongReceived: func(context.Context, []byte) { c.ponged() }})
	if err != nil {
		return // Accept has answered
	}
	c.conn = conn
	conn.SetReadLimit(maxRead)
	var writer sync.WaitGroup
	writer.Go(func() { c.write(ctx) })
	c.read(ctx)
	cancel()
	writer.Wait()
	c.leave(false)
	_ = conn.CloseNow() // it is closed already, or nobody reads any more
}

// mayControl counts the pings and pongs of a client, which cost as much as requests. It ends the WebSocket of
// one that sends too many.
func (c *socket) mayControl() bool {
	if c.controls.Allow() {
		return true
	}
	c.giveUp()
	return false
}

// ponged counts a pong, unless the client owes it.
func (c *socket) ponged() {
	if c.owed.Add(-1) < 0 {
		c.owed.Add(1)
		_ = c.mayControl()
	}
}

// enter counts a WebSocket. It reports false if the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		return false
	default:
		s.sockets.Add(1)
		return true
	}
}

// read answers requests until the WebSocket ends.
func (c *socket) read(ctx context.Context) {
	for {
		frame, err := c.next(ctx)
		switch {
		case errors.Is(err, errLarge):
			c.put(coreError(problem.New(problem.TooLarge, "The frame has more than 65536 bytes, which is the limit.")))
		case errors.Is(err, errBinary):
			c.put(coreError(problem.New(problem.Malformed, "The frame is binary; send JSON as text.")))
		case err != nil:
			c.refuse(err)
			return
		default:
			c.serveFrame(ctx, frame)
		}
		if c.waitForRoom(ctx) != nil {
			return
		}
	}
}

// refuse closes a WebSocket whose client does not keep to the protocol, with the code for that: the library
// closes it for some of the reasons alone, and not for a frame without a mask. One that is over already stays so.
func (c *socket) refuse(err error) {
	var network net.Error
	isOver := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &network) ||
		errors.Is(err, context.Canceled) || websocket.CloseStatus(err) != -1
	if !isOver {
		c.stop(websocket.StatusProtocolError, "the frame breaks the protocol")
	}
}

var (
	errLarge  = errors.New("the frame is too large")
	errBinary = errors.New("the frame is binary")
)

// next reads the next frame. The rest of one that is too large is thrown away.
func (c *socket) next(ctx context.Context) ([]byte, error) {
	kind, reader, err := c.conn.Reader(ctx)
	if err != nil {
		return nil, err
	}
	frame, err := io.ReadAll(io.LimitReader(reader, MaxFrame+1))
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, reader); err != nil {
		return nil, err
	}
	switch {
	case kind != websocket.MessageText:
		return nil, errBinary
	case len(frame) > MaxFrame:
		return nil, errLarge
	}
	return frame, nil
}

// serveFrame answers one frame.
func (c *socket) serveFrame(ctx context.Context, frame []byte) {
	c.mu.Lock()
	c.isAnswering = true
	c.mu.Unlock()
	held, refused := c.server.options.Enter(ctx, c.caller())
	q, err := parse(frame)
	switch {
	case err != nil:
		c.answer(coreError(problem.Of(err)))
	case refused != nil:
		c.answer(q.failed(refused))
	default:
		q.socket, q.session = c, c.session
		c.answer(c.server.handle(ctx, q))
	}
	if refused == nil {
		limits.Hold(held)
	}
}

// caller is who sends frames: before there is a session, the address.
func (c *socket) caller() *auth.Caller {
	if c.session != nil {
		return c.session.caller
	}
	return &auth.Caller{Name: "address:" + auth.RemoteOf(c.request).String(), Rate: strangersRate}
}

// join makes a session the socket's, and leave ends it. Both are the reader's.
func (c *socket) join(n *session) {
	c.session = n
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watched, c.repeats = n.watched, n.repeats
	c.signal()
}

func (c *socket) leave(forget bool) {
	n := c.session
	if n == nil {
		return
	}
	c.session = nil
	c.server.detach(n, forget)
	c.mu.Lock()
	c.watched, c.repeats, c.sessionless = nil, nil, time.Now()
	if forget { // the answer to a logout is the last that the session gets
		for _, frame := range c.held {
			c.bytes -= len(frame)
		}
		c.held = nil
	}
	c.mu.Unlock()
	n.release()
}
