package hostiletest

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Server is a hostile receiver on this machine. It ends with the test.
type Server struct {
	// URL is the address at which it listens.
	URL string

	connections, requests, bytes atomic.Int64

	listener net.Listener
	serving  sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

// Connections returns how many connections it has accepted.
func (s *Server) Connections() int { return int(s.connections.Load()) }

// Open returns how many of them are open.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Requests returns how many requests it has read completely, body included.
func (s *Server) Requests() int { return int(s.requests.Load()) }

// Bytes returns how many bytes it has read, except those of TLS handshakes, which contain
// nothing of a request.
func (s *Server) Bytes() int { return int(s.bytes.Load()) }

// Behaviour is what a server does with one connection. It returns when the connection is to be
// closed, or when writing to it fails.
type Behaviour func(c *Conn)

// Conn is one accepted connection.
type Conn struct {
	net.Conn
	tcp    *net.TCPConn
	server *Server
	reader *bufio.Reader
}

// Serve starts a server over plain HTTP.
func Serve(t testing.TB, b Behaviour) *Server { return serve(t, listen(t), b, nil) }

// ServeOn starts a server over plain HTTP on a listener, which it closes.
func ServeOn(t testing.TB, l net.Listener, b Behaviour) *Server { return serve(t, l, b, nil) }

// ServeTLS starts a server with the certificate.
func ServeTLS(t testing.TB, c tls.Certificate, b Behaviour) *Server {
	return serve(t, listen(t), b, &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12})
}

// ServeOldTLS starts a server that supports only TLS 1.0 and 1.1.
func ServeOldTLS(t testing.TB, c tls.Certificate, b Behaviour) *Server {
	return serve(t, listen(t), b, &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
}

func serve(t testing.TB, listener net.Listener, b Behaviour, config *tls.Config) *Server {
	t.Helper()
	s := &Server{listener: listener, open: map[net.Conn]bool{}}
	s.URL = "http://" + s.listener.Addr().String()
	if config != nil {
		s.URL = "https://" + s.listener.Addr().String()
	}
	s.serving.Go(func() {
		for {
			accepted, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			if s.track(accepted) {
				s.serving.Go(func() { s.handle(accepted, b, config) })
			}
		}
	})
	t.Cleanup(s.close)
	return s
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening on a free port of 127.0.0.1: %v", err)
	}
	return listener
}

func (s *Server) handle(accepted net.Conn, b Behaviour, config *tls.Config) {
	defer s.drop(accepted)
	c := &Conn{Conn: accepted, tcp: accepted.(*net.TCPConn), server: s}
	if config != nil {
		secured := tls.Server(accepted, config)
		if secured.Handshake() != nil {
			return
		}
		c.Conn = secured
	}
	c.reader = bufio.NewReader(counted{c.Conn, &s.bytes})
	b(c)
}

// counted counts what is read.
type counted struct {
	io.Reader
	bytes *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

func (s *Server) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return false
	}
	s.open[c] = true
	return true
}

func (s *Server) drop(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *Server) close() {
	s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		c.Close() // ends its reads and writes
	}
	s.mu.Unlock()
	s.serving.Wait()
}

// Request reads one request to its end and reports whether there was one.
func (c *Conn) Request() bool {
	req, err := http.ReadRequest(c.reader)
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return false
	}
	c.server.requests.Add(1)
	return true
}

// Say writes a text and reports whether it could.
func (c *Conn) Say(text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

// End closes the connection for writing, and returns when the other side has closed it, too,
// after it has seen the end.
func (c *Conn) End() {
	_ = c.tcp.CloseWrite() // it may be closed already
	c.Hang()
}

// Hang waits until the other side closes the connection.
func (c *Conn) Hang() { _, _ = io.Copy(io.Discard, c.reader) }

// Drip writes a text byte by byte; if it repeats, forever from the beginning again.
func (c *Conn) Drip(text string, pause time.Duration, repeats bool) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for again := true; again; again = repeats {
		for i := range len(text) {
			<-ticker.C
			if !c.Say(text[i : i+1]) {
				return
			}
		}
	}
}

// Reset breaks the connection with a TCP reset.
func (c *Conn) Reset() {
	_ = c.tcp.SetLinger(0)
	c.tcp.Close()
}
