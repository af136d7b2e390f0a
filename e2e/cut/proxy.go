package cut

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Proxy is a TCP proxy before a server. Its methods may be called at any time.
type Proxy struct {
	listener net.Listener
	running  sync.WaitGroup

	mu sync.Mutex
	// target is the address of the server of new connections.
	target string
	links  map[*link]bool
	away   bool
	// flowing is closed unless the proxy is stalled.
	flowing chan struct{}
	limit   func() int
	delay   time.Duration
}

// Before starts a proxy before a server, which runs until the test ends. The target is the server's address, or a URL
// that has it.
func Before(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, links: map[*link]bool{}, flowing: make(chan struct{})}
	p.Lead(target)
	close(p.flowing)
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close() // its error ends accept
		p.Away()
		p.running.Wait()
	})
	return p
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// URL is Address for a client of HTTP.
func (p *Proxy) URL() string { return "http://" + p.Address() }

// Lead has new connections go to another server.
func (p *Proxy) Lead(target string) {
	if _, address, isURL := strings.Cut(target, "://"); isURL {
		target, _, _ = strings.Cut(address, "/")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *Proxy) server() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

// Cut breaks all connections. New ones go through.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Away breaks all connections, and new ones as soon as they are made, until Back.
func (p *Proxy) Away() {
	p.setAway(true)
	p.Cut()
}

// Back lets new connections through.
func (p *Proxy) Back() { p.setAway(false) }

func (p *Proxy) setAway(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
}

// CutAfter makes each new connection break after so many bytes of what the server sends as limit returns for it, which is called
// by one goroutine at a time. A negative number is no limit, and so is nil.
func (p *Proxy) CutAfter(limit func() int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = limit
}

// Delay makes what the server sends over new connections arrive later by so much.
func (p *Proxy) Delay(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

// Stall lets nothing pass in either direction until Resume. Connections stay open, and new ones are accepted.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flowing:
		p.flowing = make(chan struct{})
	default: // it is stalled
	}
}

// Resume ends a Stall: what was under way arrives.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flowing:
	default:
		close(p.flowing)
	}
}

// open returns a channel that is closed when the proxy lets something pass.
func (p *Proxy) open() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flowing
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve connects a client with the server until either ends or the link is cut.
func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.server())
	if err != nil {
		_ = client.Close() // as of a server that does not run
		return
	}
	l := &link{proxy: p, client: client, server: server, broken: make(chan struct{})}
	defer l.cut()
	limit, delay, isAdded := p.add(l)
	if !isAdded {
		return
	}
	defer p.remove(l)
	var both sync.WaitGroup
	both.Go(func() { l.pass(server, client, limit, delay) })
	both.Go(func() { l.pass(client, server, -1, 0) })
	both.Wait()
}

// add keeps a link, unless the proxy is away, and returns what will happen to what the server sends.
func (p *Proxy) add(l *link) (limit int, delay time.Duration, isAdded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return 0, 0, false
	}
	p.links[l] = true
	if p.limit == nil {
		return -1, p.delay, true
	}
	return p.limit(), p.delay, true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}
