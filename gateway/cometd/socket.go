package cometd

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// socket is a WebSocket. One goroutine reads and answers frames, one writes what is not an answer to a
// frame: the replies to connects that were held, with their messages.
type socket struct {
	server  *Server
	conn    *websocket.Conn
	request *http.Request
	key     string
	browser string
	// wake has room for one: the writer looks at all there is to write.
	wake chan struct{}
	// ended is closed when the reader has ended.
	ended chan struct{}
	// controls bounds pings and pongs.
	controls *rate.Limiter
	// giveUp ends the reader.
	giveUp context.CancelFunc

	mutex    sync.Mutex
	sessions map[*Session]struct{}
	peer     *Peer
	isIdle   bool // it had no session at the last ping
	due      []due
	isClosed bool
	unused   *time.Timer // ends a WebSocket that has no session any more
}

// due is a connect whose reply is to be written.
type due struct {
	held *held
	why  over
}

func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && hasToken(r.Header, "Upgrade", "websocket") && hasToken(r.Header, "Connection", "upgrade")
}

// hasToken reports whether a header has a word in its list.
func hasToken(header http.Header, name, word string) bool {
	for _, value := range header.Values(name) {
		for token := range strings.SplitSeq(value, ",") {
			if equalFold(strings.TrimSpace(token), word) {
				return true
			}
		}
	}
	return false
}

// equalFold compares ASCII texts without regard to case. The Kelvin sign is no k here.
func equalFold(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// isKey reports whether a client sent what the protocol asks of it: 16 bytes in base64.
func isKey(r *http.Request) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	return err == nil && len(key) == 16
}

// serveSocket opens a WebSocket and serves it until it ends. The sessions live on.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		w.Header().Set("Sec-WebSocket-Version", "13")
		s.options.Refuse(w, r, http.StatusUpgradeRequired, "The server has version 13 of the WebSocket protocol.")
		return
	case !isKey(r):
		s.options.Refuse(w, r, http.StatusBadRequest, "Sec-WebSocket-Key is missing or malformed.")
		return
	}
	c := &socket{server: s, request: r, key: s.options.Identify(r), browser: browserOf(r), sessions: map[*Session]struct{}{},
		wake: make(chan struct{}, 1), ended: make(chan struct{}), controls: rate.NewLimiter(controlsASecond, controlsAtOnce)}
	if c.browser == "" {
		c.browser = rand.Text()
		http.SetCookie(w, s.options.Cookie(r, browserCookie, c.browser))
	}
	// Whoever called us has checked the Origin, by rules that this package does not know. Compression
	// would need memory for each connection.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
		OnPingReceived: func(context.Context, []byte) bool { return c.mayControl() },
		OnPongReceived: func(context.Context, []byte) { _ = c.mayControl() }})
	if err != nil {
		return // Accept has answered
	}
	conn.SetReadLimit(maxBody)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c.conn, c.giveUp = conn, cancel
	var writer sync.WaitGroup
	writer.Go(c.write)
	c.read(ctx)
	close(c.ended)
	writer.Wait()
	c.close()
}

// mayControl counts the pings and pongs of a client, which no application sees. It ends the WebSocket of one
// that sends too many: to answer them would cost as much as to answer messages.
func (c *socket) mayControl() bool {
	if c.controls.Allow() {
		return true
	}
	c.giveUp()
	return false
}

// close takes the connects that are held away from a WebSocket that has ended.
func (c *socket) close() {
	c.mutex.Lock()
	c.isClosed = true
	sessions := c.sessions
	c.sessions, c.due = nil, nil
	if c.unused != nil {
		c.unused.Stop()
	}
	c.mutex.Unlock()
	for s := range sessions {
		s.abandon(c)
	}
	_ = c.conn.CloseNow() // it is closed already, or nobody reads any more
}

// read answers frames until the WebSocket ends.
func (c *socket) read(ctx context.Context) {
	for {
		kind, frame, err := c.conn.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageText {
			c.reject(ctx, websocket.StatusUnsupportedData, "Bayeux messages are text")
			return
		}
		messages, err := parse(frame)
		if err != nil {
			c.reject(ctx, websocket.StatusPolicyViolation, "the frame is no Bayeux")
			return
		}
		if c.answer(ctx, messages) != nil {
			return
		}
	}
}

// reject ends the WebSocket from the side of its reader, which reads on until the client agrees.
func (c *socket) reject(ctx context.Context, code websocket.StatusCode, reason string) {
	var stopped sync.WaitGroup
	defer stopped.Wait()
	stopped.Go(func() { c.stop(code, reason) })
	for {
		if _, _, err := c.conn.Read(ctx); err != nil {
			return
		}
	}
}

// answer answers a frame. An error ends the WebSocket.
func (c *socket) answer(ctx context.Context, messages []incoming) error {
	leave, err := c.enter()
	if err != nil {
		if err := c.send(c.refuse(messages, err)); err != nil {
			return err
		}
		return c.rest(ctx)
	}
	defer leave()
	x := &exchange{server: c.server, request: c.request, key: c.key, browser: c.browser, socket: c}
	defer x.end()
	x.run(messages)
	c.expectSession()
	if x.held != nil {
		return nil
	}
	return c.sendFrame(encode(x.replies, x.carriers()))
}

// rest lets the frames of a client that sends too many wait in the network: reading them costs the most.
func (c *socket) rest(ctx context.Context) error {
	timer := time.NewTimer(busyPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter counts a frame as a request of the peer whose session came last, or else of whoever opened the
// WebSocket.
func (c *socket) enter() (leave func(), err error) {
	c.mutex.Lock()
	peer := c.peer
	c.mutex.Unlock()
	if peer == nil {
		return c.server.options.Meet(c.request)
	}
	if leave, err = c.server.options.Enter(peer); err == nil && leave == nil {
		leave = func() {}
	}
	return leave, err
}

// refuse answers each message of a frame that is one too many.
func (c *socket) refuse(messages []incoming, err error) []byte {
	replies := make([]*reply, len(messages))
	for i := range messages {
		replies[i] = replyTo(&messages[i]).fail(err.Error())
		switch messages[i].channel {
		case metaHandshake:
			replies[i].advise(adviceHandshake, busyInterval)
		case metaConnect:
			replies[i].advise(adviceRetry, busyInterval)
		}
	}
	return encode(replies, nil).text
}

// use notes that a session is used here. From the first one on, the WebSocket is no request in progress.
func (c *socket) use(s *Session) {
	c.mutex.Lock()
	c.peer = s.peer
	_, isKnown := c.sessions[s]
	if isKnown || c.isClosed {
		c.mutex.Unlock()
		return
	}
	c.sessions[s] = struct{}{}
	c.mutex.Unlock()
	c.server.options.Held(c.request.Context())
	if oldest := s.join(c); oldest != nil {
		oldest.giveUp()
	}
}

// expectSession ends a WebSocket that had a session and has none, unless there is one soon: nothing
// else counts it.
func (c *socket) expectSession() {
	if c.hasSessions() || !c.hadSession() {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.unused != nil {
		c.unused.Stop()
	}
	c.unused = time.AfterFunc(unusedWithin, func() {
		if !c.hasSessions() {
			c.giveUp()
		}
	})
}

func (c *socket) hadSession() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.peer != nil
}

// settle has the reply to a connect written that is no longer held.
func (c *socket) settle(h *held, why over) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.isClosed {
		return
	}
	if c.due = append(c.due, due{held: h, why: why}); len(c.due) > maxDue {
		c.giveUp() // the client sends, but reads nothing
	}
	c.signal()
}

func (c *socket) signal() {
	select {
	case c.wake <- struct{}{}:
	default: // the writer is about to look
	}
}

// write writes what is not an answer to a frame, until the WebSocket ends.
func (c *socket) write() {
	ping := time.NewTicker(c.server.options.Ping)
	defer ping.Stop()
	stopping := c.server.stopping(c.request.Context())
	var pings sync.WaitGroup
	defer pings.Wait()
	for {
		select {
		case <-c.wake:
			if c.flush() != nil {
				c.giveUp()
				return
			}
		case <-ping.C:
			if c.isUnused() {
				c.stop(websocket.StatusPolicyViolation, "no session")
				return
			}
			pings.Go(c.ping)
		case <-stopping:
			c.leave()
			return
		case <-c.server.closing:
			c.leave()
			return
		case <-c.ended:
			return
		}
	}
}

// leave ends the WebSocket because the process stops.
func (c *socket) leave() {
	if c.flush() == nil {
		c.stop(websocket.StatusGoingAway, "the server stops")
	}
	c.giveUp()
}

// flush writes all that waits, and returns an error if the WebSocket is to end.
func (c *socket) flush() error {
	c.mutex.Lock()
	settled := c.due
	c.due = nil
	c.mutex.Unlock()
	for _, d := range settled {
		if err := c.sendFrame(encode([]*reply{d.held.reply(d.why)}, nil)); err != nil {
			return err
		}
		if d.why == overEnded && d.held.session.why == EndCredential && !c.hasSessions() {
			c.stop(websocket.StatusPolicyViolation, "the credential has ended")
			return errUnused
		}
	}
	return nil
}

var errUnused = errors.New("nobody may use the WebSocket any more")

// sendFrame writes a frame, and tells its sessions.
func (c *socket) sendFrame(f *frame) error {
	err := c.send(f.text)
	f.done(err)
	return err
}

// send writes a frame, within a bound.
func (c *socket) send(frame []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.request.Context()), writeWithin)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, frame)
}

// ping ends the WebSocket if the client does not answer.
func (c *socket) ping() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.request.Context()), pongWithin)
	defer cancel()
	if c.conn.Ping(ctx) != nil {
		c.giveUp()
	}
}

// hasSessions reports whether any session of the WebSocket lives.
func (c *socket) hasSessions() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for s := range c.sessions {
		if s.hasEnded() {
			delete(c.sessions, s)
		}
	}
	return len(c.sessions) > 0
}

// isUnused reports whether the WebSocket had no session at two pings in a row.
func (c *socket) isUnused() bool {
	isIdle := !c.hasSessions()
	wasIdle := c.isIdle
	c.isIdle = isIdle
	return wasIdle && isIdle
}

// stop ends the WebSocket with a code. The client has a bounded time to agree.
func (c *socket) stop(code websocket.StatusCode, reason string) {
	timer := time.AfterFunc(closeWithin, c.giveUp)
	defer timer.Stop()
	_ = c.conn.Close(code, reason) // whether the client agrees does not matter
}
