package auth

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"segue/gateway/problem"
)

// Face is how the requests of a face authenticate.
type Face struct {
	// Cookie is the session cookie that counts; empty for none.
	Cookie string
	// Opens sets that cookie with the first answer to a request that shows a credential.
	Opens bool
	// CSRF is whether a request that a cookie alone authenticates needs the session's token, unless it
	// is a GET or a HEAD. A wrong token is refused in any case.
	CSRF CSRF
	// Anonymous lets a request without a good credential through, without a caller in its context: the
	// face answers it in its own form. All other refusals remain.
	Anonymous bool
	// Basic reports whether a request may authenticate by name and password; nil for always.
	Basic func(*http.Request) bool
	// Refuse answers in the face's form; nil for application/problem+json.
	Refuse func(http.ResponseWriter, *http.Request, *problem.Problem)
}

// CSRF is whether a face requires tokens.
type CSRF int

// The values of CSRF. CSRFConfigured follows gateway.gws.csrf.
const (
	CSRFOptional CSRF = iota
	CSRFConfigured
	CSRFRequired
)

// Platform is the face /v1. A password opens a session there, and does nothing else.
func Platform() Face {
	return Face{Cookie: PlatformCookie, CSRF: CSRFRequired, Basic: func(r *http.Request) bool {
		return r.Method == http.MethodPost && strings.TrimSuffix(r.URL.Path, "/") == "/v1/session"
	}}
}

// GWS is the face of agents' desktops, /api/v2.
func GWS() Face { return Face{Cookie: GWSCookie, Opens: true, CSRF: CSRFConfigured} }

// CometD is the face of the notifications of GWS: Bayeux has its own answer for a client without a good
// credential, and a handshake may have one itself.
func CometD() Face {
	f := GWS()
	f.Anonymous = true
	return f
}

// Authenticate lets requests of /v1 through that a good credential authenticates, with their caller
// in the context.
func (a *Auth) Authenticate(next http.Handler) http.Handler { return a.For(Platform())(next) }

// For returns a middleware like Authenticate for another face.
func (a *Auth) For(f Face) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := a.current.Load()
			caller, sess, no := a.identify(s, f, r)
			if no != nil {
				if p := a.answer(r, no); !f.Anonymous || p.Status != http.StatusUnauthorized {
					f.refuse(w, r, p)
					return
				}
				next.ServeHTTP(w, r)
				return
			}
			a.keepSession(s, f, w, r, caller, sess)
			next.ServeHTTP(w, r.WithContext(With(r.Context(), caller)))
		})
	}
}

func (f Face) refuse(w http.ResponseWriter, r *http.Request, p *problem.Problem) {
	if f.Refuse == nil {
		Refuse(w, p)
		return
	}
	Challenged(w.Header(), p)
	f.Refuse(w, r, p)
}

// Identify returns the caller of a request by the credential in its headers, or by the cookie
// JSESSIONID: for faces whose requests may authenticate later. The error is a *problem.Problem.
func (a *Auth) Identify(r *http.Request) (*Caller, error) {
	return a.IdentifyAs(Face{Cookie: GWSCookie}, r)
}

// IdentifyAs is Identify for another face.
func (a *Auth) IdentifyAs(f Face, r *http.Request) (*Caller, error) {
	caller, _, no := a.identify(a.current.Load(), f, r)
	if no != nil {
		return nil, a.answer(r, no)
	}
	return caller, nil
}

// Token returns the caller of an API key or a JWT that a message has instead of the request's headers.
func (a *Auth) Token(r *http.Request, token string) (*Caller, error) {
	given, no := bearerOf(token)
	if no == nil {
		var caller *Caller
		if caller, _, no = a.verify(a.current.Load(), Face{}, r, given); no == nil {
			return caller, nil
		}
	}
	return nil, a.answer(r, no)
}

// Password returns the caller of a name and a password that a message has: of a user, or with a JWT as
// the password, in which case the name says nothing.
func (a *Auth) Password(r *http.Request, name, password string) (*Caller, error) {
	given := credential{kind: kindBasic, name: name, password: password}
	s := a.current.Load()
	if s.configured && s.users[name] == nil && strings.Count(password, ".") == 2 {
		return a.Token(r, password)
	}
	if len(name)+len(password) > maxBasic {
		return nil, a.answer(r, wrong("basic-size"))
	}
	caller, _, no := a.verify(s, Face{}, r, given)
	if no != nil {
		return nil, a.answer(r, no)
	}
	return caller, nil
}

// identify finds the caller. A credential in the headers precedes a cookie.
func (a *Auth) identify(s *state, f Face, r *http.Request) (*Caller, *session, *refusal) {
	given, no := credentialOf(r.Header)
	if no != nil {
		return nil, nil, no
	}
	caller, sess, no := a.verify(s, f, r, given)
	if no != nil {
		return nil, nil, no
	}
	// A browser sends a password of its own accord, too, once a person has typed one.
	if sess != nil || given.kind == kindBasic {
		no = checkPage(s, f, r, sess)
	}
	return caller, sess, no
}

func (a *Auth) verify(s *state, f Face, r *http.Request, given credential) (*Caller, *session, *refusal) {
	if !s.configured {
		return a.byLoopback(s, f, r, given)
	}
	var caller *Caller
	var no *refusal
	switch given.kind {
	case kindKey:
		caller, no = a.byKey(s, given.token)
	case kindJWT:
		caller, no = a.byToken(r.Context(), s, given.token)
	case kindBasic:
		if f.Basic != nil && !f.Basic(r) {
			return nil, nil, wrong("basic-here")
		}
		caller, no = a.byPassword(r.Context(), s, given.name, given.password, func() time.Duration { return a.options.Throttle(RemoteOf(r)) })
	default:
		return a.byCookie(s, r, f.Cookie)
	}
	return caller, nil, no
}

// checkPage refuses what a foreign page makes a browser send, and what does not show the session's
// CSRF token. Only what changes something is checked, and WebSockets, whose answers any page may read.
func checkPage(s *state, f Face, r *http.Request, sess *session) *refusal {
	changes := r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
	if (changes || isWebSocket(r)) && !s.isFriendly(r) {
		return notPermitted("origin", "The origin of the page is not in gateway.cors.")
	}
	if sess == nil || !changes {
		return nil
	}
	tokens := r.Header[canonicalToken]
	switch {
	case len(tokens) == 0 && !s.requiresCSRF(f):
		return nil
	case len(tokens) == 0:
		return notPermitted("csrf", "The session needs its X-CSRF-TOKEN, which each GET answers.")
	case len(tokens) > 1 || !sess.isCSRF(tokens[0]):
		return notPermitted("csrf", "The X-CSRF-TOKEN is not the session's.")
	}
	return nil
}

func (s *state) requiresCSRF(f Face) bool {
	return f.CSRF == CSRFRequired || f.CSRF == CSRFConfigured && s.csrf
}

func isWebSocket(r *http.Request) bool {
	for _, value := range r.Header["Upgrade"] {
		for protocol := range strings.SplitSeq(value, ",") {
			if equalFold(strings.TrimSpace(protocol), "websocket") {
				return true
			}
		}
	}
	return r.Method == http.MethodConnect
}

// keepSession opens a session, keeps it from expiring, and gives its CSRF token.
func (a *Auth) keepSession(s *state, f Face, w http.ResponseWriter, r *http.Request, caller *Caller, sess *session) {
	var err error
	switch {
	case f.Cookie == "" || isWebSocket(r):
		return
	case sess != nil && a.options.Now().Sub(time.Unix(sess.Sealed, 0)) >= resealAfter:
		err = a.seal(s, w, r, sess, f.Cookie)
	case sess == nil && f.Opens && caller.Counts(a.options.Now()): // a session of an expired token would have ended
		sess, err = a.join(s, f, w, r, caller)
	}
	if err != nil {
		// The request itself is authenticated; the next one shows its credential again.
		a.options.Log.Warn("A session cannot be kept", "caller", caller.Name, "error", err)
		return
	}
	if sess != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		giveCSRF(w, sess)
	}
}

// join returns the session of a request that shows a credential: the one of its cookie, if that is of
// the same credential, else a new one. The same caller keeps the CSRF token, for pages that have it.
func (a *Auth) join(s *state, f Face, w http.ResponseWriter, r *http.Request, caller *Caller) (*session, error) {
	known, sess, no := a.byCookie(s, r, f.Cookie)
	if no != nil || known.Name != caller.Name {
		return a.open(s, w, r, caller, f.Cookie)
	}
	isSame := sess.Expires == unixOf(caller.origin.expires) && known.Role == caller.Role && known.User == caller.User &&
		slices.Equal(known.ContactCenters, caller.ContactCenters)
	if isSame && a.options.Now().Sub(time.Unix(sess.Sealed, 0)) < resealAfter {
		return sess, nil
	}
	renewed := sessionFrom(caller.origin)
	renewed.ID, renewed.CSRF = sess.ID, sess.CSRF
	return renewed, a.seal(s, w, r, renewed, f.Cookie)
}
