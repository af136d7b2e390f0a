package cometd

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
)

// Server serves Bayeux. It is safe for concurrent use.
type Server struct {
	options Options
	// queued is the size of what waits for all sessions.
	queued atomic.Int64
	// delivered is how many messages were queued, ever.
	delivered atomic.Int64
	// closing is closed by Close.
	closing chan struct{}

	mutex    sync.Mutex
	sessions map[string]*Session
	isClosed bool
	// running counts what Close waits for; idle is signaled when it becomes 0.
	running int
	idle    *sync.Cond
}

// New returns a server.
func New(o Options) *Server {
	s := &Server{options: o.withDefaults(), closing: make(chan struct{}), sessions: map[string]*Session{}}
	s.idle = sync.NewCond(&s.mutex)
	return s
}

// ServeHTTP answers a POST with messages, and opens a WebSocket.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		s.options.Refuse(w, r, http.StatusServiceUnavailable, "The server stops.")
		return
	}
	defer s.done()
	switch {
	case isUpgrade(r):
		s.serveSocket(w, r)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		s.options.Refuse(w, r, http.StatusMethodNotAllowed, "Bayeux messages come by POST or by WebSocket.")
	default:
		s.servePost(w, r)
	}
}

// Sessions returns how many sessions there are.
func (s *Server) Sessions() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.sessions)
}

// Delivered returns how many messages were queued for sessions since the server began.
func (s *Server) Delivered() int64 { return s.delivered.Load() }

// Close ends all sessions and waits for what they started.
func (s *Server) Close() {
	s.mutex.Lock()
	isFirst := !s.isClosed
	s.isClosed = true
	s.mutex.Unlock()
	for _, session := range s.all() {
		session.end(EndClosed)
	}
	if isFirst {
		close(s.closing) // WebSockets end after what their sessions still get
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for s.running > 0 {
		s.idle.Wait()
	}
}

// begin counts something that Close waits for; it reports false if the server is closed.
func (s *Server) begin() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.isClosed {
		return false
	}
	s.running++
	return true
}

func (s *Server) done() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.running--; s.running == 0 {
		s.idle.Broadcast()
	}
}

// background runs what must not hold up its caller, also while the server closes.
func (s *Server) background(run func()) {
	s.mutex.Lock()
	s.running++
	s.mutex.Unlock()
	go func() {
		defer s.done()
		run()
	}()
}

// unlessClosed returns what a timer runs: nothing if the server is closed, else something that Close
// waits for.
func (s *Server) unlessClosed(run func()) func() {
	return func() {
		if s.begin() {
			defer s.done()
			run()
		}
	}
}

// session returns the session of an id, if a request with that key may use it.
func (s *Server) session(id, key string) *Session {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	session := s.sessions[id]
	if session == nil || session.peer.Key != "" && session.peer.Key != key {
		return nil
	}
	return session
}

// add adds a session. It reports false if there are too many, or the server is closed.
func (s *Server) add(session *Session) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.isClosed || len(s.sessions) >= s.options.MaxSessions {
		return false
	}
	s.sessions[session.id] = session
	return true
}

func (s *Server) forget(session *Session) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.sessions, session.id)
}

func (s *Server) all() []*Session {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	all := make([]*Session, 0, len(s.sessions))
	for _, session := range s.sessions {
		all = append(all, session)
	}
	return all
}

// endLargest ends the session for which most waits, because too much waits for all of them.
func (s *Server) endLargest() {
	var largest *Session
	most := 0
	for _, session := range s.all() {
		session.mutex.Lock()
		if session.queue.bytes > most {
			largest, most = session, session.queue.bytes
		}
		session.mutex.Unlock()
	}
	if largest == nil || s.queued.Load() <= maxAllBytes {
		return
	}
	largest.mutex.Lock()
	ended := largest.endLocked(EndOverrun)
	largest.mutex.Unlock()
	if ended {
		s.background(largest.finish)
	}
}

// stopping returns a channel that is closed when the process is about to stop.
func (s *Server) stopping(ctx context.Context) <-chan struct{} {
	if s.options.Stopping == nil {
		return nil
	}
	return s.options.Stopping(ctx)
}
