package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.temporal.io/sdk/converter"
)

// Options configure a connection to the bus.
type Options struct {
	// Server is the embedded server of this process; nil for one at URL.
	Server *Server
	// URL is one or several servers, separated by commas: nats://host:4222, tls://host:4222.
	URL string
	// User and Password, or Token, authenticate; empty for none.
	User, Password, Token string
	TLS                   *tls.Config
	// Creates is set by gateways: they create the stream and read it. A connection without it needs
	// the permissions of a worker alone.
	Creates bool
	// Name shows this process in the server's monitoring.
	Name string
	// MaxBytes bounds the stream; 0 is DefaultMaxBytes.
	MaxBytes int64
	// Codec encodes what is published; nil is Temporal's default data converter.
	Codec converter.DataConverter
	Log   *slog.Logger
}

// DefaultMaxBytes is the default bound of the stream. MaxAge is how long it keeps a notice.
const (
	DefaultMaxBytes = 256 << 20
	MaxAge          = 15 * time.Minute
)

const (
	connectTimeout = 2 * time.Second
	// writeTimeout bounds how long a peer that reads nothing can hold a write.
	writeTimeout = 5 * time.Second
	// Two pings without an answer end a connection, so that a silent peer is noticed in half a minute.
	pingInterval   = 10 * time.Second
	requestTimeout = 2 * time.Second
	closeTimeout   = 2 * time.Second
)

// ErrAway reports that the bus cannot be reached now.
var ErrAway = errors.New("the bus cannot be reached")

// Conn is a connection to the bus, which reconnects by itself. It is safe for concurrent use.
type Conn struct {
	options Options
	codec   converter.DataConverter
	log     *slog.Logger
	dialer  *dialer
	info    shared

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	current *session
	changed chan struct{}

	maxPayload atomic.Int64
}

// session is one period in which the bus is connected; ctx ends with it.
type session struct {
	nats *nats.Conn
	js   jetstream.JetStream
	// began is when the session began.
	began time.Time
	ctx   context.Context
	end   context.CancelFunc
}

// Connect returns a connection at once. It connects in the background, and again whenever the
// connection is lost. It fails only if the options are wrong.
func Connect(o Options) (*Conn, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	c := &Conn{options: o, codec: o.Codec, log: o.Log, changed: make(chan struct{})}
	if c.codec == nil {
		c.codec = converter.GetDefaultDataConverter()
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.dialer = newDialer(c.ctx)
	c.maxPayload.Store(defaultMaxPayload)
	c.start(c.connect)
	return c, nil
}

func check(o Options) error {
	if o.Server != nil {
		return nil
	}
	for text := range strings.SplitSeq(o.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		// The text of a URL may have a password, so that no error quotes it.
		if err != nil || u.Hostname() == "" || (u.Scheme != "nats" && u.Scheme != "tls") {
			return errors.New("bus.url: not nats://host:port or tls://host:port, or several of them, separated by commas")
		}
	}
	if o.Token != "" && o.User != "" {
		return errors.New("bus: both a user and a token; give one of them")
	}
	return nil
}

// connect makes the client and keeps it until Close. The library's first attempt waits for the
// server, which is why it has a goroutine of its own.
func (c *Conn) connect() {
	nc, err := nats.Connect(c.options.URL, c.natsOptions()...)
	if err != nil {
		if c.ctx.Err() == nil {
			c.log.Error("The bus cannot be used; live notices are off", "error", err)
		}
		return
	}
	<-c.ctx.Done()
	c.closeClient(nc)
}

// closeClient closes the client, and its sockets first if they hold it up.
func (c *Conn) closeClient(nc *nats.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc.Close()
	}()
	if c.Connected() {
		select {
		case <-done:
		case <-time.After(closeTimeout):
		}
	}
	c.dialer.closeAll()
	<-done
}

func (c *Conn) natsOptions() []nats.Option {
	o := []nats.Option{
		nats.Name(c.options.Name), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.CustomReconnectDelay(backoff), nats.Timeout(connectTimeout), nats.FlusherTimeout(writeTimeout),
		nats.PingInterval(pingInterval), nats.MaxPingsOutstanding(2),
		// The publisher keeps what cannot be sent; the client must not keep it a second time.
		nats.ReconnectBufSize(-1),
		nats.ConnectHandler(c.connected), nats.ReconnectHandler(c.connected), nats.DisconnectErrHandler(c.disconnected),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { c.log.Debug("The bus cannot be reached", "error", err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			c.log.Warn("The bus reported an error", "error", err)
		}),
	}
	if !c.options.Creates {
		o = append(o, nats.CustomInboxPrefix(ackPrefix))
	}
	if s := c.options.Server; s != nil {
		return append(o, nats.InProcessServer(s.nats), nats.UserInfo(s.user, s.password))
	}
	o = append(o, nats.SetCustomDialer(c.dialer), nats.SkipHostLookup())
	if c.options.TLS != nil {
		o = append(o, nats.Secure(c.options.TLS))
	}
	if c.options.User != "" {
		o = append(o, nats.UserInfo(c.options.User, c.options.Password))
	}
	if c.options.Token != "" {
		o = append(o, nats.Token(c.options.Token))
	}
	return o
}

func (c *Conn) connected(nc *nats.Conn) {
	js, err := jetstream.New(nc)
	if err != nil {
		c.log.Error("The bus cannot be used; live notices are off", "error", err)
		return
	}
	c.maxPayload.Store(max(nc.MaxPayload(), headerSize))
	s := &session{nats: nc, js: js, began: time.Now()}
	s.ctx, s.end = context.WithCancel(c.ctx)
	c.set(s)
	c.log.Info("The bus is connected", "address", nc.ConnectedAddr())
	if c.options.Creates {
		c.start(func() { c.keepStream(s) })
	}
}

func (c *Conn) disconnected(_ *nats.Conn, err error) {
	c.set(nil)
	if c.ctx.Err() == nil {
		c.log.Warn("The bus is disconnected; changes are shown late until it is back", "error", err)
	}
}

// set replaces the session and wakes all who wait for a change.
func (c *Conn) set(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil {
		c.current.end()
	}
	c.current = s
	close(c.changed)
	c.changed = make(chan struct{})
}

// session returns the current session, nil if there is none, and what is closed when that changes.
func (c *Conn) session() (*session, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current, c.changed
}

// await returns a session as soon as there is one.
func (c *Conn) await(ctx context.Context) (*session, error) {
	for {
		s, changed := c.session()
		if s != nil {
			return s, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.ctx.Done():
			return nil, fmt.Errorf("the connection is closed: %w", ErrAway)
		}
	}
}

// start runs a function that Close waits for.
func (c *Conn) start(run func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.running.Go(run)
	}
}

// Close closes the connection. It waits a few seconds at most.
func (c *Conn) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	if !c.Connected() {
		c.dialer.closeAll()
	}
	c.running.Wait()
	c.set(nil)
}

// Connected reports whether the bus can be reached now.
func (c *Conn) Connected() bool {
	s, _ := c.session()
	return s != nil
}
