package problem

import "net/http"

// Methods returns the methods that a path has, for the header Allow, by the answer of a mux to a request without a
// route; empty if it has none. The mux knows them, and writes them as plain text.
func Methods(r *http.Request, route http.Handler) string {
	asked := &probe{header: http.Header{}}
	route.ServeHTTP(asked, r)
	if asked.status != http.StatusMethodNotAllowed {
		return ""
	}
	return asked.header.Get("Allow")
}

// probe is an http.ResponseWriter that keeps status and header and drops the body.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
