package auth

import (
	"net/http"

	"segue/gateway/problem"
)

// What visitors' pages may send and read, besides what any page may.
var (
	visitorMethods  = []string{http.MethodGet, http.MethodHead, http.MethodPost}
	visitorRequests = []string{"Accept", "Content-Type", "Cache-Control", "Last-Event-ID", "X-Requested-With"}
	visitorAnswers  = []string{"Retry-After", "Segue-Request-Id"}
)

// Visitors lets pages of the origins in gateway.engagement.origins use what next serves, and no others.
// Visitors have no credential, and no cookie of theirs is looked at: next checks a token. Clients of CometD
// send cookies nevertheless, so the browser must be allowed to.
func (a *Auth) Visitors(refuse func(http.ResponseWriter, *http.Request, *problem.Problem), next http.Handler) http.Handler {
	checked := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if no := a.current.Load().checkVisitor(r); no != nil {
			refuse(w, r, a.answer(r, no))
			return
		}
		next.ServeHTTP(w, r)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler := a.current.Load().visitorCORS; handler != nil {
			handler.ServeHTTP(w, inOrder(r), checked)
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// checkVisitor refuses pages of other origins. While gateway.auth is empty, it refuses all but programs and
// pages on this machine: a page whose name leads here by the DNS is none.
func (s *state) checkVisitor(r *http.Request) *refusal {
	origin := r.Header["Origin"]
	isKnown := len(origin) == 0 || len(origin) == 1 && (s.isOwn(r, origin[0]) || s.visitors.allow(origin[0]))
	if !isKnown {
		return notPermitted("origin", "The origin of the page is not in gateway.engagement.origins.")
	}
	if s.configured {
		return nil
	}
	if !RemoteOf(r).IsLoopback() || !isLoopbackName(hostOf(r.Host)) {
		return notPermitted("origin", "Without gateway.auth, only programs on this machine are served.")
	}
	for _, name := range Forwarding {
		if len(r.Header[name]) > 0 {
			return notPermitted("origin", "Without gateway.auth, a request that has the header "+name+" of a proxy is not served: set gateway.auth.")
		}
	}
	return nil
}

// Configured reports whether any credential is configured. Without one, a request on this machine that
// names no contact center is of FallbackCenter.
func (a *Auth) Configured() bool { return a.current.Load().configured }

// FallbackCenter is the contact center of requests on this machine that name none.
const FallbackCenter = fallbackCenter
