package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// BodyLimit is the size of a body in bytes. A request with a larger one is answered with 413.
	BodyLimit = 1 << 20
	// headerWithin bounds the time that a sender may take for its headers.
	headerWithin = 10 * time.Second
	// stopWithin bounds the wait for the requests in flight when the receiver stops.
	stopWithin = 2 * time.Second
)

// Answer is what a receiver answers to every request.
type Answer struct {
	// Status is the HTTP status, 200 to 599.
	Status int
	// Delay is the time before the answer. A sender that gives up earlier gets none.
	Delay time.Duration
	// Body is the body of the answer, as JSON if it begins with { or [.
	Body string
}

// Receiver is an HTTP server on the loopback interface.
type Receiver struct {
	// URL is the address without a path.
	URL    string
	server *http.Server
	ended  chan error
}

// Start listens on a port of 127.0.0.1, 0 for a free one, and has show show each request, one at a time and before its
// answer. The error is that of the listener.
func Start(port int, answer Answer, show func(Request)) (*Receiver, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(port)))
	if err != nil {
		return nil, err
	}
	r := &Receiver{
		URL:    "http://" + listener.Addr().String(),
		server: &http.Server{Handler: handler(answer, show), ReadHeaderTimeout: headerWithin},
		ended:  make(chan error, 1),
	}
	go func() { r.ended <- r.server.Serve(listener) }()
	return r, nil
}

// Wait returns nil when the context ends, and an error if the server ends by itself.
func (r *Receiver) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-r.ended:
		return err
	}
}

// Stop stops the receiver after the requests in flight, or after 2 s without their answers.
func (r *Receiver) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err := r.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return r.server.Close() // a delayed answer is not worth more
}

func handler(answer Answer, show func(Request)) http.Handler {
	log := newLog(show)
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, BodyLimit))
		var large *http.MaxBytesError
		if err != nil && !errors.As(err, &large) {
			return // the sender has gone: the request is incomplete
		}
		status := answer.Status
		if large != nil {
			status = http.StatusRequestEntityTooLarge
		}
		log.add(request, body, status)
		if !pause(request.Context(), answer.Delay) {
			return
		}
		w.Header().Set("Content-Type", contentType(answer.Body))
		w.WriteHeader(status)
		io.WriteString(w, answer.Body) //nolint:errcheck // the sender may have gone
	})
}

// pause waits, and reports whether the sender is still there.
func pause(ctx context.Context, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func contentType(body string) string {
	if body != "" && (body[0] == '{' || body[0] == '[') {
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}
