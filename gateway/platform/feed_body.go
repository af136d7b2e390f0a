package platform

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"segue/gateway/problem"
)

// pauseWithin is how long the next part of a feed may take to arrive.
const pauseWithin = 30 * time.Second

// lateBody is a body with a deadline for each part, instead of one for all of it. There is none while
// nobody reads: the feed waits for interactions then.
type lateBody struct {
	body    io.Reader
	control *http.ResponseController

	reading sync.Mutex // held while a part is read
	mu      sync.Mutex
	stopped bool
	ended   bool
	failed  *problem.Problem
}

var errStoppedReading = errors.New("the feed is no longer read")

// Read returns a problem if the deadline has passed, or if the body is too large.
func (b *lateBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	deadline := time.Now().Add(pauseWithin)
	if !b.hurry(deadline, false) {
		return 0, errStoppedReading
	}
	n, err := b.body.Read(p)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		b.hurry(time.Time{}, false)
	case errors.Is(err, io.EOF):
		b.hurry(time.Time{}, true)
	case errors.As(err, &tooLarge):
		err = b.fail(problem.New(problem.TooLarge, "the feed has more than 64 MiB; send it in parts"))
	case !time.Now().Before(deadline): // else stop has ended the read, or the client
		err = b.fail(problem.New(problem.Timeout, "the feed paused for too long"))
	}
	return n, err
}

// fail notes why the body has ended early. The server ends the context of the request then, as if the
// client had gone.
func (b *lateBody) fail(p *problem.Problem) *problem.Problem {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = p
	return p
}

// failure is why the body has ended early; nil if it has not, or by stop or the client.
func (b *lateBody) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed == nil {
		return nil
	}
	return b.failed
}

// hurry sets the deadline, unless the body is no longer read.
func (b *lateBody) hurry(at time.Time, ended bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return false
	}
	b.ended = b.ended || ended
	_ = b.control.SetReadDeadline(at) // a body of a test has none
	return true
}

// stop ends a read that waits, and returns when there is none: nothing may read a body after its
// request.
func (b *lateBody) stop() {
	b.mu.Lock()
	if !b.ended {
		_ = b.control.SetReadDeadline(time.Unix(1, 0))
	}
	b.stopped = true
	b.mu.Unlock()
	b.reading.Lock()
	defer b.reading.Unlock()
}
