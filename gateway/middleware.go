package gateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"segue/gateway/problem"
	"segue/metrics"
)

// RequestIDHeader is in every answer. A client may set it in its request, to find the request in
// the log of the gateway.
const RequestIDHeader = "Segue-Request-Id"

// givenID is what a client may choose as an id. Anything else is not repeated: it would be in the log.
var givenID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// maxPanicStack bounds the stack of a panic in the log, in bytes.
const maxPanicStack = 16 << 10

// unmatched is the route of a request for which there is none.
const unmatched = "none"

// identify gives each request an id, the headers of every answer, and the record for the handlers inside.
func identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noted := &record{id: r.Header.Get(RequestIDHeader)}
		if !givenID.MatchString(noted.id) {
			noted.id = rand.Text()
		}
		w.Header().Set(RequestIDHeader, noted.id)
		// What a cookie authenticates, a cache must not give to others. A face that knows better says so.
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), recordKey{}, noted)))
	})
}

// observe logs and counts each request when it has ended. It logs no path, query, header or body,
// and no address: any of them may be personal data, or a secret.
func observe(log *slog.Logger, instruments *metrics.Instruments, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, began := newResponse(w), time.Now()
		defer func() {
			noted, status, took := recordOf(r.Context()), answer.end(), time.Since(began)
			if noted.route == "" {
				noted.route = unmatched
			}
			instruments.GatewayRequest(noted.route, status, took)
			level := slog.LevelInfo
			if noted.route == "/livez" || noted.route == "/readyz" {
				level = slog.LevelDebug // probes come every few seconds
			}
			log.Log(r.Context(), level, "request", "method", methodOf(r), "route", noted.route, "status", status,
				"duration", took, "bytes", answer.bytes, "caller", noted.caller, "request_id", noted.id)
		}()
		next.ServeHTTP(answer, r)
	})
}

// methodOf returns the method of a request as the log shows it: a client may send any word.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// survive answers a request whose handler panics with 500, and logs the stack. If a part of the
// answer is sent already, it ends the connection: the client must not take the part for the whole.
func survive(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it, too
				panic(p)
			}
			stack := debug.Stack()
			log.Error("a request panicked", "panic", panicText(p), "request_id", RequestID(r.Context()), "stack", string(stack[:min(len(stack), maxPanicStack)]))
			if answer, ok := w.(*response); ok && answer.status != 0 {
				panic(http.ErrAbortHandler)
			}
			refuse(w, r, problem.New(problem.Internal, ""))
		}()
		next.ServeHTTP(w, r)
	})
}

// panicText returns what is known of a panic without its value, which may be somebody's data. The
// text of an error of the runtime is of the program alone.
func panicText(p any) string {
	if err, ok := p.(interface{ RuntimeError() }); ok {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("a value of type %T", p)
}
