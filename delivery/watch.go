package delivery

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"

	"segue/contract"
)

// maxShown bounds what is shown of a response, in bytes.
const maxShown = 4 << 10

// Seen is what went over the wire in a watched attempt. It holds no secret.
type Seen struct {
	// Request is the request with its headers as they were written, or, when nothing
	// was written, as they would have been.
	Request contract.Request
	// Written says that the whole request left the process.
	Written bool
	// Protocol is that of the response, such as HTTP/1.1; empty without one.
	Protocol string
	// Response is the beginning of the response's body.
	Response string
}

// Watch makes a first attempt as Send does, and shows what went over the wire. When
// the context ends first, the request goes on, and the outcome says so.
func (s *Sender) Watch(ctx context.Context, p Policy, r contract.Request) (contract.Outcome, Seen) {
	w := &watch{seen: Seen{Request: r}}
	w.seen.Request.Headers = nil
	for _, h := range r.Headers {
		w.seen.Request.Headers = append(w.seen.Request.Headers, contract.Header{Name: h.Name, Value: h.Text(1)})
	}
	f := s.flights.Start(FlightKey{r.ID, 1}, "", func() contract.Outcome { return s.send(p, r, 1, w) })
	if f == nil {
		return Refused(p, r, ClassStopping, stoppingTakes), w.look()
	}
	if o, ok := f.Wait(ctx); ok {
		return o, w.look()
	}
	return InFlight(r), w.look()
}

// watch follows one attempt; on nil its methods do nothing.
type watch struct {
	mu   sync.Mutex // the transport tells what it writes from goroutines of its own
	seen Seen
}

// look is what has been seen so far.
func (w *watch) look() Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// over is the transport, watched; used grows while tokens are got.
func (w *watch) over(transport http.RoundTripper, p Policy, used *secrets) http.RoundTripper {
	if w == nil {
		return transport
	}
	return &watchedTransport{transport, w, p.Auth.APIKey, used}
}

// answered notes a response; text is without secrets.
func (w *watch) answered(resp *http.Response, text string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Protocol, w.seen.Response = resp.Proto, bounded(text, maxShown)
}

// shows replaces the request's headers and URL.
func (w *watch) shows(headers []contract.Header, written bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Request.Headers, w.seen.Written = headers, written
}

// watchedTransport tells its watch what it writes.
type watchedTransport struct {
	http.RoundTripper
	*watch
	key  *APIKeyAuth // nil: the call has none
	used *secrets
}

func (t *watchedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	veil := veil{t.key, slices.Clone(*t.used)}
	t.mu.Lock()
	t.seen.Request.URL, t.seen.Request.Body = veil.url(req.URL), veil.redact(t.seen.Request.Body)
	t.mu.Unlock()
	t.shows(veil.headers(req.Header), false)
	var written []contract.Header
	trace := &httptrace.ClientTrace{
		WroteHeaderField: func(name string, values []string) {
			for _, value := range values {
				if !strings.HasPrefix(name, ":") { // HTTP/2's request line
					written = append(written, veil.header(name, value))
				}
			}
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				t.shows(written, true)
			}
		},
	}
	return t.RoundTripper.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
}

// veil hides the secrets of one request, however short they are.
type veil struct {
	key *APIKeyAuth
	secrets
}

// headers are those of a request that is not written yet, by name.
func (v veil) headers(h http.Header) []contract.Header {
	var list []contract.Header
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			list = append(list, v.header(name, value))
		}
	}
	return list
}

func (v veil) header(name, value string) contract.Header {
	switch {
	case strings.EqualFold(name, "Authorization"):
		scheme, _, _ := strings.Cut(value, " ")
		value = scheme + " ***"
	case v.key != nil && v.key.In == "header" && strings.EqualFold(name, v.key.Name):
		value = "***"
	}
	return contract.Header{Name: name, Value: v.redact(value)}
}

func (v veil) url(u *url.URL) string {
	shown := *u
	if v.key != nil && v.key.In == "query" {
		pair := url.QueryEscape(v.key.Name) + "=" // authorize has added it last
		shown.RawQuery = shown.RawQuery[:max(strings.LastIndex(shown.RawQuery, pair), 0)] + pair + "***"
	}
	return v.redact(shown.String())
}
