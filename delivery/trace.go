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
	"segue/excerpt"
)

// maxTraced bounds how much of a response a trace holds, in bytes.
const maxTraced = 4 << 10

// Trace is what went over the wire in a traced attempt. It holds no secret.
type Trace struct {
	// Request is the request with its headers as they were written, or, if nothing was
	// written, as they would have been.
	Request contract.Request
	// Written is true if the whole request left the process.
	Written bool
	// Protocol is that of the response, such as HTTP/1.1; empty without one.
	Protocol string
	// Response is the beginning of the response's body.
	Response string
}

// SendTraced makes a first attempt as Send does, and returns what went over the wire, as
// far as it is known when the context ends.
func (s *Sender) SendTraced(ctx context.Context, p Policy, r contract.Request) (contract.Outcome, Trace) {
	t := &tracer{trace: Trace{Request: r}}
	t.trace.Request.Headers = nil
	for _, h := range r.Headers {
		t.trace.Request.Headers = append(t.trace.Request.Headers, contract.Header{Name: h.Name, Value: h.Text(1)})
	}
	o := outcomeOrInFlight(ctx, s.start(p, r, 1, "", t), r)
	return o, t.result()
}

// tracer records one attempt.
type tracer struct {
	mu    sync.Mutex // the transport reports what it writes from goroutines of its own
	trace Trace
	// body is the response's as it came, with its secrets; fault says what of it was not read.
	body  []byte
	fault string
}

// result returns what has been recorded so far.
func (t *tracer) result() Trace {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trace
}

// setResponse records a response; text is its body without secrets.
func (t *tracer) setResponse(resp *http.Response, text string, body []byte, fault string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trace.Protocol, t.trace.Response = resp.Proto, excerpt.Cut(text, maxTraced)
	t.body, t.fault = body, fault
}

// setHeaders replaces the recorded headers of the request.
func (t *tracer) setHeaders(headers []contract.Header, written bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trace.Request.Headers, t.trace.Written = headers, written
}

// traceWith lets t record the exchange; a nil t records nothing.
func (x *exchange) traceWith(t *tracer) {
	if t != nil {
		x.tracer = t
		x.transport = &tracedTransport{x.transport, t, x.policy.Auth.APIKey, &x.used}
	}
}

// tracedTransport records what it writes.
type tracedTransport struct {
	http.RoundTripper
	*tracer
	key  *APIKeyAuth // nil: the call has none
	used *secrets    // grows when the exchange gets a token
}

func (t *tracedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	masker := masker{t.key, slices.Clone(*t.used)}
	t.mu.Lock()
	t.trace.Request.URL, t.trace.Request.Body = masker.url(req.URL), masker.redact(t.trace.Request.Body)
	t.mu.Unlock()
	t.setHeaders(masker.headers(req.Header), false)
	var written []contract.Header
	trace := &httptrace.ClientTrace{
		WroteHeaderField: func(name string, values []string) {
			for _, value := range values {
				if !strings.HasPrefix(name, ":") { // HTTP/2's request line
					written = append(written, masker.header(name, value))
				}
			}
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				t.setHeaders(written, true)
			}
		},
	}
	return t.RoundTripper.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
}

// masker hides the secrets of one request, however short they are.
type masker struct {
	key *APIKeyAuth
	secrets
}

// headers returns the headers of a request that is not written yet, by name.
func (m masker) headers(h http.Header) []contract.Header {
	var list []contract.Header
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			list = append(list, m.header(name, value))
		}
	}
	return list
}

func (m masker) header(name, value string) contract.Header {
	switch {
	case strings.EqualFold(name, "Authorization"):
		scheme, _, _ := strings.Cut(value, " ")
		value = scheme + " ***"
	case m.key != nil && m.key.In == "header" && strings.EqualFold(name, m.key.Name):
		value = "***"
	}
	return contract.Header{Name: name, Value: m.redact(value)}
}

func (m masker) url(u *url.URL) string {
	shown := *u
	if m.key != nil && m.key.In == "query" {
		pair := url.QueryEscape(m.key.Name) + "=" // authorize has added it last
		shown.RawQuery = shown.RawQuery[:max(strings.LastIndex(shown.RawQuery, pair), 0)] + pair + "***"
	}
	return m.redact(shown.String())
}
