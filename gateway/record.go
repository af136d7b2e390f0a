package gateway

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"segue/gateway/auth"
)

// record is what the access log and the metrics have of one request. The handlers around the mux
// complete it: they see a request that those outside of them do not.
type record struct {
	id     string
	caller string
	route  string
}

type recordKey struct{}

// recordOf returns the record of a request; a fresh one if it has none.
func recordOf(ctx context.Context) *record {
	if r, ok := ctx.Value(recordKey{}).(*record); ok {
		return r
	}
	return &record{}
}

// RequestID returns the id of the request that a context is of; empty for any other context.
func RequestID(ctx context.Context) string { return recordOf(ctx).id }

// noteRoute notes the caller, and the pattern that the mux or one below it has found. A path would
// have the ids of interactions and agents.
func noteRoute(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noted := recordOf(r.Context())
		if caller := auth.From(r.Context()); caller != nil {
			noted.caller = caller.Name
		}
		defer func() {
			// The innermost mux knows best.
			if noted.route == "" && r.Pattern != "/" {
				noted.route = r.Pattern
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// writeWithin is how long a client may take to accept a part of an answer.
const writeWithin = 30 * time.Second

// response counts what is written, and does not wait for a client that reads nothing.
type response struct {
	http.ResponseWriter
	control  *http.ResponseController
	status   int
	bytes    int64
	hijacked bool
}

func newResponse(w http.ResponseWriter) *response {
	r := &response{ResponseWriter: w, control: http.NewResponseController(w)}
	r.hurry(0) // the deadline of the connection's last answer
	return r
}

// Unwrap lets an http.ResponseController reach the server's own writer.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// hurry sets the deadline of what is written next; 0 for none.
func (r *response) hurry(within time.Duration) {
	at := time.Time{}
	if within > 0 {
		at = time.Now().Add(within)
	}
	_ = r.control.SetWriteDeadline(at) // a writer of a test has none
}

// WriteHeader notes the status of the answer.
func (r *response) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		r.status = status
	}
	r.hurry(writeWithin)
	r.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes of the answer.
func (r *response) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.hurry(writeWithin)
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Flush sends what is written. It is for packages that do not know http.ResponseController.
func (r *response) Flush() { _ = r.FlushError() } // the next Write reports that the client has gone

// FlushError sends what is written, and returns an error if that is not possible.
func (r *response) FlushError() error {
	r.hurry(writeWithin)
	return r.control.Flush()
}

// Hijack gives the connection to its caller, who sets deadlines from then on.
func (r *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := r.control.Hijack()
	if err != nil {
		return nil, nil, errors.Join(errors.New("gateway: the connection cannot be taken over"), err)
	}
	r.hijacked, r.status = true, http.StatusSwitchingProtocols
	return conn, buffered, nil
}

// end sets the deadline of what the server still has to write, and returns the status.
func (r *response) end() int {
	if !r.hijacked {
		r.hurry(writeWithin)
	}
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
