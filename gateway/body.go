package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"segue/gateway/problem"
)

// MaxBody bounds the body of any request, in bytes. Faces have lower bounds for most of theirs.
const MaxBody = 64 << 20

// patient bounds the time in which a body must arrive. A handler that reads a stream, such as a
// feed, sets later deadlines itself, with http.ResponseController.SetReadDeadline.
func patient(within time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
			// A proxy in front may have read the length of this body in another way, from a header that
			// net/http ignores: nothing after the body may be taken for a request.
			w.Header().Set("Connection", "close")
		}
		control := http.NewResponseController(w)
		if err := control.SetReadDeadline(time.Now().Add(within)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			refuse(w, r, problem.New(problem.Internal, ""))
			return
		}
		r.Body = &body{ReadCloser: http.MaxBytesReader(w, r.Body, MaxBody), control: control, header: w.Header()}
		next.ServeHTTP(w, r)
	})
}

// body is the body of a request with a deadline.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	header  http.Header
}

// Read returns a problem if the deadline has passed. At the end of the body the deadline ends, too:
// the server reads on, to notice a client that goes away.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		_ = b.control.SetReadDeadline(time.Time{}) // the request is read: nothing waits for the deadline
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.header.Set("Connection", "close") // the rest of the body would be taken for the next request
		err = problem.New(problem.Timeout, "the body did not arrive in time")
	}
	return n, err
}
